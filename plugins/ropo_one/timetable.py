"""The timetable of runs that are keyed by business date."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

from airflow.sdk import timezone
from airflow.timetables.trigger import CronPartitionTimetable

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from airflow.timetables.base import DagRunInfo


class BusinessDateTimetable(CronPartitionTimetable):
    """One run a calendar day, at the midnight that ends it; its partition key is that day, ``YYYY-MM-DD``.

    Airflow's own timetable makes a run for each unfinished day of a backfill that reaches past today, at the day's
    start, and then schedules past them, so that those days are never run by schedule. This one makes no run for a day
    that is not over. (Tried on 3.3.2.)
    """

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
