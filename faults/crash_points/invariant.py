"""What must be true after a schedule, whatever was stopped where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faults.crash_points.stops import has_late_request
from faults.truth import compare, lost_pages, rows, wrong_windows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg2.extensions import connection as Connection

    from faults.crash_points.stops import Schedule
    from include.simulator.rows import Row
    from include.simulator.truth import PollRecord, Truth

_JOURNAL = """
SELECT
    poll_id, kind, outcome, opened_at,
    -- Judged by another consumer, while the process that opened it had lost its lock and not come to send it yet.
    CASE WHEN outcome = 'in_doubt' AND error LIKE 'the process that sent it%%' THEN NULL ELSE closed_at END
FROM ropo.status_poll WHERE profile = %s ORDER BY poll_id
"""
# Re-reads that no date of a doubt is ticked off by.
_IN_VAIN = """
SELECT count(*) FROM ropo.status_poll AS poll
WHERE poll.profile = %s AND poll.kind = 'date'
  AND NOT EXISTS (SELECT FROM ropo.status_poll_window_date AS ticked WHERE ticked.reread_poll_id = poll.poll_id)
"""
_LOCKS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

# Dates of a doubt: the day before, today, tomorrow.
WINDOW = 3


def broken(
    store: Connection, profile: str, added: Sequence[Row], truth: Truth, schedule: Schedule, runs: int
) -> Iterator[str]:
    """Say what is wrong.

    :param added: every row that was ever in the queue.
    :param truth: the server's record of this schedule alone.
    :param runs: how many runs there were.
    """
    yield from compare(store, profile, added).wrong()
    lost = lost_pages(store, profile, truth.polls)
    yield from wrong_windows(lost)
    journal = rows(store, _JOURNAL, profile)
    yield from _unannounced(truth.polls, journal)
    if (doubts := len(lost.doubts)) > len(schedule):
        yield f"{doubts} doubts, and only {len(schedule)} stops"
    # A re-read takes no lock, so that one which is open may be under way: it is judged after an hour.
    if left := [poll_id for poll_id, kind, outcome, *_ in journal if outcome == "open" and kind == "drain"]:
        yield f"polls {left} are open still"
    ((locks,),) = rows(store, _LOCKS)
    if locks:
        yield f"{locks} locks are held still"
    yield from _needless(store, profile, truth, schedule, runs)


def _unannounced(polls: Sequence[PollRecord], journal: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """Look whether each request had a journal row of its own, committed before it came and not closed before."""
    for kind in ("drain", "date"):
        rows_left = [(opened, closed) for _, of_kind, _, opened, closed in journal if of_kind == kind]
        for poll in (poll for poll in polls if poll.kind == kind):
            at = poll.received_at
            fitting = [row for row in rows_left if row[0] <= at <= (row[1] or at)]
            if fitting:
                rows_left.remove(min(fitting, key=lambda row: (row[1] is None, row[1])))
            else:
                yield f"a {kind} poll reached the server without a journal row of its own"


def _needless(store: Connection, profile: str, truth: Truth, schedule: Schedule, runs: int) -> Iterator[str]:
    """Look for what was asked without need."""
    empty = sum(poll.kind == "drain" and not poll.rows for poll in truth.polls)
    if empty > runs:
        yield f"the empty queue was asked {empty} times in {runs} runs"
    if truth.token_requests > 2 * runs:
        yield f"{truth.token_requests} tokens in {runs} runs of two tasks"
    ((in_vain,),) = rows(store, _IN_VAIN, profile)
    # A stop may cost the re-read that it strikes; two recoveries at once may ask the same dates, and so does the last
    # re-read that a late request takes.
    at_once = sum("second" in stop.action.parts for stop in schedule) + has_late_request(schedule)
    if in_vain > len(schedule) + WINDOW * at_once:
        yield f"{in_vain} re-reads that nothing needed"
