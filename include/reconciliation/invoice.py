"""One invoice: its history at Ropo, the ledger's view, and how the two compare.

For people who read a log, where nothing is erased: texts of rows, labels too, are left out.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from include.config.wording import counted
from include.reconciliation.categories import MATCHED, reason_in_words
from include.reconciliation.comparison import compare, prepare
from include.reconciliation.population import NO_TIME, name_billnum
from include.reconciliation.sides import ledger_transaction, store_transaction
from include.reconciliation.statements import statement
from include.reconciliation.unmapped import shown_code
from include.status_store.rows import named_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.config.status_map import StatusMap

_ROWS = """
SELECT status, total, paid, discount, credited, open, currency, sent_at, changed_at, jobid, billnum,
    COALESCE(payments_by_ropo, true) AS payments_by_ropo
FROM owned_row
WHERE invoice_key = %s
ORDER BY row_id
"""
# People's notes stay in the store: the lines go to a log.
_BREAKS = """
SELECT break_id, category, state, severity, business_date, times_seen, last_seen, accepted_by
FROM ropo.break_today
WHERE profile = %s AND invoice_key = %s
ORDER BY break_id
"""
_AMOUNTS = ("total", "paid", "discount", "credited", "open")


def invoice_history(
    store: Connection,
    ledger: Connection,
    profile: Profile,
    status_map: StatusMap,
    billnum: str,
    *,
    now: datetime.datetime | None = None,
) -> list[str]:
    """Return what both sides know of an invoice number, as lines of text. Nothing is recorded.

    A number that stands for several invoices gives a part for each. Invoices sent before the profile's ``start_date``
    are shown as any other.

    :param store: a session of the store that is in no transaction; ``ledger``: one of the ledger's database, likewise.
    :param billnum: the invoice number in the sender's books; spaces around it do not count.
    :param now: aware; by default the present.
    :raises LedgerContractError: if the ERP's SELECT, or a row of it, does not keep the contract.
    :raises LedgerUnavailableError: if the ledger's database fails; StoreUnavailableError: if the store is lost.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    what = f"Profile {profile.name}, invoice {billnum}"
    with store_transaction(store, what), ledger_transaction(ledger, profile) as reader, store.cursor() as cursor:
        prepare(cursor, status_map)
        name_billnum(cursor, billnum.strip())
        compare(cursor, reader, profile, NO_TIME, now=now, start=None)
        return list(_lines(cursor, profile, billnum.strip()))


def _lines(cursor: Cursor, profile: Profile, billnum: str) -> Iterator[str]:
    events: dict[str, list[tuple[Any, ...]]] = {}
    cursor.execute(statement("invoice_events"), {"profile": profile.name})
    for key, *event in cursor.fetchall():
        events.setdefault(key, []).append(tuple(event))
    cursor.execute("SELECT * FROM item ORDER BY invoice_key")
    for item in named_rows(cursor):
        if not item["event_count"] and not item["ledger_row_count"]:
            yield f"Invoice {billnum} of profile {profile.name}: neither Ropo nor the ledger knows it"
            continue
        jobid = item["jobid"] or "not known"
        yield f"Invoice {item['billnum'] or '(no number)'}, jobid {jobid}, profile {profile.name}"
        yield from _ropo(profile, item, events.get(item["invoice_key"], []))
        cursor.execute(_ROWS, (item["invoice_key"],))
        yield from _ledger(profile, item, cursor.fetchall())
        yield from _verdict(profile, item)
        cursor.execute(_BREAKS, (profile.name, item["invoice_key"]))
        yield from _breaks(profile, cursor.fetchall())


def _ropo(profile: Profile, item: dict[str, Any], events: list[tuple[Any, ...]]) -> Iterator[str]:
    yield f"  Ropo One: {counted(len(events), 'event')}"
    for statustime, statustype, code, amount, jobid, first_seen_at in events:
        parts = [f"{statustime:%Y-%m-%d %H:%M:%S}", statustype, shown_code(statustype, code)]
        parts += [f"{amount:f} {item['currency']}"] if amount is not None else []
        parts += [f"jobid {jobid}"] if jobid and jobid != item["jobid"] else []
        yield f"    {'  '.join(part for part in parts if part)}  (stored {_moment(profile, first_seen_at)})"
    if events:
        yield f"    state {item['ropo_status']}, paid {item['ropo_paid']:f}, discount {item['ropo_discount']:f}"


def _ledger(profile: Profile, item: dict[str, Any], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    yield f"  Ledger (connection {profile.ledger.connection}): {counted(len(rows), 'row')}"
    for status, *amounts, currency, sent_at, changed_at, jobid, billnum, by_ropo in rows:
        money = [f"{name} {amount:f}" for name, amount in zip(_AMOUNTS, amounts, strict=True) if amount is not None]
        parts = [f"number {billnum}", f"jobid {jobid or 'not known'}", f"status {status}", *money]
        parts.append(currency or f"{item['currency']} (the profile's)")
        parts += [] if by_ropo else ["print service: payments are not Ropo's"]
        yield f"    {', '.join(parts)}"
        yield f"    sent {_moment(profile, sent_at)}, changed {_moment(profile, changed_at)}"
    if rows:
        yield f"    state {item['ledger_status'] or 'not known'}"


def _verdict(profile: Profile, item: dict[str, Any]) -> Iterator[str]:
    yield f"  Comparison: {item['category']}, {reason_in_words(item['category'], item['reason'])}"
    if item["hint"]:
        yield f"    nearly the same number: {item['hint']}"
    if item["pending_until"]:
        yield f"    pending, a break from {_moment(profile, item['pending_until'])}"
    elif item["category"] != MATCHED:
        yield f"    its grace ended {_moment(profile, item['grace_until'])}"


def _breaks(profile: Profile, breaks: list[tuple[Any, ...]]) -> Iterator[str]:
    for break_id, category, state, severity, since, times, last_seen, accepted_by in breaks:
        by = f" by {accepted_by}" if state == "accepted" else ""
        yield (
            f"  Break {break_id}: {category}, {state}{by}, {severity}, since {since}, seen {counted(times, 'time')}, "
            f"last {_moment(profile, last_seen)}"
        )


def _moment(profile: Profile, moment: datetime.datetime | None) -> str:
    return "not known" if moment is None else profile.clock(moment)
