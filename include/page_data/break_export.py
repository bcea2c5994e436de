"""Breaks across days as CSV, and those that a month's signature rests on.

They are written as the items of reconciliations are (:mod:`include.reconciliation.export`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from include.page_data.break_knowledge import read_knowledge
from include.page_data.breaks import export_statement
from include.page_data.rested_on import export_statement as rested_on_statement
from include.page_data.rested_on import read_acceptances
from include.reconciliation.break_history import event_in_words
from include.reconciliation.categories import reason_in_words
from include.reconciliation.export import BYTE_ORDER_MARK, FETCH_ROWS, POINT, csv_pieces
from include.reconciliation.further import further_in_words
from include.reconciliation.next_steps import next_step
from include.reconciliation.signing import period_status

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Collection, Iterator, Sequence

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.page_data.breaks import BreakSelection
    from include.reconciliation.export import Dialect
    from include.reconciliation.signing import SignOff

COLUMNS = (
    "break_id", "billnum", "jobid", "category", "reason", "what_to_do_next", "state", "severity", "age_days",
    "business_date", "at_stake", "currency", "ropo_status", "ledger_status", "ledger_word", "ropo_paid",
    "ropo_discount", "ledger_total",
    "ledger_paid", "ledger_discount", "ledger_credited", "ledger_open", "further", "hint", "first_seen", "last_seen",
    "times_seen", "accepted_at", "accepted_by", "accepted_note", "resolved_at", "invoice_key",
)  # fmt: skip
_CATEGORY, _REASON, _NEXT, _STATE, _FURTHER, _HINT, _BY, _NOTE = (
    COLUMNS.index(name)
    for name in (
        "category", "reason", "what_to_do_next", "state", "further", "hint", "accepted_by", "accepted_note",
    )
)  # fmt: skip


# What a row of a signature has as of now; all else is as it was signed.
_OF_NOW = (
    "billnum", "jobid", "state", "severity", "age_days", "business_date", "hint", "last_seen", "times_seen",
    "resolved_at",
)  # fmt: skip


class Asked(NamedTuple):
    """Which breaks are exported.

    :param head: lines that say so; ``statement`` with its parameters.
    :param is_accepted: each as it was accepted, whatever it is now.
    """

    head: Sequence[Sequence[Any]]
    statement: tuple[str, dict[str, Any]]
    is_accepted: bool = False


def export_breaks(
    connection: Connection, profile: Profile, selection: BreakSelection, dialect: Dialect = POINT
) -> Iterator[str]:
    """Return CSV text of the breaks that a selection means, in its order, piece by piece; amounts when last seen.

    :param connection: a session of the store, in no transaction and not in autocommit; the one begun here is ended
        when the iterator is exhausted or closed.
    """

    def asked(cursor: Cursor, now: datetime.datetime) -> Asked:
        # A file is read where no page is beside it, and one without a row would say that nothing is open.
        doubts = read_knowledge(cursor, [profile], now)[profile.name].in_words()
        head: list[Sequence[Any]] = [("# not to be trusted as all there is", *doubts)] if doubts else []
        head.append(("# only breaks of", *(f"{name}: {value}" for name, value in selection.in_words().items())))
        return Asked(head, export_statement(profile.name, selection))

    return _pieces(connection, profile, asked, dialect)


def export_rested_on(
    connection: Connection,
    profile: Profile,
    period: datetime.date,
    *,
    sign_off: SignOff | None = None,
    dialect: Dialect = POINT,
) -> Iterator[str]:
    """Return CSV text of the accepted breaks that a month's signature rests on, each as it was accepted then.

    :param connection: as of :func:`export_breaks`.
    :param sign_off: the month's; by default what a signature would rest on now.
    """

    def asked(cursor: Cursor, _: datetime.datetime) -> Asked:
        month = ("# month", f"{period:%Y-%m}")
        if sign_off is None:
            acceptances: Collection[tuple[int, int]] = period_status(cursor, profile, period).acceptances
            head: list[Sequence[Any]] = [month, ("# accepted now", "what a signature made now would rest on")]
        else:
            acceptances = read_acceptances(cursor, sign_off)
            signed = ("# signed by", sign_off.signed_by, sign_off.signed_at)
            head = [month, signed, ("# columns as of now", *_OF_NOW)]
        by_then = sign_off.signed_at if sign_off else None
        return Asked(head, rested_on_statement(profile, acceptances, by_then), is_accepted=True)

    return _pieces(connection, profile, asked, dialect)


def _pieces(
    connection: Connection, profile: Profile, asked: Callable[[Cursor, datetime.datetime], Asked], dialect: Dialect
) -> Iterator[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT now()")
            ((now,),) = cursor.fetchall()
            exported = asked(cursor, now)
        yield BYTE_ORDER_MARK
        yield from csv_pieces(_lines(connection, profile, exported, now), profile.zone, dialect)
    finally:
        connection.rollback()


def _lines(connection: Connection, profile: Profile, asked: Asked, now: Any) -> Iterator[Sequence[Any]]:
    yield ("# breaks of profile", profile.name)
    yield ("# time zone", profile.timezone)
    yield ("# as of", now)
    yield from asked.head
    yield COLUMNS
    # A named cursor stays on the server.
    with connection.cursor(name="ropo_export_breaks") as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(*asked.statement)
        for row in cursor:
            found = list(row)
            # What is accepted or resolved needs nothing.
            is_open = found[_STATE] == "open" and not asked.is_accepted
            found[_NEXT] = next_step(found[_CATEGORY], found[_REASON], found[_HINT]) if is_open else None
            found[_REASON] = reason_in_words(found[_CATEGORY], found[_REASON])
            found[_FURTHER] = further_in_words(found[_FURTHER])
            found[_BY], found[_NOTE] = event_in_words("accepted", found[_BY], found[_NOTE], found[_CATEGORY])
            yield found
