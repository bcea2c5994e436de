"""The population of a comparison: which invoices it is about, with every event and ledger row that bears on them."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import msgspec

from include.reconciliation.business_days import day_span
from include.reconciliation.copying import copy_rows
from include.reconciliation.statements import statement

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

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
_NAME = """
INSERT INTO named_invoice (invoice_key, jobid, billnum, is_seed, is_quarantined) VALUES (%s, %s, %s, %s, %s)
"""


class Span(msgspec.Struct, frozen=True):
    """What puts an invoice into the population: its events and ledger rows of a span of time.

    :param dated: wall clock of the market; events with a ``statustime`` in it (the end excluded).
    :param seen: aware moments; events first stored, and ledger rows sent or changed, in it (the end excluded).
    :param everything: the span holds all time, so that ledger rows without any time are in it too.
    """

    dated: tuple[Any, Any]
    seen: tuple[Any, Any]
    everything: bool = False

    @property
    def parameters(self) -> dict[str, Any]:
        """The span as parameters of the statements."""
        return {
            "dated_from": self.dated[0],
            "dated_to": self.dated[1],
            "seen_from": self.seen[0],
            "seen_to": self.seen[1],
            "everything": self.everything,
        }


# PostgreSQL's own words for the ends of time.
ALL_TIME = Span(("-infinity", "infinity"), ("-infinity", "infinity"), everything=True)
NO_TIME = Span(("-infinity", "-infinity"), ("-infinity", "-infinity"))


def span_of(day: datetime.date, profile: Profile) -> Span:
    """Return the span of a business date: its calendar day in the profile's zone."""
    start, end = day_span(day, profile.zone)
    wall = tuple(moment.astimezone(profile.zone).replace(tzinfo=None) for moment in (start, end))
    return Span((wall[0], wall[1]), (start, end))


def gather(cursor: Cursor, ledger: LedgerReader, profile: Profile, span: Span) -> None:
    """Fill the scratch tables with the population's events and ledger rows, and with all that these lead to.

    A row found by its change brings in its invoice's events of any date, an event its invoice's ledger rows by jobid
    and by billnum, and so on until nothing new is found: which invoice a row belongs to can depend on each of them.

    :param cursor: of the store, after ``scratch.sql``; invoices named beforehand are in ``named_invoice``.
    :raises LedgerContractError: where a row of the ledger does not keep the contract.
    """
    parameters = {"profile": profile.name, **span.parameters}
    cursor.execute(statement("seed_events"), parameters)
    cursor.execute(statement("seed_named"))
    if span.everything:
        _add_keys(cursor, ledger.touched_keys(None))
    elif span is not NO_TIME:
        _add_keys(cursor, ledger.touched_keys(span.seen))
    rounds, batches = itertools.count(1), itertools.count(1)
    is_new = True
    while is_new:
        while _pull_events(cursor, {**parameters, "round": next(rounds)}):
            pass
        is_new = False
        while _ask_ledger(cursor, ledger, next(batches)):
            is_new = True
    cursor.execute("ANALYZE found_event; ANALYZE ledger_row; ANALYZE named_invoice")


def name_earlier(cursor: Cursor, profile: Profile, day: datetime.date) -> None:
    """Name the invoices of earlier reconciliations of a business date."""
    cursor.execute(statement("seed_earlier"), {"profile": profile.name, "business_date": day})


def name_billnum(cursor: Cursor, billnum: str) -> None:
    """Name one invoice by its number, trimmed."""
    cursor.execute(_NAME, (f"b:{billnum}", None, billnum, True, False))


def name_quarantined(cursor: Cursor, profile: Profile, day: datetime.date | None) -> None:
    """Name the invoices of which a row waits in quarantine, as far as that row can be read.

    :param day: the business date whose population a row first seen or dated then belongs to; None: of no date.
    """
    cursor.execute(_OPEN_QUARANTINE, (profile.name,))
    for raw, first_seen_at in cursor.fetchall():
        row = _readable(bytes(raw))
        jobid, billnum = (_key(row.get(name)) for name in ("jobid", "billnum"))
        if jobid or billnum:
            is_dated = day is not None and str(row.get("statustime")).strip().startswith(day.isoformat())
            is_seed = is_dated or (day is not None and profile.business_date(first_seen_at) == day)
            key = f"b:{billnum}" if billnum else f"j:{jobid}"
            cursor.execute(_NAME, (key, jobid, billnum, is_seed, True))


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


def _readable(raw: bytes) -> dict[str, Any]:
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _key(value: object) -> str | None:
    """Return a jobid or billnum as the store would hold it; None where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value).strip()
    return text if text and "\0" not in text and text.isprintable() else None
