"""Reading an ERP's ledger: another database, read only, as it stands at one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from include.reconciliation.ledger_contract import (
    COLUMNS,
    LONGEST,
    NUMBERS,
    LedgerQuery,
    check_contract,
    check_row,
)
from include.status_store.copying import copy_across
from include.status_store.rows import only_row

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

FETCH_ROWS = 5_000
# The batch of a question for all rows.
ALL_ROWS = 1
# Binary: times and amounts are neither written out as text nor read from it.
_COPY = f"COPY {{}} (batch, {', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"
_NO_AMOUNT = " OR ".join(f"{name} IN ('NaN', 'Infinity', '-Infinity')" for name in NUMBERS)
_TOO_LONG = " OR ".join(f"length({name}) > {longest}" for name, longest in LONGEST.items())
_UNLIKE_CONTRACT = f"""
SELECT {", ".join(COLUMNS)}
FROM {{}}
WHERE batch = %s AND (
    billnum IS NULL OR billnum = '' OR status IS NULL OR status = '' OR total IS NULL OR paid IS NULL OR {_NO_AMOUNT}
    OR {_TOO_LONG}
)
LIMIT 1
"""  # noqa: S608 - constants


class LedgerReader:
    """A profile's ledger, read in one read-only transaction, so that every answer shows the same moment.

    :param ledger: a session of the ledger's database that is in no transaction; the caller ends the one begun here
        (:func:`.sides.ledger_transaction`).
    :raises LedgerContractError: if the profile's SELECT does not keep the contract.
    """

    def __init__(self, ledger: Connection, profile: Profile) -> None:
        self._ledger = ledger
        self._profile = profile
        ledger.set_client_encoding("UTF8")  # as the store's, since rows go from the one to the other as they are
        with ledger.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SELECT now()")
            self.cutoff: datetime.datetime = only_row(cursor)[0]
        self._query: LedgerQuery = check_contract(ledger, profile)

    def is_empty(self) -> bool:
        """Tell whether the SELECT returns nothing at all."""
        with self._ledger.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT EXISTS ({})").format(self._query.select(sql.SQL("1"))), ())
            return not only_row(cursor)[0]

    def newest_change(self) -> datetime.datetime | None:
        """Return when the newest change was, of any row; None where the ledger does not say.

        What is dated ahead of the ledger's own clock is no change yet, and says nothing of its age.
        """
        changed_at = self._query.column("changed_at", self._profile.timezone)
        # As a condition, not as a filter of the aggregate: so that an index on the column can serve it.
        condition = sql.SQL(" WHERE {} <= now()").format(changed_at)
        with self._ledger.cursor() as cursor:
            cursor.execute(self._query.select(sql.SQL("max({})").format(changed_at)) + condition, ())
            newest: datetime.datetime | None = only_row(cursor)[0]
        return newest

    def touched_keys(
        self, spans: Sequence[tuple[datetime.datetime, datetime.datetime]]
    ) -> Iterator[tuple[str | None, str]]:
        """Return jobid and billnum of every row sent or changed in one of some spans, in one pass.

        :param spans: aware moments, the second excluded.
        :raises LedgerContractError: if a row has no billnum, or a key that is too long for an index.
        """
        query = self._query.select(sql.SQL("NULLIF(btrim(ledger.jobid::text), ''), btrim(ledger.billnum::text)"))
        touched = (self._query.touched(*span, self._profile.zone) for span in spans)
        query += sql.SQL(" WHERE ") + sql.SQL(" OR ").join(touched)
        for jobid, billnum in self._rows(query, ()):
            check_row(self._profile, {"billnum": billnum, "jobid": jobid})
            yield jobid, billnum

    def copy_rows(self, into: Cursor, batch: int, jobids: Sequence[str], billnums: Sequence[str]) -> int:
        """Copy the rows of these jobids or billnums into the table ``ledger_row`` of the store's session.

        :param into: a cursor of the store.
        :return: how many rows.
        :raises LedgerContractError: naming the invoice whose row does not keep the contract.
        """
        condition = sql.SQL(" WHERE btrim(ledger.jobid::text) = ANY(%s) OR btrim(ledger.billnum::text) = ANY(%s)")
        table = sql.Identifier("ledger_row")
        rows = self._copy(into, table, batch, condition, (list(jobids), list(billnums)))
        self.check_rows(into, table, batch)
        return rows

    def copy_all_rows(self, into: Cursor, table: sql.Identifier) -> int:
        """Copy every row, as the batch :data:`ALL_ROWS`.

        They are not checked: :meth:`check_rows` does that, for those that are kept.

        :param table: of the store, with the columns of ``ledger_row``.
        """
        return self._copy(into, table, ALL_ROWS, sql.SQL(""), ())

    def check_rows(self, into: Cursor, table: sql.Identifier, batch: int) -> None:
        """Check what only rows can show.

        :param table: of the store, in which the batch is.
        :raises LedgerContractError: naming the invoice whose row does not keep the contract.
        """
        into.execute(sql.SQL(_UNLIKE_CONTRACT).format(table), (batch,))
        for row in into.fetchall():
            check_row(self._profile, dict(zip(COLUMNS, row, strict=True)))

    def over_all_rows(self, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Run a statement that finds the whole ledger, in the contract's columns and types, as the table ``ledger``.

        The ERP's SELECT is run once for it, whatever the statement does with its rows.

        :param statement: begins with ``SELECT``, or with a comma and further tables of the ``WITH`` list.
        """
        rows = sql.SQL("WITH ledger ({}) AS MATERIALIZED (\n{}\n)\n").format(
            sql.SQL(", ").join(map(sql.Identifier, COLUMNS)),
            self._query.select(self._query.columns(self._profile.timezone)),
        )
        with self._ledger.cursor() as cursor:
            cursor.execute(rows + sql.SQL(statement), parameters)
            return cursor.fetchall()

    def near_misses(self, billnums: Sequence[str]) -> Iterator[tuple[str, str]]:
        """Return, for each of the numbers, the ledger's numbers that differ from it by a prefix or leading zeros only.

        :return: pairs of the bare number (see :func:`bare_number`) and the ledger's.
        """
        bare = sql.SQL("ltrim(regexp_replace(btrim(ledger.billnum::text), '^[^0-9]+', ''), '0')")
        query = self._query.select(sql.SQL("DISTINCT {}, btrim(ledger.billnum::text)").format(bare))
        query += sql.SQL(" WHERE {} = ANY(%s)").format(bare)
        yield from self._rows(query, (sorted({bare_number(each) for each in billnums} - {""}),))

    def _copy(
        self, into: Cursor, table: sql.Identifier, batch: int, condition: sql.Composable, parameters: Sequence[Any]
    ) -> int:
        columns = sql.SQL("{}, {}").format(sql.Literal(batch), self._query.columns(self._profile.timezone))
        with self._ledger.cursor() as cursor:
            select = cursor.mogrify(self._query.select(columns) + condition, parameters).decode()
            out = f"COPY (\n{select}\n) TO STDOUT (FORMAT binary)"
            return copy_across(cursor, out, into, _COPY.format(table.as_string(into)))

    def _rows(self, query: sql.Composable, parameters: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        # A named cursor stays on the server: memory is that of one batch, whatever the ledger's size. Where its reader
        # fails half-way it is closed by the end of the transaction.
        cursor = self._ledger.cursor(name="ropo_ledger_rows")
        cursor.itersize = FETCH_ROWS
        cursor.execute(query, parameters)
        for row in cursor:  # noqa: UP028 - `yield from` would close the cursor of a transaction that failed
            yield row
        cursor.close()


def bare_number(billnum: str) -> str:
    """Return an invoice number without what stands before its first digit and without leading zeros."""
    start = next((place for place, letter in enumerate(billnum) if letter in "0123456789"), len(billnum))
    return billnum[start:].lstrip("0")
