"""The journal of polls: a row before each request leaves, and what became of it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

from include.status_store.retry_after import keep_pause
from include.status_store.rows import only_row

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

Kind = Literal["drain", "date", "billnum"]
Outcome = Literal["open", "landed", "empty", "unsent", "refused", "in_doubt"]

# The newest by the order of polls, so that a clock that once ran ahead does not stay the newest for years; none that
# lies ahead, since nobody knows when it really was; and of the moment when it was asked, since what was recorded while
# its answer was under way it did not prove drained.
_NEWEST_204 = """
(
    SELECT opened_at FROM ropo.status_poll
    WHERE profile = %(profile)s AND kind = 'drain' AND outcome = 'empty' AND opened_at <= clock_timestamp()
    ORDER BY poll_id DESC
    LIMIT 1
)
"""
_OPEN = f"""
INSERT INTO ropo.status_poll (profile, kind, filter_value, window_from, bounded, dag_id, run_id)
SELECT %(profile)s, %(kind)s, %(filter_value)s,
    CASE
        WHEN %(kind)s <> 'drain' THEN NULL
        WHEN newest_204 IS NULL THEN least(%(start_date)s, (clock_timestamp() AT TIME ZONE %(zone)s)::date)
        ELSE (newest_204 AT TIME ZONE %(zone)s)::date - %(late_days)s
    END,
    %(kind)s = 'drain' AND newest_204 IS NULL,
    %(dag_id)s, %(run_id)s
FROM (SELECT {_NEWEST_204} AS newest_204) AS known
"""  # noqa: S608 - constants
# By the doubts, which are few: the newest one, and whether any poll after it has had an answer that is kept.
_ENDED_IN_DOUBT = """
SELECT doubt.poll_id IS NOT NULL AND NOT EXISTS (
    SELECT FROM ropo.status_poll AS later
    WHERE later.profile = %(profile)s AND later.kind = 'drain' AND later.poll_id > doubt.poll_id
      AND later.outcome IN ('landed', 'empty')
)
FROM (
    SELECT max(poll_id) AS poll_id FROM ropo.status_poll WHERE profile = %(profile)s AND recovery IS NOT NULL
) AS doubt
"""
# Longer than an answer may take to come and to be kept. A drain's poll that is open for longer is told to people as one
# that a dead process left; the next drain judges it at once, since it holds the queue's lock.
LEFT_OPEN_AFTER = datetime.timedelta(minutes=15)
# No lock says whether another poll's process lives, so that it is given up only when nobody can wait for it any more.
_GIVEN_UP = "interval '1 hour'"
_ASK_AGAIN = """
UPDATE ropo.status_poll_window_date
SET ticked_at = NULL, asked_at = '-infinity', reason = business_date || ': it was re-read while the poll was under way'
WHERE poll_id = %s
"""


class Journal:
    """The journal of one profile, written on behalf of one run.

    :param dag_id: and ``run_id``: of the Airflow run that polls, None outside one.
    """

    def __init__(self, profile: Profile, *, dag_id: str | None = None, run_id: str | None = None) -> None:
        self.profile = profile
        self._constants = {
            "profile": profile.name,
            "zone": profile.timezone,
            "late_days": profile.late_days,
            "start_date": profile.start_date,
            "dag_id": dag_id,
            "run_id": run_id,
        }

    def open(self, cursor: Cursor, kind: Kind, filter_value: str | None = None) -> int:
        """Write that a poll is about to be sent.

        A drain poll's window starts at the earlier of now and the newest 204, less ``late_days``: what that 204 proved
        drained cannot be lost by this poll. Before any 204 it starts at ``start_date`` (today, where that lies ahead)
        and is marked ``bounded``.

        :return: the poll's id.
        """
        cursor.execute(f"{_OPEN} RETURNING poll_id", {**self._constants, "kind": kind, "filter_value": filter_value})
        return int(only_row(cursor)[0])

    def open_next(self, cursor: Cursor, before: str, values: dict[str, object], condition: str) -> int | None:
        """Write that the next drain poll is about to be sent, in one round trip with what is written before it.

        :param before: a statement; ``condition``: an SQL expression: whether the next poll may be sent.
        :param values: the parameters of both, by names that the journal has not.
        :return: the poll's id; None where it may not.
        """
        cursor.execute(
            f"{before}; {_OPEN} WHERE {condition} RETURNING poll_id",
            {**self._constants, "kind": "drain", "filter_value": None, **values},
        )
        row = cursor.fetchone()
        return int(row[0]) if row else None

    def close(
        self,
        cursor: Cursor,
        poll_id: int,
        outcome: Outcome,
        *,
        http_status: int | None = None,
        error: str | None = None,
        go_on_after: float | None = None,
    ) -> None:
        """Write what became of a poll that brought no page; one that has its outcome keeps it.

        :param go_on_after: seconds for which Ropo One asks to be left alone, by any task.
        """
        cursor.execute(
            "UPDATE ropo.status_poll SET outcome = %s, http_status = %s, error = %s, closed_at = clock_timestamp() "
            "WHERE poll_id = %s AND outcome = 'open'",
            (outcome, http_status, error, poll_id),
        )
        self._leave_alone(cursor, go_on_after)

    def doubt(
        self,
        cursor: Cursor,
        poll_id: int,
        *,
        error: str,
        http_status: int | None = None,
        go_on_after: float | None = None,
    ) -> None:
        """Write that a poll may have taken a page with it; a drain poll's window ends the day after now.

        Another drain may have judged it while it was under way, and its dates may have been re-read before it took its
        page: they are asked again. So are those of a re-read that is under way now: the doubt is another one, by its
        ``closed_at``.

        :param go_on_after: as in :meth:`close`.
        """
        self._doubt(
            cursor, "poll_id = %(poll_id)s", "'open', 'in_doubt'", poll_id=poll_id, error=error, http_status=http_status
        )
        cursor.execute(_ASK_AGAIN, (poll_id,))
        self._leave_alone(cursor, go_on_after)

    def judge_abandoned(self, cursor: Cursor) -> int:
        """Put in doubt what earlier processes left open. The caller holds the queue's lock.

        :return: how many drain polls that were.
        """
        error = "the process that sent it ended without writing an outcome"
        drains = self._doubt(cursor, "profile = %(profile)s AND kind = 'drain'", error=error)
        self._doubt(
            cursor,
            f"profile = %(profile)s AND kind <> 'drain' AND opened_at < clock_timestamp() - {_GIVEN_UP}",
            error=error,
        )
        return drains

    def ended_in_doubt(self, cursor: Cursor) -> bool:
        """Tell whether the last drain poll that Ropo One may have answered is in doubt."""
        cursor.execute(_ENDED_IN_DOUBT, self._constants)
        return only_row(cursor) == (True,)

    def _leave_alone(self, cursor: Cursor, seconds: float | None) -> None:
        if seconds:
            keep_pause(cursor, self.profile.name, seconds)

    def _doubt(self, cursor: Cursor, which: str, outcomes: str = "'open'", **values: object) -> int:
        # The clock may have been put back since it was opened: the window never ends before it began. The newest 204 of
        # which anything is known does not lie ahead.
        cursor.execute(
            f"""
            UPDATE ropo.status_poll
            SET outcome = 'in_doubt', http_status = %(http_status)s, error = %(error)s, closed_at = clock_timestamp(),
                recovery = CASE WHEN kind = 'drain' THEN 'pending' END,
                recovery_reason = NULL, recovered_at = NULL,
                window_to = CASE WHEN kind = 'drain' THEN
                    (greatest(clock_timestamp(), opened_at) AT TIME ZONE %(zone)s)::date + 1 END
            WHERE outcome IN ({outcomes}) AND {which}
            """,  # noqa: S608 - constants
            {**self._constants, "http_status": None, **values},
        )
        return cursor.rowcount
