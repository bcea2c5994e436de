"""Events into the store: each once, in sets; other contents of one as revisions; bad rows into quarantine."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psycopg2

from include.status_store.parsing import Event, Rejected
from include.status_store.redaction import Redaction
from include.status_store.session import may_pass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.status_store.journal import Kind
    from include.status_store.parsing import ParsedPage

_INSERT = Path(__file__).with_name("insert_events.sql").read_text(encoding="utf-8")
_REVISE = Path(__file__).with_name("revise_events.sql").read_text(encoding="utf-8")
_MARK_DRAINED = Path(__file__).with_name("mark_drained.sql").read_text(encoding="utf-8")
_DIFFERING = """
SELECT held.statusid, held.erased_at IS NOT NULL
FROM unnest(%(ids)s::text[], %(hashes)s::text[]) AS shown (statusid, sha256)
JOIN ropo.status_event AS held ON held.profile = %(profile)s AND held.statusid = shown.statusid
WHERE held.content_sha256 <> decode(shown.sha256, 'hex')
ORDER BY held.statusid
FOR UPDATE OF held
"""
_QUARANTINE = """
INSERT INTO ropo.status_quarantine (profile, poll_id, ordinal, raw, sha256, error, first_seen_at, last_seen_at)
SELECT %(profile)s, %(poll_id)s, ordinal, raw, sha256, error, now(), now()
FROM unnest(%(ordinals)s::integer[], %(raws)s::bytea[], %(hashes)s::bytea[], %(errors)s::text[])
    AS bad (ordinal, raw, sha256, error)
ORDER BY sha256
ON CONFLICT (profile, sha256) DO UPDATE
SET last_seen_at = excluded.last_seen_at, times_seen = status_quarantine.times_seen + 1
"""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer's rows came to.

    :param new: events that the store did not have.
    :param revised: events that it had with other content.
    :param quarantined: rows that are no events.
    """

    new: int = 0
    revised: int = 0
    quarantined: int = 0

    def __add__(self, other: Stored) -> Stored:
        return Stored(
            new=self.new + other.new,
            revised=self.revised + other.revised,
            quarantined=self.quarantined + other.quarantined,
        )


def store_rows(cursor: Cursor, parsed: ParsedPage, *, profile: str, poll_id: int, kind: Kind) -> Stored:
    """Store an answer's rows in the transaction of ``cursor``.

    :param kind: of the poll that brought them, which becomes a new event's ``source``.
    """
    stored = Stored()
    refused: list[Rejected] = []
    for events in _rounds(parsed.events):
        values = {"profile": profile, "poll_id": poll_id, "source": kind}
        new, taken = _insert(cursor, events, values, refused)
        # Where every event was new, none can be held with other content.
        revised = _revise(cursor, taken, values) if new < len(taken) else 0
        if kind == "drain" and new < len(taken):
            cursor.execute(_MARK_DRAINED, {**values, "ids": [event.statusid for event in taken]})
        stored += Stored(new=new, revised=revised)
    rejected = [*parsed.rejected, *refused]
    _quarantine(cursor, rejected, profile, poll_id)
    return stored + Stored(quarantined=len(rejected))


def _rounds(events: Sequence[Event]) -> list[list[Event]]:
    """Split an answer that shows a statusid several times: each round shows it once, in the answer's order."""
    rounds: list[list[Event]] = []
    times_seen: dict[str, int] = {}
    for event in events:
        times = times_seen[event.statusid] = times_seen.get(event.statusid, -1) + 1
        if times == len(rounds):
            rounds.append([])
        rounds[times].append(event)
    return rounds


def _insert(
    cursor: Cursor, events: list[Event], values: dict[str, object], refused: list[Rejected]
) -> tuple[int, list[Event]]:
    """Insert what is not held yet, halving around values that PostgreSQL refuses until each such row stands alone.

    The parser lets no such row through that we know of; one that we do not know of must not take the others with it.

    :return: how many were new, and the events that PostgreSQL took or holds.
    """
    cursor.execute("SAVEPOINT rows")
    try:
        cursor.execute(_INSERT, {**values, "events": msgspec.json.encode(events).decode()})
    except psycopg2.Error as error:
        if may_pass(error):
            raise
        cursor.execute("ROLLBACK TO SAVEPOINT rows")
        if len(events) == 1:
            reason = f"row: PostgreSQL refuses it ({type(error).__name__}, SQLSTATE {error.pgcode})"
            refused.append(Rejected(ordinal=events[0].ordinal, raw=bytes(events[0].raw), error=reason))
            return 0, []
        middle = len(events) // 2
        new, taken = _insert(cursor, events[:middle], values, refused)
        more_new, more_taken = _insert(cursor, events[middle:], values, refused)
        return new + more_new, taken + more_taken
    new = cursor.rowcount
    cursor.execute("RELEASE SAVEPOINT rows")
    return new, events


def _revise(cursor: Cursor, events: Sequence[Event], values: dict[str, object]) -> int:
    shown = {
        "profile": values["profile"],
        "ids": [event.statusid for event in events],
        "hashes": [event.content_sha256 for event in events],
    }
    cursor.execute(_DIFFERING, shown)
    differing = dict(cursor.fetchall())
    if differing:
        # What was erased stays erased, whatever the row says now.
        changed = [
            Redaction().event(event) if differing[event.statusid] else event
            for event in events
            if event.statusid in differing
        ]
        cursor.execute(_REVISE, {**values, "events": msgspec.json.encode(changed).decode()})
    return len(differing)


def _quarantine(cursor: Cursor, rejected: Sequence[Rejected], profile: str, poll_id: int) -> None:
    by_hash = {hashlib.sha256(row.raw).digest(): row for row in rejected}
    if not by_hash:
        return
    rows = list(by_hash.values())
    values = {
        "profile": profile,
        "poll_id": poll_id,
        "ordinals": [row.ordinal for row in rows],
        "raws": [psycopg2.Binary(row.raw) for row in rows],
        "hashes": [psycopg2.Binary(digest) for digest in by_hash],
        "errors": [row.error for row in rows],
    }
    cursor.execute(_QUARANTINE, values)
