"""The watch: looks for what nobody else would tell, and measures."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowException
from airflow.sdk.observability import stats

from include.status_store.database import StoreUnavailableError
from include.watch.begins_ahead import BeginsAhead
from include.watch.consumer import OtherConsumer
from include.watch.failed import FailedTasks
from include.watch.measures import measure
from include.watch.missing import MissingVerdicts
from include.watch.missing_full import MissingFull
from include.watch.missing_profiles import MissingProfiles
from include.watch.not_parsed import NotParsed
from include.watch.queue import NotEmptied, OldDoubts
from include.watch.signed import ChangedPeriods
from include.watch.verdicts import RedVerdicts
from ropo_one.operators.profile import ProfileOperator, as_dict
from ropo_one.store import insist
from ropo_one.telling import make_notifier, tell_store_away, tell_topic

if TYPE_CHECKING:
    from typing import Any

    from airflow.sdk import Context

    from include.status_store.session import Session
    from include.watch.measures import Measures

TOPICS = (
    OldDoubts,
    NotEmptied,
    NotParsed,
    OtherConsumer,
    BeginsAhead,
    MissingProfiles,
    MissingVerdicts,
    RedVerdicts,
    MissingFull,
    partial(RedVerdicts, scope="full"),
    ChangedPeriods,
    FailedTasks,
)


class WatchOperator(ProfileOperator):
    """Tell of what holds, each matter once and again after the profile's ``alerts.remind_hours``; emit its metrics.

    One whose reasons change is told at once again.

    Told are doubts and a queue that is not emptied for an hour, what could not be parsed, another consumer, a
    ``start_date`` that lies ahead, profiles that the file lacks, dates that are red or have no verdict, months without
    a full comparison, full comparisons that are red, signed months that changed, and tasks that failed, or were killed,
    and have not succeeded since.

    Where the store is away or takes no transaction for a minute, that is told in the first run of each hour: nothing
    can be remembered then of what was told before. A run by hand without a logical date does not tell it: whoever
    started it sees it fail.

    Metrics need ``[metrics] statsd_on`` of Airflow. Their names carry the profile, since StatsD loses tags:
    ``ropo_one.<profile>.events_drained`` (counter), ``….newest_event_lag_seconds``, ``….in_doubt_polls`` and
    ``….open_breaks.<category>`` (gauges).
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Return how many matters of each topic were told, and the measures.

        :raises AlertsMisconfiguredError: before anything is looked for, if the notifier cannot be made.
        :raises AirflowException: if an alert could not be sent; the next run sends it.
        :raises StoreUnavailableError: if the store is away or takes no transaction.
        """
        make_notifier(self.settings)
        try:
            return insist(lambda session: self._look(session, context), longest=self.execution_timeout)
        except StoreUnavailableError as error:
            if _is_first_of_its_hour(context):
                again = "every hour until then"
                tell_store_away(self.settings, error, dict(context), self.log.warning, again=again)
            raise

    def _look(self, session: Session, context: Context) -> dict[str, Any]:
        profile = self.settings
        now = datetime.now(UTC)
        told: dict[str, int] = {}
        unsent: list[str] = []
        with session.transaction() as cursor:
            instance = context["ti"]
            measures = measure(cursor, profile, now=now, dag_id=instance.dag_id, run_id=instance.run_id)
        for topic in (make(profile, now) for make in TOPICS):
            try:
                told[topic.name] = tell_topic(session, topic, dict(context), self.log.warning)
            except StoreUnavailableError:
                raise
            except Exception as error:  # whatever a notifier raises, the other topics are told
                self.log.exception("Profile %s: %s was not told", profile.name, topic.name)
                unsent.append(f"{topic.name} ({type(error).__name__})")
        emit(profile.name, measures)
        if unsent:
            raise AirflowException(
                f"Profile {profile.name}: these alerts could not be told: {', '.join(unsent)}. The log above says "
                "why: most likely the notifier of the profile's `alerts` or its connection. The next run tells them"
            )
        return {"told": told, "measures": as_dict(measures)}


def _is_first_of_its_hour(context: Context) -> bool:
    """Return whether the run before was of an earlier hour: where runs are long, those of full hours are left out.

    Of a run without a logical date, by hand, Airflow does not say which one was before it: each would be the first.
    """
    run = context["dag_run"]
    if run.logical_date is None:
        return False
    previous = context["ti"].get_previous_dagrun()
    return previous is None or _hour(previous.run_after) != _hour(run.run_after)


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def emit(profile: str, measures: Measures) -> None:
    """Send a profile's metrics through Airflow's own stats."""
    prefix = f"ropo_one.{profile}"
    stats.incr(f"{prefix}.events_drained", measures.events_drained)
    if measures.newest_event_lag_seconds is not None:
        stats.gauge(f"{prefix}.newest_event_lag_seconds", round(measures.newest_event_lag_seconds, 3))
    stats.gauge(f"{prefix}.in_doubt_polls", measures.in_doubt_polls)
    for category, count in measures.open_breaks.items():
        stats.gauge(f"{prefix}.open_breaks.{category}", count)
