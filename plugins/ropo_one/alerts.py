"""Callbacks of tasks that alert: a red verdict, a failure and its end, a task that was killed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseNotifier

from include.config.profiles import load_profile
from include.status_store.database import StoreUnavailableError
from include.status_store.session import takes_transactions
from include.watch.failed import FailedTasks, note_failure, note_success
from include.watch.under_way import note_begin, note_done, note_end
from include.watch.verdicts import RedVerdicts
from ropo_one.business_date import BACKFILL, SCOPE_PARAM, business_date
from ropo_one.operators.reconciliation import RedVerdictError
from ropo_one.store import insist, open_store
from ropo_one.telling import tell_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from airflow.sdk import Context
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile, Scope
    from include.status_store.session import Session
    from ropo_one.operators.profile import ProfileOperator

# After a task's own `execution_timeout`: for its callbacks, and for what does not break off at once.
_MARGIN = timedelta(minutes=10)


class RedVerdictNotifier(BaseNotifier):
    """Tells a red verdict, as ``on_failure_callback`` of the task that says it (:class:`VerdictOperator`).

    A backfill's dates are left to the next :class:`ropo_one.operators.watch.WatchOperator`, which tells them in one
    message.

    :param scope: of the verdict, ``date`` or ``full``; by default what the run's param says.
    """

    def __init__(self, scope: Scope | None = None) -> None:
        super().__init__()
        self.scope = scope

    def notify(self, context: Context) -> None:
        """Send what the store says of the run's profile and business date, if it is red and not told yet."""
        failure = context.get("exception")
        if isinstance(failure, Exception) and not isinstance(failure, RedVerdictError):
            self.log.info("This run has no verdict to tell")
            return
        profile = _profile(context)
        if context["dag_run"].run_type == BACKFILL:
            self.log.info("A backfill's red dates are told together by the drain's next watch")
            return
        date = business_date(context)
        scope: Scope = self.scope or context["params"].get(SCOPE_PARAM) or "date"
        topic = RedVerdicts(profile, datetime.now(UTC), date=date, scope=scope)
        with open_store() as session:
            tell_topic(session, topic, dict(context), self.log.warning)


class FailedTaskNotifier(BaseNotifier):
    """Tells that a task failed, as its ``on_failure_callback``, where nothing in the store would show it.

    It is written down before it is told: what could not be sent is told by the next
    :class:`ropo_one.operators.watch.WatchOperator`, which reminds of it too, until :func:`failure_is_over`.

    Airflow calls nothing where a task's process alone is killed, as the kernel does where memory runs out.
    :func:`told_when_it_fails` gives a task the callbacks by which the watch tells that too.

    :param each_date: whether the failure of each business date is told at once, though an earlier one's was.
    """

    def __init__(self, *, each_date: bool = False) -> None:
        super().__init__()
        self.each_date = each_date

    def notify(self, context: Context) -> None:
        """Write it down and send it; where the store is away or its disk is full, the watch tells that."""
        profile, task, now = _profile(context), _task(context), datetime.now(UTC)
        run_id = context["ti"].run_id
        date = business_date(context).isoformat() if self.each_date else ""

        def write(cursor: Cursor) -> None:
            note_end(cursor, profile.name, task, run_id)
            note_failure(cursor, profile.name, task, now, date=date)

        _note(write)
        with open_store() as session:
            topic = FailedTasks(profile, now, run_ids={task: run_id})
            tell_topic(session, topic, dict(context), self.log.warning)

    def task_began(self, context: Context) -> None:
        """Write until when the task is over, as its ``on_execute_callback``; one without a timeout may take any time.

        Where the store is away it goes on: what it does there says so itself.
        """
        limit = cast("ProfileOperator", context["ti"].task).execution_timeout
        if limit is None:
            return
        until = datetime.now(UTC) + limit + _MARGIN
        date = business_date(context) if self.each_date else None
        profile, task, run_id = _profile(context), _task(context), context["ti"].run_id
        try:
            with open_store() as session, takes_transactions(), session.transaction() as cursor:
                note_begin(cursor, profile.name, task, run_id, until=until, date=date)
        except StoreUnavailableError as error:
            self.log.warning("Should this task's process be killed, nobody will be told: %s", error)


def told_when_it_fails(*, each_date: bool = False) -> dict[str, Any]:
    """Return the callbacks by which a task's failure is told, as arguments of the task or as a DAG's ``default_args``.

    Where the task's process is killed, the watch tells it some minutes after the task's ``execution_timeout``.

    :param each_date: see :class:`FailedTaskNotifier`.
    """
    notifier = FailedTaskNotifier(each_date=each_date)
    return {
        "on_execute_callback": notifier.task_began,
        "on_failure_callback": notifier,
        "on_success_callback": failure_is_over,
        # While it waits for its next try it has no process that could be killed.
        "on_retry_callback": task_ended,
        "on_skipped_callback": task_ended,
    }


def failure_is_over(context: Context) -> None:
    """Write that a task's failure is over, as ``on_success_callback`` of one that :class:`FailedTaskNotifier` tells."""
    profile, task = _profile(context), _task(context)

    def write(cursor: Cursor) -> None:
        note_done(cursor, profile.name, task, context["ti"].run_id)
        note_success(cursor, profile.name, task, datetime.now(UTC))

    _note(write)


def task_ended(context: Context) -> None:
    """Write that a task ended, which says nothing of an earlier failure: it was skipped, or waits for its next try."""
    _note(lambda cursor: note_end(cursor, _profile(context).name, _task(context), context["ti"].run_id))


def _note(write: Callable[[Cursor], None]) -> None:
    """Write into the store. Airflow only logs that a callback failed: a task that ended would be told as killed."""

    def work(session: Session) -> None:
        with session.transaction() as cursor:
            write(cursor)

    insist(work)


def _profile(context: Context) -> Profile:
    """Return the profile of the task whose callback is called."""
    name: Any = cast("ProfileOperator", context["ti"].task).profile
    # Where its supervisor was killed too, Airflow calls it in another process, with a task not mapped to its profile.
    return load_profile(name if isinstance(name, str) else name.resolve(context))


def _task(context: Context) -> str:
    instance = context["ti"]
    return f"{instance.dag_id} {instance.task_id.rpartition('.')[2]}"
