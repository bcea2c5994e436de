"""What people decide about breaks, with name and note: to accept them as they are, to open them again, to comment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from include.reconciliation.break_states import open_again
from include.reconciliation.statements import statement
from include.status_store.database import LARGEST_ID
from include.status_store.required import required_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.reconciliation.break_listing import State

NAMED_REFUSALS = 10


class Refused(msgspec.Struct, frozen=True):
    """A break that the decision cannot be applied to, and why; an unknown one has neither invoice nor category."""

    break_id: int
    why: str
    billnum: str | None = None
    jobid: str | None = None
    category: str | None = None


class BreakDecisionError(LookupError):
    """Some of the breaks are not in a state that allows this decision; none was changed.

    :param refused: those breaks; ``what``: what was not done, ``accepted``, ``opened again`` or ``commented``.
    """

    def __init__(self, message: str, *, refused: Sequence[Refused] = (), what: str = "") -> None:
        super().__init__(message)
        self.refused = refused
        self.what = what


def accept_breaks(
    cursor: Cursor,
    break_ids: Collection[int],
    *,
    by: str,
    note: str,
    shown_up_to: int | None = None,
    profile: str | None = None,
) -> int:
    """Accept open breaks with the states and amounts that they have now; any change of these opens them again.

    A person may open them again, too (:func:`reopen_breaks`). All of them are accepted or, where one cannot be, none. A
    verdict follows with the next comparison of its date.

    :param cursor: of the store, in a transaction that sees what others commit (read committed, the default).
    :param by: who; ``note``: why. Both are kept with the break and in its history.
    :param shown_up_to: the newest ``event_id`` of ``ropo.reconciliation_break_event`` when the breaks were shown to
        that person: one that has changed since is not accepted unseen.
    :param profile: whose breaks were shown: one of another profile is unknown; by default they may be of any.
    :return: how many.
    :raises BreakDecisionError: naming the breaks that are unknown, not open, or have changed since.
    :raises ValueError: if the name or the note is empty, or no break is named.
    """
    by, note = required_text("by", by), required_text("note", note)
    ids = _hold(cursor, break_ids, "accepted")
    _require_state(cursor, ids, "open", "accepted", shown_up_to=shown_up_to, profile=profile)
    cursor.execute(statement("accept_breaks"), {"break_ids": ids, "by": by, "note": note})
    return len(ids)


def reopen_breaks(
    cursor: Cursor,
    break_ids: Collection[int],
    *,
    by: str,
    note: str,
    shown_up_to: int | None = None,
    profile: str | None = None,
) -> int:
    """Open accepted breaks again: what was accepted of them holds no more, and their age is what it was.

    All of them or, where one cannot be opened, none. A verdict follows with the next comparison of its date. What is
    recorded stays as it is; a signed period that rests on one of them is flagged at once.

    :param cursor: of the store, in a transaction that sees what others commit (read committed, the default).
    :param by: who; ``note``: why. Both are kept in the breaks' history.
    :param shown_up_to: and ``profile``: as of :func:`accept_breaks`.
    :return: how many.
    :raises BreakDecisionError: naming the breaks that are unknown, not accepted, or have changed since.
    :raises ValueError: if the name or the note is empty, or no break is named.
    """
    by, note = required_text("by", by), required_text("note", note)
    ids = _hold(cursor, break_ids, "opened again")
    _require_state(cursor, ids, "accepted", "opened again", shown_up_to=shown_up_to, profile=profile)
    cursor.execute("SELECT DISTINCT profile FROM ropo.reconciliation_break WHERE break_id = ANY(%s) ORDER BY 1", (ids,))
    for (owner,) in cursor.fetchall():
        open_again(cursor, owner, ids, by=by, note=note)
    return len(ids)


def comment_breaks(
    cursor: Cursor, break_ids: Collection[int], *, by: str, note: str, profile: str | None = None
) -> int:
    """Add a comment to the history of breaks, in whatever state they are; of all of them or of none.

    :param profile: whose breaks were shown: one of another profile is unknown; by default they may be of any.
    :return: how many.
    :raises BreakDecisionError: naming the breaks that are unknown.
    :raises ValueError: if the name or the note is empty, or no break is named.
    """
    by, note = required_text("by", by), required_text("note", note)
    ids = _hold(cursor, break_ids, "commented")
    cursor.execute(
        "SELECT asked.break_id, 'unknown' FROM unnest(%s::bigint[]) AS asked (break_id) "
        "WHERE NOT EXISTS (SELECT FROM ropo.reconciliation_break AS known WHERE known.break_id = asked.break_id "
        "AND known.profile = COALESCE(%s, known.profile)) "
        "ORDER BY 1",
        (ids, profile),
    )
    _refuse([Refused(*row) for row in cursor.fetchall()], "commented")
    cursor.execute(
        "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note) "
        "SELECT break_id, %s, 'commented', %s FROM unnest(%s::bigint[]) AS asked (break_id) ORDER BY break_id",
        (by, note, ids),
    )
    return len(ids)


def _hold(cursor: Cursor, break_ids: Collection[int], what: str) -> list[int]:
    """Keep every other writer of these breaks out until the transaction ends; return the ids, each once.

    Like :func:`include.reconciliation.break_states.hold_breaks`, of each profile in turn.

    :param what: is to be done with them, for the refusal.
    """
    ids = sorted(set(break_ids))
    if not ids:
        raise ValueError("expected at least one break, none is named")
    impossible = [Refused(break_id, "unknown") for break_id in ids if not 0 < break_id <= LARGEST_ID]
    _refuse(impossible, what)
    cursor.execute(
        "SELECT FROM ropo.break_policy WHERE profile IN "
        "(SELECT profile FROM ropo.reconciliation_break WHERE break_id = ANY(%s)) ORDER BY profile FOR NO KEY UPDATE",
        (ids,),
    )
    return ids


def _require_state(
    cursor: Cursor, ids: list[int], state: State, what: str, *, shown_up_to: int | None, profile: str | None
) -> None:
    values = {"break_ids": ids, "state": state, "shown_up_to": shown_up_to, "profile": profile}
    cursor.execute(statement("refused_breaks"), values)
    _refuse([Refused(*row) for row in cursor.fetchall()], what)


def _refuse(refused: Sequence[Refused], what: str) -> None:
    if refused:
        message = f"Nothing was {what}: " + "; ".join(_named(refused))
        raise BreakDecisionError(message, refused=refused, what=what)


def _named(refused: Sequence[Refused]) -> Iterator[str]:
    for each in refused[:NAMED_REFUSALS]:
        yield f"break {each.break_id} is {each.why}"
    if len(refused) > NAMED_REFUSALS:
        yield f"and {len(refused) - NAMED_REFUSALS} more"
