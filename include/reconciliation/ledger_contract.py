"""The contract between an ERP and the reconciliation, and the SELECT that it makes of an ERP's own.

``include/erp/generic.sql`` is the contract in words.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import psycopg2
from psycopg2 import sql

from include.config.query_file import read_query
from include.status_store.fields import LONGEST_ID

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

CONTRACT_FILE = "include/erp/generic.sql"


class _Kind(NamedTuple):
    """What a column is to hold.

    :param name: of the type to cast to.
    :param types: that serve as they are, by their numbers in pg_type, PostgreSQL's own and the same in every database.
    """

    name: str
    types: Mapping[int, str]


_TEXT = _Kind("text", {25: "text", 1043: "character varying", 1042: "character"})
_NUMBER = _Kind("numeric", {1700: "numeric", 23: "integer", 20: "bigint", 21: "smallint"})
_WITH_ZONE, _WITHOUT_ZONE, _DATE = 1184, 1114, 1082
_TIME = _Kind("timestamptz", {_WITH_ZONE: "timestamptz", _WITHOUT_ZONE: "timestamp without time zone", _DATE: "date"})
_BOOLEAN = _Kind("boolean", {16: "boolean"})
_COLUMNS = {
    "billnum": _TEXT,
    "jobid": _TEXT,
    "status": _TEXT,
    "total": _NUMBER,
    "paid": _NUMBER,
    "discount": _NUMBER,
    "credited": _NUMBER,
    "open": _NUMBER,
    "currency": _TEXT,
    "sent_at": _TIME,
    "changed_at": _TIME,
    "payments_by_ropo": _BOOLEAN,
}
COLUMNS = tuple(_COLUMNS)
NUMBERS = tuple(name for name, kind in _COLUMNS.items() if kind is _NUMBER)
_REQUIRED = ("billnum", "status", "total", "paid")
# In characters. What is recorded has its indexes, and these take no text of any length.
LONGEST = {"billnum": LONGEST_ID, "jobid": LONGEST_ID, "status": LONGEST_ID, "currency": 10}
_ADVICE = {
    790: "; money rounds as its server's locale says and has no currency: cast it to numeric",
    700: "; a float does not hold cents exactly: cast it to numeric where the ERP stores it",
    701: "; a float does not hold cents exactly: cast it to numeric where the ERP stores it",
}
_ADVICE_BY_KIND = {
    "text": "; cast it to text",
    "numeric": "; cast it to numeric (a column that the ERP lacks is NULL::numeric)",
    "timestamptz": "; cast it to timestamptz (a column that the ERP lacks is NULL::timestamptz)",
    "boolean": "; cast it to boolean (a column that the ERP lacks is NULL::boolean)",
}
_ADVICE_BY_ERROR: Mapping[type[psycopg2.Error], str] = {
    psycopg2.errors.UndefinedTable: (
        ". Make it, as a view of the ERP's tables, or name a SELECT of your own in `ledger.query`"
    ),
    psycopg2.errors.UndefinedColumn: (
        f". The contract has {len(COLUMNS)} columns: {', '.join(COLUMNS)}; one that the ERP lacks is written with its "
        "type, as NULL::text"
    ),
    psycopg2.errors.InsufficientPrivilege: (
        ". Have its owner grant what is lacking to the connection's role: SELECT on a view or table, USAGE on a schema"
    ),
}


class LedgerContractError(ValueError):
    """The ERP's SELECT, or a row of it, does not keep the contract.

    :param profile: whose ledger it is.
    :param problem: what was expected and what came.
    """

    def __init__(self, profile: Profile, problem: str) -> None:
        self.problem = problem
        super().__init__(
            f"Profile {profile.name}: the ledger's SELECT (connection {profile.ledger.connection}, "
            f"query {profile.ledger.query}): {problem}. The contract stands in {CONTRACT_FILE}"
        )


class LedgerQuery(msgspec.Struct, frozen=True):
    """An ERP's SELECT that keeps the contract.

    :param source: the SELECT itself, ready to stand in parentheses, percent signs doubled for psycopg2.
    :param types: type number of each of the contract's columns.
    """

    source: str
    types: dict[str, int]

    def columns(self, zone: str) -> sql.Composable:
        """Return the contract's columns in the contract's types; a time without a zone is read in the market's."""
        return sql.SQL(", ").join(self.column(name, zone) for name in COLUMNS)

    def touched(self, since: datetime.datetime, until: datetime.datetime, zone: ZoneInfo) -> sql.Composable:
        """Return the condition that a row was sent or changed in a span, such that an index on the column can serve it.

        :param since: aware moment, included; ``until``: excluded.
        :param zone: the market's, in which a time without a zone is read.
        """
        return sql.SQL(" OR ").join(
            sql.SQL("(ledger.{name} >= {since} AND ledger.{name} < {until})").format(
                name=sql.Identifier(name), since=self._bound(name, since, zone), until=self._bound(name, until, zone)
            )
            for name in ("sent_at", "changed_at")
        )

    def select(self, what: sql.Composable) -> sql.Composed:
        """Return ``SELECT <what> FROM (<the ERP's SELECT>) AS ledger``."""
        return sql.SQL("SELECT {} FROM (\n{}\n) AS ledger").format(what, sql.SQL(self.source))

    def column(self, name: str, zone: str) -> sql.Composable:
        """Return one column's expression in the contract's type."""
        column: sql.Composable = sql.SQL("ledger.{}").format(sql.Identifier(name))
        if _COLUMNS[name] is _TEXT:
            column = sql.SQL("btrim({}::text)").format(column)
        if name == "currency":
            column = sql.SQL("upper({})").format(column)
        if name in ("jobid", "currency"):
            column = sql.SQL("NULLIF({}, '')").format(column)
        if _COLUMNS[name] is _NUMBER:
            column = sql.SQL("{}::numeric").format(column)
        if self.types[name] in (_WITHOUT_ZONE, _DATE):
            column = sql.SQL("{}::timestamp AT TIME ZONE {}").format(column, sql.Literal(zone))
        return column

    def _bound(self, name: str, moment: datetime.datetime, zone: ZoneInfo) -> sql.Composable:
        if self.types[name] == _WITH_ZONE:
            return sql.Literal(moment)
        return sql.Literal(moment.astimezone(zone).replace(tzinfo=None))


def check_contract(ledger: Connection, profile: Profile) -> LedgerQuery:
    """Read the profile's SELECT and check its columns and their types, without fetching a row.

    :param ledger: a session of the ledger's database.
    :raises LedgerContractError: naming each column at fault, the type expected and the type found; or why its file
        cannot be read.
    """
    try:
        written = read_query(profile.ledger.query)
    except ValueError as error:
        raise LedgerContractError(profile, str(error)) from None
    source = written.rstrip().rstrip(";").replace("%", "%%")
    probe = sql.SQL("SELECT * FROM (\n{}\n) AS ledger LIMIT 0").format(sql.SQL(source))
    with ledger.cursor() as cursor:
        try:
            cursor.execute(probe, ())
        except (psycopg2.ProgrammingError, psycopg2.DataError, psycopg2.NotSupportedError) as error:
            raise LedgerContractError(profile, f"PostgreSQL does not take it: {_reason(error, cursor)}") from None
        found = cursor.description or ()
        return LedgerQuery(source, _types(profile, [(column.name, column.type_code) for column in found], cursor))


def _reason(error: psycopg2.Error, cursor: Cursor) -> str:
    """Return what PostgreSQL says, on which line of the file, and what it would have us do."""
    reason = (error.diag.message_primary or str(error)).strip()
    position = int(error.diag.statement_position or 0)
    # Of the probe the file's first line is the second.
    line = (cursor.query or b"").decode()[: position - 1].count("\n") if position else 0
    where = f" (line {line} of the SELECT)" if line else ""
    hint = f". {error.diag.message_hint.rstrip('.')}" if error.diag.message_hint else ""
    hint += next((advice for kind, advice in _ADVICE_BY_ERROR.items() if isinstance(error, kind)), "")
    return f"{reason}{where}{hint}"


def check_row(profile: Profile, row: Mapping[str, Any]) -> None:
    """Check what only a row can show: values that may not be null, blank or so long, or that are no number.

    :param row: values by column, in the contract's types; billnum and jobid at least.
    :raises LedgerContractError: naming the invoice and the column.
    """
    for name, value in row.items():
        if problem := _fault(name, value):
            raise LedgerContractError(profile, f"{_named(row)}: column {name} {problem}")


def _fault(name: str, value: Any) -> str | None:
    if value in (None, ""):
        return f"is {'null' if value is None else 'blank'}" if name in _REQUIRED else None
    if isinstance(value, Decimal) and not value.is_finite():
        return f"is {value}, which is no amount"
    # Its length alone: such a text is no id, and may be one of the debtor's.
    if name in LONGEST and len(value) > LONGEST[name]:
        return f"holds {len(value):,} characters, expected at most {LONGEST[name]}"
    return None


def _named(row: Mapping[str, Any]) -> str:
    for name, what in (("billnum", "invoice"), ("jobid", "the row of jobid")):
        if row[name] and not _fault(name, row[name]):
            return f"{what} {row[name]}"
    return "a row"


def _types(profile: Profile, found: list[tuple[str, int]], cursor: Any) -> dict[str, int]:
    codes = {name: [code for column, code in found if column == name] for name in _COLUMNS}
    problems = [_problem(name, codes[name], cursor) for name in _COLUMNS]
    if any(problems):
        raise LedgerContractError(profile, "; ".join(filter(None, problems)))
    return {name: of_column[0] for name, of_column in codes.items()}


def _problem(name: str, codes: list[int], cursor: Any) -> str | None:
    expected = _COLUMNS[name]
    if len(codes) != 1:
        return f"column {name} {'is missing' if not codes else 'stands twice'}, expected one of type {expected.name}"
    if codes[0] in expected.types:
        return None
    cursor.execute("SELECT format_type(%s, NULL)", (codes[0],))
    advice = _ADVICE.get(codes[0], _ADVICE_BY_KIND[expected.name])
    return f"column {name} is of type {cursor.fetchone()[0]}, expected {expected.name}{advice}"
