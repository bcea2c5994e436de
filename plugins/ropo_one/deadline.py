"""The deadline of a business date: its verdict by a market hour of the next morning."""

from __future__ import annotations

import asyncio
import datetime
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from zoneinfo import ZoneInfo

from airflow.sdk.definitions.callback import AsyncCallback
from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert
from airflow.sdk.exceptions import AirflowException

from include.config.business_dates import parse_date
from include.config.profiles import SCHEDULE_ZONE, TIME_FOR_A_VERDICT, load_profiles, profiles_file, verdict_due
from ropo_one.business_date import SCHEDULED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy.orm import Session

    from include.config.profiles import Profile
    from include.status_store.session import Session as StoreSession

logger = logging.getLogger(__name__)


@dataclass(eq=False)
class BusinessDateDeadline(BaseDeadlineReference):
    """An hour of the morning after a run's business date, by a market's clock (over DST changes too).

    At the earliest that hour of the schedule's own zone, whose midnight begins the run, and an hour after the date is
    settled: see :func:`include.config.profiles.verdict_due`.

    Only scheduled runs have one: a backfill's or a manual run's date may lie long ago.

    :param timezone: IANA name.
    :param hour: 0 to 23.
    :param settle_hours: how long after the market's midnight the run waits.
    """

    timezone: str = SCHEDULE_ZONE
    hour: int = 7
    settle_hours: int = 1

    required_kwargs: ClassVar[set[str]] = {"dag_id", "run_id"}

    def serialize_reference(self) -> dict[str, Any]:
        """Return what Airflow keeps of it."""
        own = {"timezone": self.timezone, "hour": self.hour, "settle_hours": self.settle_hours}
        return {**super().serialize_reference(), **own}

    @classmethod
    def deserialize_reference(cls, reference_data: dict[str, Any]) -> BusinessDateDeadline:
        """Return the reference that was kept."""
        return cls(
            timezone=reference_data["timezone"],
            hour=reference_data["hour"],
            # Airflow may have one still that was kept before this stood in it.
            settle_hours=reference_data.get("settle_hours", cls.settle_hours),
        )

    def _evaluate_with(self, *, session: Session, dag_id: str, run_id: str) -> datetime.datetime | None:
        """Return the deadline's moment, None for a run that has none. Called where the scheduler makes the run."""
        # Airflow's core: neither there nor wanted where DAG files are parsed.
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        query = select(DagRun.run_type, DagRun.partition_key).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        row = session.execute(query).one_or_none()
        if row is None or row.run_type != SCHEDULED or not row.partition_key:
            return None
        date, zone = parse_date(row.partition_key), ZoneInfo(self.timezone)
        return verdict_due(date, zone, hour=self.hour, settle_hours=self.settle_hours)


def verdict_deadlines(profiles: Iterable[Profile]) -> list[DeadlineAlert]:
    """Return a DAG's deadlines: one for each market clock, hour and ``settle_hours`` that its profiles have."""
    groups: dict[tuple[str, int, int], list[str]] = {}
    for profile in profiles:
        key = (profile.timezone, profile.alerts.deadline_hour, profile.settle_hours)
        groups.setdefault(key, []).append(profile.name)
    return [
        DeadlineAlert(
            name=f"verdict by {hour:02}:00 {timezone}, settle_hours {settle_hours}",
            reference=BusinessDateDeadline(timezone=timezone, hour=hour, settle_hours=settle_hours),
            interval=datetime.timedelta(0),
            callback=AsyncCallback(tell_missing_verdicts, kwargs={"profiles": names}),
        )
        for (timezone, hour, settle_hours), names in groups.items()
    ]


async def tell_missing_verdicts(profiles: list[str], context: dict[str, Any]) -> str:
    """Tell which profiles have no verdict of a late run's business date; nobody where all have one, a red one too.

    A run that was made after its deadline, as where the DAG was unpaused or Airflow started later, has an hour from
    then: it begins just as this is called.

    Each profile is tried, whatever becomes of the others; one that the profiles file has no more is passed over. Where
    the store is away or takes no transaction, each of them is told that, without its register: this is called once a
    day.

    The triggerer calls it. It is a coroutine for that reason alone: its work is done in a thread, so that neither the
    store nor a mail server holds up the triggers.

    :param context: ``dag_run`` as a dict, and ``deadline``.
    :return: what became of it, in words, for the callback's record in Airflow.
    """
    await asyncio.sleep(_has_time(context, datetime.datetime.now(datetime.UTC)).total_seconds())
    return await asyncio.to_thread(tell_of_missing, profiles, context)


def _has_time(context: dict[str, Any], now: datetime.datetime) -> datetime.timedelta:
    """Return for how long a run that was made after its deadline has time still; none where it was made before."""
    made, due = (_moment(context[part][key]) for part, key in (("dag_run", "queued_at"), ("deadline", "deadline_time")))
    if made is None or due is None or made <= due:
        return datetime.timedelta(0)
    return max(made + TIME_FOR_A_VERDICT - now, datetime.timedelta(0))


def _moment(value: datetime.datetime | str | None) -> datetime.datetime | None:
    """Return a moment of a callback's context, of which Airflow writes a part as text."""
    return datetime.datetime.fromisoformat(value) if isinstance(value, str) else value


def tell_of_missing(profiles: list[str], context: dict[str, Any]) -> str:
    """Do the work of :func:`tell_missing_verdicts`.

    :raises AirflowException: if one of them could not be told, after each was tried.
    """
    # Here and not above: the DAG file that names this module needs none of it.
    from include.status_store.database import StoreUnavailableError
    from include.watch.missing import MissingVerdicts
    from ropo_one.store import insist
    from ropo_one.telling import tell_store_away, tell_topic

    date = parse_date(context["dag_run"]["partition_key"])
    asked = _still_in_file(profiles)
    names = ", ".join(profile.name for profile in asked)

    def tell_all(session: StoreSession) -> list[str]:
        def tell_late(profile: Profile) -> bool:
            topic = MissingVerdicts(profile, datetime.datetime.now(datetime.UTC), since=date)
            return tell_topic(session, topic, dict(context), logger.warning) > 0

        return _tell_each(date, asked, tell_late, propagate=StoreUnavailableError)

    try:
        told = insist(tell_all)
    except StoreUnavailableError as error:
        away = error

        def tell_away(profile: Profile) -> bool:
            tell_store_away(profile, away, dict(context), logger.warning, again="every morning until then")
            return True

        _tell_each(date, asked, tell_away)
        return f"{date}: the store cannot be used, told of {names}"
    return f"{date}: told of {', '.join(told)}" if told else f"{date}: nothing new to tell of {names}"


def _still_in_file(names: list[str]) -> list[Profile]:
    """Return the profiles of a run, whose names are as old as the run is."""
    known = {profile.name: profile for profile in load_profiles()}
    for name in names:
        if name not in known:
            logger.warning("Profile %s is no longer in %s: no alert is sent for it", name, profiles_file())
    return [known[name] for name in names if name in known]


def _tell_each(
    date: datetime.date,
    profiles: list[Profile],
    tell: Callable[[Profile], bool],
    *,
    propagate: type[Exception] | tuple[()] = (),
) -> list[str]:
    """Try each profile, whatever became of the others, and return the names of those of which something was told.

    :param propagate: what ends it at once.
    :raises AirflowException: in the end, if one of them failed.
    """
    told: list[str] = []
    failed: list[str] = []
    for profile in profiles:
        try:
            if tell(profile):
                told.append(profile.name)
        except propagate:
            raise
        except Exception as error:  # whatever a notifier raises, the other profiles are told
            logger.exception("Profile %s: the deadline of %s was not told", profile.name, date)
            failed.append(f"{profile.name} ({type(error).__name__})")
    if failed:
        raise AirflowException(
            f"{date}: could not be told of {', '.join(failed)}; told of {', '.join(told) or 'no other'}. The "
            "triggerer's log says why: most likely the notifier of the profile's `alerts` or its connection. The "
            "drain's next watch tells them"
        )
    return told
