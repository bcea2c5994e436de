"""Callbacks of tasks that alert: a red verdict, a failure and its end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseNotifier

from include.config.profiles import load_profile
from include.status_store.session import takes_transactions
from include.watch.failed import FailedTasks, note_failure, note_success
from include.watch.verdicts import RedVerdicts
from ropo_one.business_date import BACKFILL, SCOPE_PARAM, business_date
from ropo_one.store import open_store
from ropo_one.telling import tell_topic

if TYPE_CHECKING:
    from airflow.sdk import Context

    from include.config.profiles import Profile
    from ropo_one.profile_operator import ProfileOperator


class RedVerdictNotifier(BaseNotifier):
    """Tells a red verdict, as ``on_failure_callback`` of the task that says it (:class:`VerdictOperator`).

    A backfill's dates are left to the next :class:`ropo_one.watch.WatchOperator`, which tells them in one message.

    :param scope: of the verdict, ``date`` or ``full``; by default what the run's param says.
    """

    def __init__(self, scope: str | None = None) -> None:
        super().__init__()
        self.scope = scope

    def notify(self, context: Context) -> None:
        """Send what the store says of the run's profile and business date, if it is red and not told yet."""
        profile = _profile(context)
        if context["dag_run"].run_type == BACKFILL:
            self.log.info("A backfill's red dates are told together by the drain's next watch")
            return
        date = business_date(context)
        scope = self.scope or str(context["params"].get(SCOPE_PARAM) or "date")
        topic = RedVerdicts(profile, datetime.now(UTC), date=date, scope=scope)
        with open_store() as session:
            tell_topic(session, topic, dict(context), self.log.warning)


class FailedTaskNotifier(BaseNotifier):
    """Tells that a task failed, as its ``on_failure_callback``, where nothing in the store would show it.

    It is written down before it is told: what could not be sent is told by the next
    :class:`ropo_one.watch.WatchOperator`, which reminds of it too, until :func:`failure_is_over`.

    :param each_date: whether the failure of each business date is told at once, though an earlier one's was.
    """

    def __init__(self, *, each_date: bool = False) -> None:
        super().__init__()
        self.each_date = each_date

    def notify(self, context: Context) -> None:
        """Write it down and send it; where the store is away or its disk is full, the watch tells that."""
        profile, task, now = _profile(context), _task(context), datetime.now(UTC)
        date = business_date(context).isoformat() if self.each_date else ""
        with open_store() as session:
            with takes_transactions(), session.transaction() as cursor:
                note_failure(cursor, profile.name, task, now, date=date)
            topic = FailedTasks(profile, now, run_ids={task: context["ti"].run_id})
            tell_topic(session, topic, dict(context), self.log.warning)


def failure_is_over(context: Context) -> None:
    """Write that a task's failure is over, as ``on_success_callback`` of one that :class:`FailedTaskNotifier` tells."""
    with open_store() as session, takes_transactions(), session.transaction() as cursor:
        note_success(cursor, _profile(context).name, _task(context), datetime.now(UTC))


def _profile(context: Context) -> Profile:
    """Return the profile of the task whose callback is called."""
    name: Any = cast("ProfileOperator", context["ti"].task).profile
    # Where the task was killed, Airflow calls it in another process, in which the task is not mapped to its profile.
    return load_profile(name if isinstance(name, str) else name.resolve(context))


def _task(context: Context) -> str:
    instance = context["ti"]
    return f"{instance.dag_id} {instance.task_id.rpartition('.')[2]}"
