"""Marking a span of time as in doubt: what a store that was restored from a backup no longer has."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.status_store.required import required_text
from include.status_store.rows import only_row

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

# A drain poll in doubt like any other, so that the same recovery, verdicts and alerts hold for it. It is opened when it
# is marked, because the journal says what happened when; its window is that of the span. What was drained in the span
# had waited since the newest 204 before it, as for any poll (journal.py).
_MARK = """
INSERT INTO ropo.status_poll (
    profile, kind, outcome, opened_at, closed_at, error, window_from, window_to, bounded, recovery
)
SELECT
    %(profile)s, 'drain', 'in_doubt', clock_timestamp(), clock_timestamp(), %(error)s,
    least(
        %(first)s::date - %(late_days)s,
        CASE
            WHEN newest_204 IS NULL THEN %(start_date)s
            ELSE (newest_204 AT TIME ZONE %(zone)s)::date - %(late_days)s
        END
    ),
    %(window_to)s, newest_204 IS NULL, 'pending'
FROM (
    SELECT (
        SELECT opened_at
        FROM ropo.status_poll
        WHERE profile = %(profile)s AND kind = 'drain' AND outcome = 'empty' AND opened_at <= %(start)s
        ORDER BY poll_id DESC
        LIMIT 1
    ) AS newest_204
) AS known
RETURNING poll_id
"""


def parse_moment(text: str, profile: Profile) -> datetime.datetime:
    """Return the aware moment of an ISO text; one without an offset is the market's wall clock, a date its midnight.

    :raises ValueError: if it is another form.
    """
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        expected = "expected a moment such as 2026-11-20T14:30 or 2026-11-20T14:30+02:00"
        raise ValueError(f"{expected}, got {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=profile.zone)


def mark_in_doubt(
    cursor: Cursor,
    profile: Profile,
    start: datetime.datetime,
    end: datetime.datetime,
    *,
    by: str,
    note: str,
) -> int:
    """Put in doubt all that was drained in a span of time; the next run of the drain DAG re-reads its dates.

    The window begins ``late_days`` before the newest 204 that came before the span, since what waited then may have
    been drained in it, or before the span's first business date where that is earlier. Before any 204 it begins at
    ``start_date`` and is marked ``bounded``. It ends on the day after the span's last date, as a doubtful poll's does.

    :param start: aware; of a store that was restored, the moment of the backup. ``end``: that of the restoring.
    :param by: who marks it; ``note``: why. Both are kept with it.
    :return: the id of the poll in doubt, which lists, recovery and acceptance name.
    :raises ValueError: for a span that ends before it starts, lies ahead or begins before the profile's ``start_date``,
        or an empty note or name.
    """
    if end < start:
        raise ValueError(f"--to: expected a moment after --from, got {start.isoformat()} to {end.isoformat()}")
    if end > datetime.datetime.now(datetime.UTC):
        raise ValueError(f"--to: expected a moment that is past, got {end.isoformat()}: nothing is drained yet of then")
    if profile.business_date(start) < profile.start_date:
        raise ValueError(
            f"--from: expected a moment from profile {profile.name}'s start_date {profile.start_date} on, got "
            f"{start.isoformat()}: what was sent before is out of scope"
        )
    by, note = required_text("by", by), required_text("note", note)
    span = f"{start.astimezone(profile.zone).isoformat()} to {end.astimezone(profile.zone).isoformat()}"
    values = {
        "profile": profile.name,
        "error": f"marked in doubt by {by}, {span}: {note}",
        "start": start,
        "first": profile.business_date(start),
        "late_days": profile.late_days,
        "start_date": profile.start_date,
        "zone": profile.timezone,
        "window_to": profile.business_date(end) + datetime.timedelta(days=1),
    }
    cursor.execute(_MARK, values)
    return int(only_row(cursor)[0])
