"""The free texts of rows in the store's tables: erased there, and withheld from pages that show erased rows again.

Every function works in the caller's transaction.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from include.status_store.lock_key import lock_key
from include.status_store.page_body import GZIP, pack
from include.status_store.redaction import Redaction
from include.status_store.row_names import row_names
from include.status_store.statements import statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from zoneinfo import ZoneInfo

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.event import Event, ParsedPage, Stored
    from include.status_store.page_body import HeldPage

    Due = Callable[[Event | None, bytes], bool]
    # statusid, statustype, statustext, raw
    HeldEvent = tuple[str, str, str, str]

_REVISIONS = """
SELECT statusid, revision, raw::text
FROM ropo.status_event_revision
WHERE profile = %s AND statusid = ANY (%s)
"""
_REVISE = """
UPDATE ropo.status_event_revision AS held SET raw = redacted.raw
FROM json_to_recordset(%s::json) AS redacted (statusid text, revision integer, raw json)
WHERE held.profile = %s AND held.statusid = redacted.statusid AND held.revision = redacted.revision
"""
_REDACT_PAGE = """
UPDATE ropo.status_page
SET size = coalesce(size, octet_length(body)), body = %s, body_encoding = %s, has_texts = has_texts AND NOT %s,
    redacted_at = clock_timestamp()
WHERE poll_id = %s
"""
_REMOVE_PAGE = """
UPDATE ropo.status_page
SET size = coalesce(size, octet_length(body)), body = NULL, has_texts = false, removed_at = clock_timestamp()
WHERE poll_id = %s
"""
_ERASED_EVENTS = """
SELECT statusid FROM ropo.status_event WHERE profile = %s AND statusid = ANY (%s) AND erased_at IS NOT NULL
"""
# Kept without its texts, or not at all: the hash is that of the row as it came.
_ERASED_ROWS = """
SELECT sha256 FROM ropo.status_quarantine WHERE profile = %s AND sha256 = ANY (%s) AND sha256(raw) <> sha256
"""
# Nobody else sees a page, and what it shows again, before its commit. Until then its session holds this lock together
# with others that store pages; an erasure has it alone: it finds the page, or the page finds what it has erased.
BESIDE_ERASURES = "SELECT pg_advisory_xact_lock_shared(%(erasures)s); "
_MAY_REPEAT_ERASED = """
SELECT EXISTS (SELECT FROM ropo.text_erasure WHERE profile = %(profile)s)
   AND EXISTS (SELECT FROM ropo.status_poll WHERE poll_id = %(poll_id)s AND kind <> 'drain')
"""


def erasures_key(profile: str) -> int:
    """Return the key of the lock of a profile's erasures (:data:`BESIDE_ERASURES`)."""
    return lock_key("erasures", profile)


def wait_for_pages(cursor: Cursor, profile: str) -> None:
    """Wait until each page that is being stored is there to be seen; no other one is stored until the transaction ends.

    :param cursor: in a transaction that has locked nothing yet.
    """
    cursor.execute("SELECT pg_advisory_xact_lock(%s)", (erasures_key(profile),))


def erase_events(cursor: Cursor, redaction: Redaction, profile: str, events: Sequence[HeldEvent]) -> int:
    """Erase the texts of events and of their revisions.

    :return: how many revisions there were.
    """
    left = [
        {"statusid": statusid, "statustext": redaction.text(kind, text), "raw": _redacted(redaction, raw)}
        for statusid, kind, text, raw in events
    ]
    cursor.execute(statement("erase_events"), {"profile": profile, "events": _json(left)})
    cursor.execute(_REVISIONS, (profile, [statusid for statusid, *_ in events]))
    revisions = [
        {"statusid": statusid, "revision": revision, "raw": _redacted(redaction, raw)}
        for statusid, revision, raw in cursor.fetchall()
    ]
    if revisions:
        cursor.execute(_REVISE, (_json(revisions), profile))
    return len(revisions)


def erase_pages(
    cursor: Cursor, redaction: Redaction, zone: ZoneInfo, pages: Iterable[HeldPage], due: Due | None = None
) -> int:
    """Erase the texts of rows in raw answers. What came of a broken answer goes whole: nobody can tell its rows apart.

    :param due: tells the rows that are due (see :meth:`Redaction.body`); by default every row is.
    :return: in how many answers there was something to erase.
    """
    erased = 0
    for poll_id, body, complete in pages:
        if not complete:
            cursor.execute(_REMOVE_PAGE, (poll_id,))
            erased += 1
            continue
        left = redaction.body(body, zone, due or _every_row)
        if left is not None:
            cursor.execute(_REDACT_PAGE, (pack(left), GZIP, due is None, poll_id))
            erased += 1
        elif due is None:
            cursor.execute("UPDATE ropo.status_page SET has_texts = false WHERE poll_id = %s", (poll_id,))
    return erased


def withhold_from_rows(cursor: Cursor, profile: Profile, raws: Sequence[bytes]) -> Sequence[bytes]:
    """Erase, from rows that are no events, the texts of those that are of an event or an invoice erased before.

    :raises ConfigurationError: if there is one, and the status map cannot be read.
    """
    names = [*map(row_names, raws)]
    values = {
        "profile": profile.name,
        "statusids": [each.statusid for each in names],
        "billnums": [each.billnum for each in names],
        "jobids": [each.jobid for each in names],
    }
    cursor.execute(statement("erased_before"), values)
    places = {place - 1 for (place,) in cursor.fetchall()}
    if not places:
        return raws
    redaction = Redaction.of(profile)
    return [redaction.rejected(raw) if place in places else raw for place, raw in enumerate(raws)]


def withhold_erased(
    cursor: Cursor, profile: Profile, parsed: ParsedPage, stored: Stored, *, poll_id: int, body: bytes
) -> None:
    """Erase, from an answer that was kept and parsed in this transaction, the texts of rows that were erased before.

    :param cursor: of a transaction that holds the lock of :data:`BESIDE_ERASURES`.
    :param stored: what its rows came to; where all were new there is nothing to look for.
    """
    if stored.new == len(parsed.events) and not stored.quarantined:
        return
    cursor.execute(_ERASED_EVENTS, (profile.name, parsed.events.statusids))
    statusids = {statusid for (statusid,) in cursor.fetchall()}
    rejected = [row.raw for row in parsed.rejected]
    if stored.quarantined > len(rejected):  # PostgreSQL refused some of the others
        *_, raws = parsed.events.columns
        rejected += raws
    cursor.execute(_ERASED_ROWS, (profile.name, [hashlib.sha256(raw).digest() for raw in rejected]))
    hashes = {bytes(digest) for (digest,) in cursor.fetchall()}
    if statusids or hashes:

        def due(event: Event | None, row: bytes) -> bool:
            return (event is not None and event.statusid in statusids) or hashlib.sha256(row).digest() in hashes

        erase_pages(cursor, Redaction.of(profile), profile.zone, [(poll_id, body, True)], due)


def withhold_broken(cursor: Cursor, profile: str, poll_id: int) -> None:
    """Let go of what came of a broken answer that may have shown erased rows again.

    The queue hands a row over once; a poll by date or invoice number shows old ones, and can be repeated.
    """
    values = {"profile": profile, "poll_id": poll_id, "erasures": erasures_key(profile)}
    cursor.execute(BESIDE_ERASURES + _MAY_REPEAT_ERASED, values)
    if cursor.fetchone() == (True,):
        cursor.execute(_REMOVE_PAGE, (poll_id,))


def _every_row(event: Event | None, row: bytes) -> bool:  # noqa: ARG001 - the shape of `due`
    return True


def _redacted(redaction: Redaction, raw: str) -> msgspec.Raw:
    return msgspec.Raw(redaction.raw(raw.encode()))


def _json(rows: list[dict[str, Any]]) -> str:
    return msgspec.json.encode(rows).decode()
