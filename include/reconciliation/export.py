"""The items of reconciliations as CSV: ``python -m include.reconciliation.export --help``.

UTF-8 with a byte order mark (by which Excel knows it), commas, CRLF, quotes as in RFC 4180. The first lines are the
head, and their first cell begins with ``#``: what was exported, each reconciliation with its run, its cut-offs and the
version of the status map, and dates that have none. The line of column names and the items follow; no item's first
cell begins with ``#``. In Python::

    with open(file, encoding="utf-8-sig", newline="") as lines:
        names, *items = (row for row in csv.reader(lines) if not row[0].startswith("#"))

The columns after ``at_stake`` are of the item's break as of today, whatever it was in the reconciliation.

Amounts are plain numbers with a decimal point, times are the market's with their offset. A text that a spreadsheet
would take for a formula has an apostrophe in front; amounts never have one, negative ones neither.

A spreadsheet whose numbers have a decimal comma, as in the Nordics, takes such a file for a single column. For it there
is the same with semicolons between the cells and decimal commas.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import re
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from include.config.profiles import load_profile
from include.config.wording import plain_money
from include.reconciliation.categories import reason_in_words
from include.reconciliation.further import further_in_words
from include.reconciliation.statements import statement
from include.status_store.command_line import calendar_date, run_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from zoneinfo import ZoneInfo

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.reconciliation.item_selection import ItemSelection
    from include.status_store.session import Session

FETCH_ROWS = 2_000
LINES_AT_ONCE = 500
BYTE_ORDER_MARK = "\ufeff"
COLUMNS = (
    "business_date", "reconciliation_id", "billnum", "jobid", "category", "reason", "pending_until", "accepted",
    "currency", "ropo_status", "ledger_status", "ledger_word", "ropo_paid", "ropo_discount", "ledger_total",
    "ledger_paid", "ledger_discount", "ledger_credited", "ledger_open", "event_count", "ledger_row_count", "caused_on",
    "grace_until", "hint", "invoice_key", "further", "at_stake", "severity", "break_id", "break_state", "accepted_by",
    "accepted_note",
)  # fmt: skip
# Of an item, which stands behind its date and its reconciliation.
_CATEGORY, _REASON, _FURTHER = (COLUMNS.index(name) - 2 for name in ("category", "reason", "further"))
_HEAD_COLUMNS = (
    "# reconciliation", "business_date", "scope", "verdict", "dag_id", "run_id", "started_at", "events_cutoff",
    "ledger_cutoff", "ledger_newest_change", "status_map_version",
)  # fmt: skip


def _formula(other: str) -> re.Pattern[str]:
    """What begins a formula (OWASP, "CSV Injection"; the wide forms too), at the start of a cell.

    :param other: what separates cells for a spreadsheet with other settings.
    """
    return re.compile(rf"^(?=[\t\r\n])|(?:^|(?<=[{other}\t\r\n]))(?=\s*[=+\-@\uff1d\uff0b\uff0d\uff20])")


class Dialect(NamedTuple):
    """How cells are separated and written."""

    separator: str
    decimal: str
    formula: re.Pattern[str]


POINT = Dialect(",", ".", _formula(";"))
COMMA = Dialect(";", ",", _formula(","))


class NothingToExportError(LookupError):
    """No such reconciliation, or none in the period."""


def export_items(
    connection: Connection,
    profile: Profile,
    *,
    first: datetime.date | None = None,
    last: datetime.date | None = None,
    reconciliation_id: int | None = None,
    selection: ItemSelection | None = None,
    dialect: Dialect = POINT,
) -> Iterator[str]:
    """Return CSV text piece by piece: the newest reconciliation of each date of a period, or one reconciliation.

    All of it shows one moment of the store. Memory is that of some thousand lines, whatever the number of items.

    :param connection: a session of the store, in no transaction and not in autocommit; the one begun here is ended
        when the iterator is exhausted or closed.
    :param first: and ``last``: business dates, both included; not with ``reconciliation_id``.
    :param selection: only these items, in its order; by default all, in the order of their keys. The head names it.
    :raises ValueError: if it is not one of the two, or the period ends before it begins.
    :raises NothingToExportError: if there is nothing; raised before the first piece, when the iterator is begun.
    """
    if (reconciliation_id is None) == (first is None and last is None) or (first is None) != (last is None):
        raise ValueError("expected a first and a last date, or a reconciliation")
    if first is not None and last is not None and last < first:
        raise ValueError(f"the period ends ({last}) before it begins ({first})")
    asked = {"first": first, "last": last, "reconciliation_id": reconciliation_id}
    return _pieces(connection, profile, asked, selection, dialect)


def _pieces(
    connection: Connection, profile: Profile, asked: dict[str, Any], selection: ItemSelection | None, dialect: Dialect
) -> Iterator[str]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute(statement("export_reconciliations"), {"profile": profile.name, **asked})
            reconciliations = cursor.fetchall()
        if not reconciliations:
            what = f"from {asked['first']} to {asked['last']}" if asked["first"] else f"{asked['reconciliation_id']}"
            raise NothingToExportError(f"Profile {profile.name}: no reconciliation {what}")
        lines = _lines(connection, profile, asked, reconciliations, selection)
        yield BYTE_ORDER_MARK
        yield from csv_pieces(lines, profile.zone, dialect)
    finally:
        connection.rollback()


def _lines(
    connection: Connection,
    profile: Profile,
    asked: dict[str, Any],
    reconciliations: Sequence[tuple[Any, ...]],
    selection: ItemSelection | None,
) -> Iterator[Sequence[Any]]:
    yield ("# reconciliation items of profile", profile.name)
    yield ("# time zone", profile.timezone)
    yield _HEAD_COLUMNS
    for number, *details in reconciliations:
        yield (f"# {number}", *details)
    for date in _missing(asked, {details[1] for details in reconciliations}):
        yield ("# no reconciliation of", date)
    if selection:
        yield ("# only items of", *(f"{name}: {value}" for name, value in selection.in_words().items()))
    yield COLUMNS
    for reconciliation_id, business_date, *_ in reconciliations:
        # A named cursor stays on the server.
        with connection.cursor(name="ropo_export") as cursor:
            cursor.itersize = FETCH_ROWS
            chosen = {"profile": profile.name, **selection.parameters()} if selection else {}
            cursor.execute(_statement(selection), {"reconciliation_id": reconciliation_id, **chosen})
            yield from _items(cursor, business_date, reconciliation_id)


def _statement(selection: ItemSelection | None) -> str:
    if selection is None:
        return f'{statement("export_items")} ORDER BY item.invoice_key COLLATE "C"'
    return f"{statement('export_items')} AND {selection.conditions()} {selection.ordering()}"


def _missing(asked: dict[str, Any], found: set[datetime.date]) -> Iterator[datetime.date]:
    if asked["first"] is not None:
        days = (asked["last"] - asked["first"]).days + 1
        period = (asked["first"] + datetime.timedelta(days=place) for place in range(days))
        yield from (date for date in period if date not in found)


def _items(cursor: Cursor, business_date: datetime.date, reconciliation_id: int) -> Iterator[Sequence[Any]]:
    for row in cursor:
        item = list(row)
        item[_REASON] = reason_in_words(item[_CATEGORY], item[_REASON])
        item[_FURTHER] = further_in_words(item[_FURTHER])
        yield (business_date, reconciliation_id, *item)


class _Pieces(list[str]):
    """What csv.writer writes to."""

    write = list.append


def csv_pieces(lines: Iterable[Sequence[Any]], zone: ZoneInfo, dialect: Dialect) -> Iterator[str]:
    """Return lines of cells as CSV text, some hundred at once; no text of them is a formula."""
    written = _Pieces()
    writer = csv.writer(written, delimiter=dialect.separator, lineterminator="\r\n")
    for line in lines:
        writer.writerow([_cell(value, zone, dialect) for value in line])
        if len(written) >= LINES_AT_ONCE:
            yield "".join(written)
            written.clear()
    yield "".join(written)


def _cell(value: Any, zone: ZoneInfo, dialect: Dialect) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return plain_money(value).replace(".", dialect.decimal)
    if isinstance(value, datetime.datetime):
        return value.astimezone(zone).isoformat(sep=" ", timespec="seconds")
    if isinstance(value, str):
        return dialect.formula.sub("'", value)
    return str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the CSV to standard output; an error goes to standard error, with exit code 1 and no output."""
    return run_command(_parser().parse_args(arguments), NothingToExportError)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m include.reconciliation.export", description="The items of reconciliations as CSV"
    )
    parser.add_argument("--profile", required=True)
    comma = "for spreadsheets with a decimal comma: semicolons between cells"
    parser.add_argument("--decimal-comma", action="store_true", help=comma)
    what = parser.add_argument_group(
        "what to export", "a period (of one date, where both are the same), or one reconciliation by its id"
    )
    what.add_argument("--from", dest="first", type=calendar_date, metavar="DATE")
    what.add_argument("--to", dest="last", type=calendar_date, metavar="DATE", help="included")
    what.add_argument("--reconciliation", type=int, metavar="ID")
    parser.set_defaults(command=_export)
    return parser


def _export(session: Session, options: argparse.Namespace) -> None:
    pieces = export_items(
        session.connection,
        load_profile(options.profile),
        first=options.first,
        last=options.last,
        reconciliation_id=options.reconciliation,
        dialect=COMMA if options.decimal_comma else POINT,
    )
    for piece in pieces:
        # Bytes: neither the system's encoding nor its line ends have a say.
        sys.stdout.buffer.write(piece.encode())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    sys.exit(main())
