"""Breaks across days as CSV, written as the items of reconciliations are (:mod:`include.reconciliation.export`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.page_data.breaks import export_statement
from include.reconciliation.categories import reason_in_words
from include.reconciliation.export import BYTE_ORDER_MARK, FETCH_ROWS, POINT, csv_pieces
from include.reconciliation.further import further_in_words
from include.reconciliation.next_steps import next_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.page_data.breaks import BreakSelection
    from include.reconciliation.export import Dialect

COLUMNS = (
    "break_id", "billnum", "jobid", "category", "reason", "what_to_do_next", "state", "severity", "age_days",
    "business_date", "at_stake", "currency", "ropo_status", "ledger_status", "ledger_word", "ropo_paid",
    "ropo_discount", "ledger_total",
    "ledger_paid", "ledger_discount", "ledger_credited", "ledger_open", "further", "hint", "first_seen", "last_seen",
    "times_seen", "accepted_at", "accepted_by", "accepted_note", "resolved_at", "invoice_key",
)  # fmt: skip
_CATEGORY, _REASON, _NEXT, _STATE, _FURTHER, _HINT = (
    COLUMNS.index(name) for name in ("category", "reason", "what_to_do_next", "state", "further", "hint")
)


def export_breaks(
    connection: Connection, profile: Profile, selection: BreakSelection, dialect: Dialect = POINT
) -> Iterator[str]:
    """Return CSV text of the breaks that a selection means, in its order, piece by piece; amounts when last seen.

    :param connection: a session of the store, in no transaction and not in autocommit; the one begun here is ended
        when the iterator is exhausted or closed.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT now()")
            ((now,),) = cursor.fetchall()
        yield BYTE_ORDER_MARK
        yield from csv_pieces(_lines(connection, profile, selection, now), profile.zone, dialect)
    finally:
        connection.rollback()


def _lines(connection: Connection, profile: Profile, selection: BreakSelection, now: Any) -> Iterator[Sequence[Any]]:
    yield ("# breaks of profile", profile.name)
    yield ("# time zone", profile.timezone)
    yield ("# as of", now)
    yield ("# only breaks of", *(f"{name}: {value}" for name, value in selection.in_words().items()))
    yield COLUMNS
    # A named cursor stays on the server.
    with connection.cursor(name="ropo_export_breaks") as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(*export_statement(profile.name, selection))
        for row in cursor:
            found = list(row)
            # What is accepted or resolved needs nothing.
            is_open = found[_STATE] == "open"
            found[_NEXT] = next_step(found[_CATEGORY], found[_REASON], found[_HINT]) if is_open else None
            found[_REASON] = reason_in_words(found[_CATEGORY], found[_REASON])
            found[_FURTHER] = further_in_words(found[_FURTHER])
            yield found
