"""Alerts about tasks that failed, where nothing in the store shows that they ought to have done their work.

Their callbacks write it into the register of alerts: a failure, and the success that ends it. Where a process was
killed no callback is called: its mark (:mod:`include.watch.under_way`) is left, and is a failure when its time is over.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.watch.alert import Matter
from include.watch.register import Register
from include.watch.under_way import take_overdue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.watch.register import Held
    from include.watch.under_way import Overdue

_NEVER = datetime.timedelta(0)
# What a task's failure is called, and what it means, by its DAG and its name.
MEANINGS = {
    "ropo_full_comparison compare": (
        "the full comparison of {date} failed",
        "A month's sign-off needs a full comparison; when the cause is mended, clear the run's failed tasks, or run "
        "ropo_full_comparison for this date",
    ),
    "ropo_reconciliation reread_earlier": (
        "earlier dates could not be asked again",
        "Changes that Ropo One recorded late may be missing from them. The next scheduled run asks again",
    ),
    "ropo_reconciliation recheck": (
        "earlier dates could not be compared again",
        "Until they are, a pending date stays pending when its grace is over, and a mended one stays red. The next "
        "scheduled run makes up for it",
    ),
    "ropo_maintenance remove_pages": (
        "raw pages past their retention could not be removed",
        "They are kept for longer than `page_retention_days`. The next run goes on",
    ),
    "ropo_maintenance erase_texts": (
        "texts past their retention could not be erased",
        "Personal data is kept for longer than `text_retention_days` says. The next run goes on",
    ),
}
_OTHER = ("the task {task} of {dag_id} failed", "The docs of the DAG say what to do")


class FailedTasks:
    """Tasks that failed and have not succeeded since.

    :param run_ids: of the runs that failed just now, by task; a reminder links to the DAG alone.
    """

    name = "failed_task"
    plural = "tasks failed"
    is_everything = False

    def __init__(self, profile: Profile, now: datetime.datetime, *, run_ids: Mapping[str, str] | None = None) -> None:
        self.profile = profile
        self.now = now
        self._run_ids = run_ids or {}
        self._failed: dict[str, Held] = {}
        self._overdue: dict[str, Overdue] = {}

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the failed tasks, each with the business date that is alerted separately, if any; overdue ones too."""
        overdue_tasks = take_overdue(cursor, self.profile.name, self.now, topic=self.name)
        self._overdue = {overdue.task: overdue for overdue in overdue_tasks}
        for task, overdue in sorted(self._overdue.items()):
            date = overdue.date.isoformat() if overdue.date else ""
            note_failure(cursor, self.profile.name, task, overdue.until, date=date)
        self._failed = _register(cursor, self.profile.name, self.now).held()
        return {task: held.fingerprint for task, held in self._failed.items()}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return since when, what it means, and what to do."""
        return [self._matter(task) for task in subjects]

    def _matter(self, task: str) -> Matter:
        dag_id, _, name = task.partition(" ")
        title, meaning = MEANINGS.get(task, _OTHER)
        held = self._failed[task]
        run_id = self._run_ids.get(task)
        if overdue := self._overdue.get(task):
            what = (
                f"began and was not over by {self.profile.clock(overdue.until)}: its process was killed, as where "
                "memory runs out, it failed while the store was away, or it hangs. Its state and the end of its log "
                "say more"
            )
            run_id = overdue.run_id
        else:
            failed_at = self.profile.clock(held.found_at)
            what = f"failed at {failed_at} and has not succeeded since. The line with the error in its log says why"
        return Matter(
            title=title.format(date=held.fingerprint, dag_id=dag_id, task=name),
            lines=(f"The task {name} of {dag_id} {what}", meaning),
            dag_id=dag_id,
            run_id=run_id,
        )


def note_failure(cursor: Cursor, profile: str, task: str, now: datetime.datetime, *, date: str = "") -> None:
    """Write that a task failed.

    :param task: its DAG's id, a space, and its own without its group's.
    :param date: alert this business date's failure at once, even if another date's was alerted already.
    """
    _register(cursor, profile, now).due({task: date})


def note_success(cursor: Cursor, profile: str, task: str, now: datetime.datetime) -> None:
    """Write that a task succeeded, so that its failure is over."""
    _register(cursor, profile, now).end(task)


def _register(cursor: Cursor, profile: str, now: datetime.datetime) -> Register:
    return Register(cursor, profile, FailedTasks.name, now=now, remind=_NEVER)
