"""Marks of tasks that have begun: until when each is over, so that one whose process was killed is found.

Airflow calls no callback of a task whose process alone is killed, as the kernel does where memory runs out.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.watch.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

_BEGIN = """
INSERT INTO ropo.task_under_way (profile, task, run_id, business_date, until)
VALUES (%(profile)s, %(task)s, %(run_id)s, %(date)s, %(until)s)
ON CONFLICT (profile, task, run_id) DO UPDATE SET business_date = excluded.business_date, until = excluded.until
"""
_END = "DELETE FROM ropo.task_under_way WHERE profile = %(profile)s AND task = %(task)s AND run_id = %(run_id)s"
_DONE = """
DELETE FROM ropo.task_under_way AS mark
USING ropo.task_under_way AS own
WHERE own.profile = %(profile)s AND own.task = %(task)s AND own.run_id = %(run_id)s
  AND mark.profile = own.profile AND mark.task = own.task
  AND mark.business_date IS NOT DISTINCT FROM own.business_date
"""


class Overdue(msgspec.Struct, frozen=True):
    """A task that began and was not over in time (``take_overdue.sql``).

    :param date: the business date, where each date's failure is alerted separately; None otherwise.
    """

    task: str
    run_id: str
    date: datetime.date | None
    until: datetime.datetime


def note_begin(
    cursor: Cursor,
    profile: str,
    task: str,
    run_id: str,
    *,
    until: datetime.datetime,
    date: datetime.date | None = None,
) -> None:
    """Write that a task began; where the same run began it before, its time counts anew.

    :param task: as :func:`include.watch.failed.note_failure` takes it.
    :param until: when it is over, if its process lives.
    :param date: the business date, where each date's failure is alerted separately; None otherwise.
    """
    values = {"profile": profile, "task": task, "run_id": run_id, "date": date, "until": until}
    cursor.execute(_BEGIN, values)


def note_end(cursor: Cursor, profile: str, task: str, run_id: str) -> None:
    """Write that a run's task ended, whichever way."""
    cursor.execute(_END, {"profile": profile, "task": task, "run_id": run_id})


def note_done(cursor: Cursor, profile: str, task: str, run_id: str) -> None:
    """Write that a run's task succeeded: what other runs began of the same date is done with it."""
    cursor.execute(_DONE, {"profile": profile, "task": task, "run_id": run_id})


def take_overdue(cursor: Cursor, profile: str, now: datetime.datetime, *, topic: str) -> list[Overdue]:
    """Return the tasks of a profile that began and were not over in time, and forget them; one run of each task.

    :param topic: of the register of alerts. A task that waits there to be told is left to the next call.
    """
    cursor.execute(statement("take_overdue"), {"profile": profile, "now": now, "topic": topic})
    return [Overdue(*row) for row in cursor.fetchall()]
