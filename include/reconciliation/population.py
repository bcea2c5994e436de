"""The population of a comparison: which invoices it is about, with every event and ledger row that bears on them."""

from __future__ import annotations

import datetime
import itertools
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg2 import sql
from psycopg2.extras import execute_values

from include.config.status_map import COMMENT_TYPE, PAYMENTS
from include.reconciliation.ledger import ALL_ROWS
from include.reconciliation.statements import statement
from include.status_store.copying import copy_rows
from include.status_store.row_names import names_in, readable_fields
from include.status_store.rows import named_rows, only_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.reconciliation.ledger import LedgerReader

# Keys in one question to the ledger: a statement of half a megabyte, and one scan where no index serves it.
KEYS_PER_BATCH = 20_000
_OPEN_QUARANTINE = """
SELECT raw, first_seen_at
FROM ropo.status_quarantine
WHERE profile = %s AND resolved_at IS NULL
ORDER BY quarantine_id
"""
# All of history is sorted and joined at once, at a month's end; for this transaction only. Where the server grants
# processes for it, to hand over a row costs them little, and they share out what few jobs lead to. The events of a job
# lie near those of the next one: where jobs come in their order, an index leads to them at little cost.
_FOR_EVERYTHING = """
SET LOCAL work_mem = '256MB';
SET LOCAL parallel_tuple_cost = 0.001;
SET LOCAL min_parallel_table_scan_size = 0;
SET LOCAL random_page_cost = 1.1;
CREATE UNLOGGED TABLE {every_row} AS
SELECT
    batch, billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at,
    payments_by_ropo, NULL::boolean AS lacks_jobid
FROM ledger_row
WITH NO DATA
"""
# Those of a full comparison that PostgreSQL's processes share.
_OWN_TABLES = ("every_row", "kept_job", "plain_code", "unpaid_word", "open_job", "open_row", "rest_job", "kept_billnum")
_LACK_JOBIDS = "SELECT bool_or(jobid IS NULL) FROM {every_row}"
_ROWS_SEEN = "ANALYZE {every_row} (jobid, billnum)"
# As values: what is asked of millions of rows. Endless: what is no end; of other types with the type and its length, so
# that no two run into the same text. Settling: the ledger's words that mean paid, which stand first since most rows
# have them, or that leave it to the amounts.
_KNOWN_CODES = """
SELECT
    COALESCE(array_agg(code) FILTER (WHERE kind = 'paid'), '{}') AS paid,
    COALESCE(array_agg(code) FILTER (WHERE kind = 'discount'), '{}') AS discount,
    COALESCE(array_agg(code) FILTER (WHERE kind = 'ignore'), '{}') AS ignored,
    COALESCE(array_agg(code) FILTER (WHERE statustype = %(comment)s AND part_end IS NULL), '{}') AS endless_comments,
    COALESCE(
        array_agg(length(statustype) || ' ' || statustype || ' ' || code)
            FILTER (WHERE kind IS NULL AND part_end IS NULL),
        '{}'
    ) AS endless,
    ARRAY(
        SELECT status
        FROM word_meaning
        WHERE COALESCE(payment, %(settled)s) = %(settled)s AND part_end IS NULL
        ORDER BY payment, status
    ) AS settling
FROM code_meaning
"""
_NAME = """
INSERT INTO named_invoice (business_date, invoice_key, jobid, billnum, is_seed, is_quarantined) VALUES %s
"""
_ROWS_AT_ONCE = 1000


class Seeds(msgspec.Struct, frozen=True):
    """What puts an invoice into the population: an event dated or first stored, a ledger row sent or changed, then.

    :param dates: business dates, as calendar days of the profile's zone. Their populations are gathered together.
    :param everything: all time, so that ledger rows without any time are in it too.
    """

    dates: tuple[datetime.date, ...] = ()
    everything: bool = False

    def periods(self, profile: Profile) -> Iterator[Period]:
        """Return the dates as few periods, since dates in a row are one."""
        dates = sorted(set(self.dates))
        for _, days in itertools.groupby(enumerate(dates), lambda each: each[1].toordinal() - each[0]):
            run = [day for _, day in days]
            yield Period.of(run[0], run[-1], profile)


class Period(msgspec.Struct, frozen=True):
    """A stretch of time; its ends are excluded.

    :param dated: as the market's wall clock; ``seen``: as aware moments.
    """

    dated: tuple[Any, Any]
    seen: tuple[Any, Any]

    @classmethod
    def of(cls, first: datetime.date, last: datetime.date, profile: Profile) -> Period:
        """Return the stretch of two business dates and all between them."""
        start, end = profile.midnight(first), profile.day_end(last)
        return cls((profile.wall_clock(start), profile.wall_clock(end)), (start, end))


ALL_TIME = Seeds(everything=True)
NO_TIME = Seeds()


def gather(cursor: Cursor, ledger: LedgerReader, profile: Profile, seeds: Seeds) -> None:
    """Fill the scratch tables with the population's events and ledger rows, and with all that these lead to.

    A row found by its change brings in its invoice's events of any date, an event its invoice's ledger rows by jobid
    and by billnum, and so on until nothing new is found: which invoice a row belongs to can depend on each of them.

    :param cursor: of the store, after :func:`want`; invoices named beforehand are in ``named_invoice``.
    :raises LedgerContractError: if a row of the ledger does not keep the contract.
    """
    if seeds.everything:
        _take_all(cursor, ledger, profile)
    else:
        _follow(cursor, ledger, profile, seeds)
    cursor.execute("ANALYZE found_event; ANALYZE ledger_row; ANALYZE named_invoice")


def _take_all(cursor: Cursor, ledger: LedgerReader, profile: Profile) -> None:
    """Take every event and ledger row, but for those of invoices that are plainly settled, or plainly open."""
    own = _own_tables(cursor)
    cursor.execute(sql.SQL(_FOR_EVERYTHING).format(**own))
    ledger.copy_all_rows(cursor, own["every_row"])
    cursor.execute(sql.SQL(_ROWS_SEEN).format(**own))
    cursor.execute(sql.SQL(_LACK_JOBIDS).format(**own))
    if only_row(cursor) == (True,):
        cursor.execute(sql.SQL(statement("infer_jobs")).format(**own), {"profile": profile.name})
    cursor.execute(sql.SQL(statement("name_unspoken")).format(**own), {"profile": profile.name})
    cursor.execute(_KNOWN_CODES, {"comment": COMMENT_TYPE, "settled": PAYMENTS.index("paid")})
    [codes] = named_rows(cursor)
    start = profile.midnight(profile.start_date)
    values = {"profile": profile.name, "timezone": profile.timezone, "start": start, **codes}
    for name in ("leave_out_settled", "set_aside_open"):
        cursor.execute(sql.SQL(statement(name)).format(**own), values)
    ledger.check_rows(cursor, own["open_row"], ALL_ROWS)
    cursor.execute(sql.SQL(statement("keep_rest")).format(**own), values)
    ledger.check_rows(cursor, sql.Identifier("ledger_row"), ALL_ROWS)


def _own_tables(cursor: Cursor) -> dict[str, sql.Identifier]:
    """Return the names of the tables that other processes of PostgreSQL read too, as they cannot read temporary ones.

    No two sessions share a name, and nobody sees the tables: they are made and dropped in one transaction.
    """
    cursor.execute("SELECT pg_backend_pid()")
    session = only_row(cursor)[0]
    return {name: sql.Identifier("ropo", f"{name}_{session}") for name in _OWN_TABLES}


def _follow(cursor: Cursor, ledger: LedgerReader, profile: Profile, seeds: Seeds) -> None:
    """Follow the keys of events and ledger rows to and fro until nothing new is found."""
    cursor.execute("ALTER TABLE found_event ADD PRIMARY KEY (statusid)")
    periods = list(seeds.periods(profile))
    for period in periods:
        cursor.execute(statement("seed_events"), {"profile": profile.name, **_parameters(period)})
    cursor.execute(statement("seed_named"))
    if periods:
        _add_keys(cursor, ledger.touched_keys([period.seen for period in periods]))
    rounds, batches = itertools.count(1), itertools.count(1)
    is_new = True
    while is_new:
        while _pull_events(cursor, {"profile": profile.name, "timezone": profile.timezone, "round": next(rounds)}):
            pass
        is_new = False
        while _ask_ledger(cursor, ledger, next(batches)):
            is_new = True


def want(cursor: Cursor, seeds: Seeds) -> None:
    """Write down the business dates that are compared."""
    cursor.execute(
        "INSERT INTO wanted_date (business_date) SELECT DISTINCT unnest(%s::date[]); ANALYZE wanted_date",
        (list(seeds.dates),),
    )


def name_earlier(cursor: Cursor, profile: Profile) -> None:
    """Name the invoices of earlier reconciliations of the wanted dates."""
    cursor.execute(statement("name_earlier"), {"profile": profile.name})


def name_revised(cursor: Cursor, profile: Profile) -> None:
    """Name the invoices of which an event of any date came with other content on the wanted dates."""
    cursor.execute(statement("name_revised"), {"profile": profile.name, "timezone": profile.timezone})


def name_billnum(cursor: Cursor, billnum: str) -> None:
    """Name one invoice by its number, trimmed."""
    execute_values(cursor, _NAME, [(None, f"b:{billnum}", None, billnum, True, False)])


def name_quarantined(cursor: Cursor, profile: Profile, seeds: Seeds) -> None:
    """Name the invoices of which a row waits in quarantine, as far as that row can be read.

    :param seeds: to whose dates' populations a row that is first seen or dated then belongs.
    """
    wanted = {day.isoformat(): day for day in seeds.dates}

    def days_of(dated: str, first_seen_at: datetime.datetime) -> set[datetime.date | None]:
        days = {wanted.get(dated), wanted.get(str(profile.business_date(first_seen_at)))}
        return days - {None} or {None}

    with cursor.connection.cursor("open_quarantine") as waiting:
        waiting.execute(_OPEN_QUARANTINE, (profile.name,))
        while rows := waiting.fetchmany(_ROWS_AT_ONCE):
            named = [
                (day, *names, seeds.everything or day is not None, True)
                for raw, first_seen_at in rows
                for dated, *names in _names(bytes(raw))
                for day in days_of(dated, first_seen_at)
            ]
            execute_values(cursor, _NAME, named, page_size=_ROWS_AT_ONCE)


def _names(raw: bytes) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Yield the date, the invoice's key, and the jobid and billnum that a row as it came names, if it names any."""
    row = readable_fields(raw)
    names = names_in(row)
    if names.jobid or names.billnum:
        dated = str(row.get("statustime")).strip()[: len("YYYY-MM-DD")]
        key = f"b:{names.billnum}" if names.billnum else f"j:{names.jobid}"
        yield dated, key, names.jobid or None, names.billnum or None


def _parameters(period: Period) -> dict[str, Any]:
    return {
        "dated_from": period.dated[0],
        "dated_to": period.dated[1],
        "seen_from": period.seen[0],
        "seen_to": period.seen[1],
    }


def _pull_events(cursor: Cursor, parameters: dict[str, Any]) -> bool:
    """Pull the events of the keys that are new; tell whether there were any."""
    cursor.execute("UPDATE found_key SET round = %(round)s WHERE round IS NULL", parameters)
    if not cursor.rowcount:
        return False
    cursor.execute("ANALYZE found_key")
    cursor.execute(statement("pull_events"), parameters)
    return True


def _ask_ledger(cursor: Cursor, ledger: LedgerReader, batch: int) -> bool:
    """Ask the ledger for the rows of the next keys; tell whether there were any."""
    cursor.execute(statement("next_batch"), {"batch": batch, "size": KEYS_PER_BATCH})
    keys = cursor.fetchall()
    if not keys:
        return False
    jobids = [value for kind, value in keys if kind == "jobid"]
    billnums = [value for kind, value in keys if kind == "billnum"]
    ledger.copy_rows(cursor, batch, jobids, billnums)
    cursor.execute(statement("keep_batch"), {"batch": batch})
    return True


def _add_keys(cursor: Cursor, keys: Iterable[tuple[str | None, str]]) -> None:
    cursor.execute("CREATE TEMP TABLE ledger_key (jobid text, billnum text) ON COMMIT DROP")
    copy_rows(cursor, "COPY ledger_key FROM STDIN", keys)
    cursor.execute(
        "INSERT INTO found_key (kind, value) SELECT 'jobid', jobid FROM ledger_key WHERE jobid IS NOT NULL "
        "UNION SELECT 'billnum', billnum FROM ledger_key ON CONFLICT DO NOTHING"
    )
