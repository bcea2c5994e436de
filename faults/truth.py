"""Whether a store tells the truth: what the server handed out, once, with every loss window on record.

The server's own record (:class:`include.simulator.truth.Truth`) is compared with the journal and the events. Each
function returns what is wrong in words, and nothing where all is right.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from include.simulator.effects import status_page

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Iterator

    from psycopg2.extensions import connection as Connection

    from include.simulator.rows import Row
    from include.simulator.truth import PollRecord

_HELD = """
SELECT statusid, jobid, billnum, statustype, statustime::text, statuscode, statusref, statustext, paydate::text,
    amount::text
FROM ropo.status_event WHERE profile = %s
"""
# Every event was counted as new by exactly one poll.
_COUNTED = """
SELECT coalesce(sum(new_count), 0), (SELECT count(*) FROM ropo.status_event WHERE profile = %s),
    (SELECT count(*) FROM ropo.status_event_revision WHERE profile = %s)
FROM ropo.status_poll WHERE profile = %s
"""
# What a comparison of a date would not see.
_UNDATED = """
SELECT count(*) FROM ropo.status_event AS event
WHERE profile = %s AND NOT EXISTS (
    SELECT FROM ropo.event_by_day AS found
    WHERE found.profile = event.profile AND found.day = event.statustime::date AND found.statusid = event.statusid
)
"""
# A re-read may have brought the same changes, so that nothing is lost: their page waits all the same.
_UNSTORED = """
SELECT count(*) FROM ropo.status_page AS page JOIN ropo.status_poll AS poll USING (poll_id)
WHERE poll.profile = %s AND page.complete AND page.parsed_at IS NULL
"""
_LANDED = """
SELECT page.sha256 FROM ropo.status_page AS page JOIN ropo.status_poll AS poll USING (poll_id)
WHERE poll.profile = %s AND poll.kind = 'drain' AND poll.outcome = 'landed'
"""
_DOUBTS = """
SELECT window_from, window_to, recovery FROM ropo.status_poll WHERE profile = %s AND recovery IS NOT NULL
"""


@dataclass(frozen=True)
class Lost:
    """What a drain did not bring: pages that the server handed out and that did not land.

    :param pages: the rows of each.
    :param doubts: the journal's windows: from, to, what became of it.
    """

    pages: list[list[Row]]
    doubts: list[tuple[datetime.date, datetime.date, str]]


def fields(row: Row) -> tuple[Any, ...]:
    """A row as the store holds it."""
    values = {name: "" if value is None else str(value).strip() for name, value in row.items()}
    optional = ("jobid", "billnum", "paydate", "amount")
    order = (
        "statusid", "jobid", "billnum", "statustype", "statustime", "statuscode", "statusref", "statustext", "paydate",
        "amount",
    )  # fmt: skip
    return tuple(values[name] or (None if name in optional else "") for name in order)


def rows(store: Connection, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """All rows of a SELECT."""
    with store.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


@dataclass(frozen=True)
class Difference:
    """How a profile's events differ from the rows that ever were in its queue, in counts of rows.

    :param lost: not held; ``more``: held, and never in the queue.
    :param counted: as new by the polls: each event is, by exactly one of them.
    :param revised: said to have changed, which none does here.
    :param undated: held, and not found by their day.
    :param unstored: pages that landed, and of which no drain has taken up the events.
    """

    held: int
    lost: int
    more: int
    counted: int
    revised: int
    undated: int
    unstored: int

    def wrong(self) -> Iterator[str]:
        """In words."""
        if self.lost:
            yield f"{self.lost} rows lost"
        if self.more:
            yield f"{self.more} events that were never handed out"
        if self.counted != self.held:
            yield f"{self.held} events, and {self.counted} counted as new: counted twice or never"
        if self.revised:
            yield f"{self.revised} events are said to have changed"
        if self.undated:
            yield f"{self.undated} events are not found by their day"
        if self.unstored:
            yield f"{self.unstored} pages landed, and their events are not stored"


def compare(store: Connection, profile: str, added: Iterable[Row]) -> Difference:
    """Compare the events with the rows that ever were in the queue, all of which were handed out."""
    held = Counter(rows(store, _HELD, profile))
    expected = Counter(set(map(fields, added)))
    ((counted, count, revised),) = rows(store, _COUNTED, profile, profile, profile)
    ((undated,),) = rows(store, _UNDATED, profile)
    ((unstored,),) = rows(store, _UNSTORED, profile)
    lost, more = (expected - held).total(), (held - expected).total()
    return Difference(count, lost, more, int(counted), revised, undated, unstored)


def lost_pages(store: Connection, profile: str, polls: Iterable[PollRecord]) -> Lost:
    """Find what the drain polls of one queue handed out in vain.

    :param polls: the server's record of that queue.
    """
    landed = {bytes(digest) for (digest,) in rows(store, _LANDED, profile)}
    pages = [
        poll.rows
        for poll in polls
        if poll.kind == "drain" and poll.consumed and poll.rows and _digest(poll) not in landed
    ]
    return Lost(pages, rows(store, _DOUBTS, profile))


def _digest(poll: PollRecord) -> bytes:
    return hashlib.sha256(status_page(poll.rows).body).digest()


def wrong_windows(lost: Lost) -> Iterator[str]:
    """Look whether every page lost has a doubt of its own, with a window that holds its rows and was recovered."""
    if len(lost.pages) > len(lost.doubts):
        yield f"{len(lost.pages)} pages lost, and only {len(lost.doubts)} doubts on record"
    for page in lost.pages:
        days = {str(row["statustime"])[:10] for row in page}
        if not any(all(str(first) <= day <= str(last) for day in days) for first, last, _ in lost.doubts):
            yield f"a page of {min(days)} to {max(days)} was lost, and no recorded window holds it"
    if unsettled := [state for _, _, state in lost.doubts if state != "recovered"]:
        yield f"{len(unsettled)} doubts are {', '.join(sorted(set(unsettled)))}"
