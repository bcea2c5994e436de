"""Events into the store: each once, in sets; other contents of one as revisions; bad rows into quarantine."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import psycopg2

from include.status_store.batches import COLUMNS, COPY, Batches
from include.status_store.copying import as_lines, copy_lines
from include.status_store.event import Events, Rejected, Stored
from include.status_store.event_days import note_days, note_moved
from include.status_store.redaction import Redaction
from include.status_store.session import is_of_a_value, may_pass
from include.status_store.statements import statement
from include.status_store.texts import withhold_from_rows

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.batches import Batch
    from include.status_store.journal import Kind

# What `_around_refused` goes back to.
_SAVEPOINT = "SAVEPOINT rows"
_BACK = "ROLLBACK TO SAVEPOINT rows"
_DIFFERING = """
SELECT held.statusid, held.erased_at IS NOT NULL
FROM json_each_text(%(shown)s::json) AS shown (statusid, sha256)
JOIN ropo.status_event AS held ON held.profile = %(profile)s AND held.statusid = shown.statusid
WHERE ropo.content_sha256(held) <> decode(shown.sha256, 'hex')
ORDER BY held.statusid
FOR UPDATE OF held
"""
_REVISIONS = """
SELECT statusid, encode(content_sha256, 'hex')
FROM ropo.status_event_revision
WHERE profile = %(profile)s AND statusid = ANY (%(ids)s)
"""
# What holds free texts goes over by COPY: PostgreSQL writes a statement that fails, as it was sent, to its log.
_INCOMING_EVENTS = "CREATE TEMP TABLE incoming_event (LIKE ropo.status_event INCLUDING DEFAULTS) ON COMMIT DROP"
_COPY_INCOMING = f"COPY pg_temp.incoming_event ({COLUMNS}) FROM STDIN"
_BAD_ROWS = """
CREATE TEMP TABLE bad_row (ordinal integer, sha256 bytea, equal_rows integer, error text, raw bytea) ON COMMIT DROP
"""
_COPY_BAD = "COPY pg_temp.bad_row FROM STDIN"
_QUARANTINE = """
INSERT INTO ropo.status_quarantine (
    profile, poll_id, drained_poll_id, ordinal, raw, sha256, error, equal_rows, first_seen_at, last_seen_at
)
SELECT
    %(profile)s, %(poll_id)s, %(drained_poll_id)s::bigint, ordinal, raw, sha256, error, equal_rows, now(), now()
FROM pg_temp.bad_row
ORDER BY sha256
ON CONFLICT (profile, sha256) DO UPDATE
SET last_seen_at = excluded.last_seen_at, times_seen = status_quarantine.times_seen + 1,
    equal_rows = greatest(status_quarantine.equal_rows, excluded.equal_rows),
    -- One that came before its texts were erased.
    raw = CASE
        WHEN status_quarantine.erased_at IS NULL AND sha256(excluded.raw) <> excluded.sha256 THEN excluded.raw
        ELSE status_quarantine.raw
    END,
    drained_poll_id = coalesce(status_quarantine.drained_poll_id, excluded.drained_poll_id);

DROP TABLE pg_temp.bad_row
"""


def store_events(
    cursor: Cursor,
    batches: Iterable[Batch],
    rejected: Iterable[Rejected],
    *,
    profile: Profile,
    poll_id: int,
    kind: Kind,
) -> Stored:
    """Store an answer's events and what it had beside them, in the transaction of ``cursor``.

    :param batches: all of its events (:class:`include.status_store.batches.Batches`).
    :param rejected: its rows that are none.
    :param kind: of the poll that brought them, which becomes a new event's ``source``.
    :raises ConfigurationError: if an event whose texts are erased has other content now, or a form that cannot be
        read, and the status map, which says what words of a payment are no free texts, cannot be read.
    """
    stored = Stored()
    refused: list[Rejected] = []
    storing = _Storing(cursor, profile=profile, poll_id=poll_id, kind=kind, refused=refused)
    for batch in batches:
        stored += storing.store(batch)
    note_days(cursor, profile.name, storing.days)
    note_moved(cursor, profile.name, storing.moved)
    rejected = [*rejected, *refused]
    _quarantine(cursor, rejected, profile, poll_id, kind)
    return stored + Stored(quarantined=len(rejected))


def store_new_events(cursor: Cursor, batches: Iterable[Batch]) -> Stored:
    """Store events of which each is taken to be new, without a savepoint to go back to; their days are not noted yet.

    :raises psycopg2.Error: if one is not, or the store does not take one; its context may quote a row, but for
        errors that may pass.
    """
    new = 0
    try:
        for batch in batches:
            copy_lines(cursor, COPY, batch.lines)
            new += len(batch.events)
    except psycopg2.Error as error:
        # Told by its code, which the error without rows has no more.
        if may_pass(error):
            raise _without_rows(error) from None
        raise
    return Stored(new=new)


def mark_drained(cursor: Cursor, profile: str, poll_id: int, statusids: Sequence[str]) -> None:
    """Write on held events that a drain's poll showed them, where another poll brought them first."""
    cursor.execute(statement("mark_drained"), {"profile": profile, "poll_id": poll_id, "ids": [*statusids]})


class _Storing:
    """Stores one batch after the other.

    :param refused: rows that PostgreSQL does not take are added to it.
    :ivar days: on which the events are dated that were stored as new; ``moved``: those on which others are dated now,
        each with when they were stored.
    """

    def __init__(self, cursor: Cursor, *, profile: Profile, poll_id: int, kind: Kind, refused: list[Rejected]) -> None:
        self._cursor = cursor
        self._profile = profile
        self._poll_id = poll_id
        self._values = {"profile": profile.name, "poll_id": poll_id}
        self._batches = Batches(Events(), profile=profile.name, kind=kind, poll_id=poll_id)
        self._is_drain = kind == "drain"
        self._refused = refused
        self.days: set[str] = set()
        self.moved: set[tuple[datetime.date, datetime.datetime]] = set()

    def store(self, batch: Batch) -> Stored:
        held: dict[str, bool] = {}
        new = self._around_refused(batch, lambda some: self._add(some, held))
        if not held:
            return Stored(new=new)
        others = {statusid for statusid, is_other in held.items() if is_other}
        others -= self._superseded_before(batch, held)
        revised = self._around_refused(self._some(batch, others.__contains__), self._revise) if others else 0
        if self._is_drain:
            mark_drained(self._cursor, self._profile.name, self._poll_id, [*held])
        return Stored(new=new, revised=revised)

    def _add(self, batch: Batch, held: dict[str, bool]) -> int:
        """Copy what is not held yet.

        :param held: what is, and whether with other content, is added to it.
        :return: how many were new.
        """
        new = self._not_held(batch, held)
        while new.events:
            try:
                copy_lines(self._cursor, COPY, new.lines)
            except psycopg2.errors.UniqueViolation:
                # Another session committed some of them since.
                self._cursor.execute(_BACK)
                new = self._not_held(batch, held)
            else:
                self.days |= new.days
                break
        return len(new.events)

    def _not_held(self, batch: Batch, held: dict[str, bool]) -> Batch:
        shown = batch.contents
        self._cursor.execute(statement("held_events"), {**self._values, "ids": msgspec.json.encode([*shown]).decode()})
        held.update((statusid, sha256 != shown[statusid]) for statusid, sha256 in self._cursor.fetchall())
        return self._some(batch, lambda statusid: statusid not in held)

    def _superseded_before(self, batch: Batch, held: dict[str, bool]) -> set[str]:
        """Return the events whose content the answer itself replaces further down, and was kept as a revision before.

        An answer that shows several contents of an event changes nothing when it is shown again.
        """
        ids = [statusid for statusid in batch.superseded if held.get(statusid)]
        if not ids:
            return set()
        shown = batch.contents
        self._cursor.execute(_REVISIONS, {**self._values, "ids": ids})
        return {statusid for statusid, sha256 in self._cursor.fetchall() if sha256 == shown.get(statusid)}

    def _some(self, batch: Batch, wanted: Callable[[str], bool]) -> Batch:
        """Return the events of a batch whose statusid is wanted."""
        statusids = batch.events.statusids
        places = [place for place, statusid in enumerate(statusids) if wanted(statusid)]
        return batch if len(places) == len(statusids) else self._batches.batch(batch.events.pick(places))

    def _revise(self, batch: Batch) -> int:
        values = {**self._values, "shown": msgspec.json.encode(batch.contents).decode()}
        self._cursor.execute(_DIFFERING, values)
        differing = dict(self._cursor.fetchall())
        changed = self._some(batch, differing.__contains__)
        if any(differing.values()):
            # What was erased stays erased, whatever the row says now.
            redaction = Redaction.of(self._profile)
            left = (redaction.event(event) if differing[event.statusid] else event for event in changed.events)
            changed = self._batches.batch(Events.of(left))
        if changed.events:
            self._cursor.execute(_INCOMING_EVENTS)
            copy_lines(self._cursor, _COPY_INCOMING, changed.lines)
            self._cursor.execute(statement("revise_events"), values)
            self.moved.update(self._cursor.fetchall())
            self._cursor.execute("DROP TABLE pg_temp.incoming_event")
        return len(changed.events)

    def _around_refused(self, batch: Batch, work: Callable[[Batch], int]) -> int:
        """Do ``work`` on a batch, halving around values that PostgreSQL refuses until each such row stands alone.

        The parser lets no such row through that we know of; one that we do not know of must not take the others along.

        :return: what ``work`` returned for those that were not refused, added up.
        :raises psycopg2.Error: if it is not a value that is refused, but the statement, as where a right is lacking.
        """
        events = batch.events
        if not events:
            return 0
        self._cursor.execute(_SAVEPOINT)
        try:
            return work(batch)
        except psycopg2.Error as error:
            if not is_of_a_value(error):
                raise _without_rows(error) from None
            self._cursor.execute(_BACK)
            if len(events) == 1:
                reason = f"row: PostgreSQL refuses it ({type(error).__name__}, SQLSTATE {error.pgcode})"
                self._refused.append(Rejected(ordinal=events[0].ordinal, raw=bytes(events[0].raw), error=reason))
                return 0
            middle = len(events) // 2
            halves = (self._batches.batch(half) for half in (events[:middle], events[middle:]))
            return sum(self._around_refused(half, work) for half in halves)


def _without_rows(error: psycopg2.Error) -> psycopg2.Error:
    """Return an error without PostgreSQL's context, which may quote a row."""
    return type(error)(error.diag.message_primary or "the connection was lost")


def _quarantine(cursor: Cursor, rejected: Sequence[Rejected], profile: Profile, poll_id: int, kind: Kind) -> None:
    hashes = [hashlib.sha256(row.raw).digest() for row in rejected]
    by_hash = dict(zip(hashes, rejected, strict=True))
    if not by_hash:
        return
    rows = list(by_hash.values())
    equal_rows = Counter(hashes)
    raws = withhold_from_rows(cursor, profile, [row.raw for row in rows])
    columns: list[list[object]] = [
        [row.ordinal for row in rows],
        [f"\\x{digest.hex()}" for digest in by_hash],
        [equal_rows[digest] for digest in by_hash],
        [row.error for row in rows],
        [f"\\x{raw.hex()}" for raw in raws],
    ]
    cursor.execute(_BAD_ROWS)
    copy_lines(cursor, _COPY_BAD, as_lines(columns))
    values = {"profile": profile.name, "poll_id": poll_id, "drained_poll_id": poll_id if kind == "drain" else None}
    cursor.execute(_QUARANTINE, values)
