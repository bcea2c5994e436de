"""The timetable of runs that are keyed by business date."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pendulum
from airflow.sdk import timezone
from airflow.timetables.base import DagRunInfo
from airflow.timetables.trigger import CronPartitionTimetable

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator

    from pendulum import DateTime


class BusinessDateTimetable(CronPartitionTimetable):
    """One run a calendar day, at the midnight that ends it; its partition key is that day, ``YYYY-MM-DD``.

    Airflow's own timetable makes a run for each unfinished day of a backfill that reaches past today, at the day's
    start, and then schedules past them, so that those days are never run by schedule. This one makes no run for a day
    that is not over. (Tried on 3.3.2.)

    :param timezone: whose midnights are meant. The others are Airflow's own, which keeps them with a DAG.
    """

    def __init__(
        self, cron: str = "0 0 * * *", *, run_offset: int = -1, key_format: str = "%Y-%m-%d", **kwargs: Any
    ) -> None:
        super().__init__(cron, run_offset=run_offset, key_format=key_format, **kwargs)

    def iter_partition_dagrun_infos(
        self, *, earliest: datetime.datetime, latest: datetime.datetime
    ) -> Iterable[DagRunInfo]:
        """Return a backfill's runs: one for each day from ``earliest`` to ``latest`` that is over."""
        infos = super().iter_partition_dagrun_infos(earliest=earliest, latest=latest)
        return takewhile(self._is_over, infos)

    def _is_over(self, info: DagRunInfo) -> bool:
        if info.partition_date is None:
            raise ValueError(f"expected a partition date in {info}")
        return bool(self._get_next(info.partition_date) <= timezone.utcnow())


class MonthEndTimetable(BusinessDateTimetable):
    """One run a month, at the midnight that ends it; its partition key is the month's last day, ``YYYY-MM-DD``.

    Its cron names the first day of a month. Airflow's own timetable can only go back by whole ticks, so by a month.
    """

    def __init__(self, cron: str = "0 0 1 * *", **kwargs: Any) -> None:
        super().__init__(cron, **kwargs)

    def iter_partition_dagrun_infos(
        self, *, earliest: datetime.datetime, latest: datetime.datetime
    ) -> Iterable[DagRunInfo]:
        """Return a backfill's runs: one for each month's end from ``earliest`` to ``latest`` that is over."""
        return takewhile(self._is_over, self._month_ends(earliest, latest))

    def _month_ends(self, earliest: datetime.datetime, latest: datetime.datetime) -> Iterator[DagRunInfo]:
        first, last = map(self.localize_partition_datetime, (earliest, latest))
        tick = self._get_next(first)
        while (month_end := self._get_partition_date(run_date=tick)) <= last:
            if month_end >= first:
                yield DagRunInfo(
                    run_after=month_end,
                    data_interval=None,
                    partition_date=month_end,
                    partition_key=self._format_key(month_end),
                )
            tick = self._get_next(tick)

    def _get_partition_date(self, *, run_date: DateTime) -> DateTime:
        local = pendulum.instance(run_date).in_timezone(self._timezone)
        return local.subtract(days=1).in_timezone("UTC")
