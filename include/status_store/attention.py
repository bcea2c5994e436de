"""What waits for a person: doubts that were not proven, and rows in quarantine. Each is settled with a note."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.status_store.required import required_text
from include.status_store.rows import structs
from include.status_store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor


class Doubt(msgspec.Struct, frozen=True):
    """A drain poll that may have lost a page, and how its recovery stands."""

    poll_id: int
    opened_at: datetime.datetime
    window_from: datetime.date
    window_to: datetime.date
    bounded: bool
    recovery: str
    error: str | None
    recovery_reason: str | None


class QuarantinedRow(msgspec.Struct, frozen=True):
    """A row that could not be taken as an event."""

    quarantine_id: int
    poll_id: int
    ordinal: int
    times_seen: int
    first_seen_at: datetime.datetime
    error: str
    raw: memoryview


class NothingToSettleError(LookupError):
    """No such doubt or row waits."""


# By how its recovery stands, or by what kind of poll it is, why one cannot be accepted.
_SETTLED = {
    None: "was never in doubt: nothing of it is to be accepted",
    "open": (
        "is under way, or was left open by a process that died: the next drain of its profile judges it before its "
        "first poll. Where no drain comes so far, its newest run says why"
    ),
    "reread": "is a re-read, which takes no acceptance: where it failed it is only asked again",
    "recovered": "is no doubt that waits: its dates were re-read, and shown whole",
    "accepted": "is no doubt that waits: it is accepted already",
    "pending": (
        "is no unproven doubt: it is pending, and still being re-read; where it cannot be, it is accepted with "
        "--not-asked"
    ),
    "unproven": "was being settled at this moment: try again",
}


def doubts(cursor: Cursor, profile: str) -> list[Doubt]:
    """Return a profile's doubts that are neither recovered nor accepted, oldest first."""
    cursor.execute(
        f"SELECT {', '.join(Doubt.__struct_fields__)} FROM ropo.status_poll "  # noqa: S608 - our own field names
        "WHERE profile = %s AND recovery IN ('pending', 'unproven') ORDER BY poll_id",
        (profile,),
    )
    return structs(cursor, Doubt)


def accept_doubt(
    cursor: Cursor, poll_id: int, *, by: str, note: str, profile: str | None = None, not_asked: bool = False
) -> None:
    """Accept that a doubt cannot be proven away; it keeps its reason, and no verdict waits for it any more.

    :param profile: whose it must be; by default of any.
    :param not_asked: take one that is still pending too, because it cannot be asked about or was marked by mistake; its
        reason then says how many of its dates were asked.
    :raises NothingToSettleError: if no such poll is unproven, or pending either.
    :raises ValueError: if the note or the name is empty.
    """
    by, note = required_text("by", by), required_text("note", note)
    values = {"poll_id": poll_id, "profile": profile, "by": by, "note": note, "not_asked": not_asked}
    cursor.execute(statement("accept_doubt"), values)
    if cursor.rowcount:
        return
    raise NothingToSettleError(_why_not(cursor, poll_id, profile))


def _why_not(cursor: Cursor, poll_id: int, profile: str | None) -> str:
    cursor.execute(
        "SELECT CASE WHEN kind <> 'drain' THEN 'reread' WHEN outcome = 'open' THEN 'open' ELSE recovery END "
        "FROM ropo.status_poll WHERE poll_id = %s AND profile = COALESCE(%s, profile)",
        (poll_id, profile),
    )
    found = cursor.fetchone()
    if found is None:
        return f"There is no poll {poll_id}{f' of profile {profile}' if profile else ''}"
    return f"Poll {poll_id} {_SETTLED[found[0]]}"


def quarantined_rows(cursor: Cursor, profile: str) -> list[QuarantinedRow]:
    """Return a profile's rows in quarantine, oldest first."""
    cursor.execute(
        f"SELECT {', '.join(QuarantinedRow.__struct_fields__)} FROM ropo.status_quarantine "  # noqa: S608 - our own names
        "WHERE profile = %s AND resolved_at IS NULL ORDER BY quarantine_id",
        (profile,),
    )
    return structs(cursor, QuarantinedRow)


def dismiss_row(cursor: Cursor, quarantine_id: int, *, by: str, note: str, profile: str | None = None) -> None:
    """Dismiss a quarantined row: a person has seen what it says, and no verdict waits for it any more.

    :param profile: whose it must be; by default of any.
    :raises NothingToSettleError: if no such row waits.
    :raises ValueError: if the note or the name is empty.
    """
    by, note = required_text("by", by), required_text("note", note)
    cursor.execute(
        "UPDATE ropo.status_quarantine SET resolved_at = clock_timestamp(), resolution = %s "
        "WHERE quarantine_id = %s AND profile = COALESCE(%s, profile) AND resolved_at IS NULL",
        (f"{dismissed_by(by)}{note}", quarantine_id, profile),
    )
    if not cursor.rowcount:
        raise NothingToSettleError(f"No row {quarantine_id} waits in quarantine")


def dismissed_by(name: str) -> str:
    """Return how the resolution of a row begins that this person has dismissed; their note follows."""
    return f"dismissed by {name}: "
