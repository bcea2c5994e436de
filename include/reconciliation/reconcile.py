"""One reconciliation of a profile's business date, recorded beside the earlier ones."""

from __future__ import annotations

import datetime
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from psycopg2.extras import Json

from include.reconciliation.comparison import compare, drop_settled, prepare
from include.reconciliation.ledger import LedgerReader
from include.reconciliation.population import ALL_TIME, name_earlier, span_of
from include.reconciliation.statements import only_row, statement
from include.reconciliation.totals import CurrencyTotals, Totals, require_ties, totals_of
from include.reconciliation.unmapped import UnmappedCode, unmapped_of_population
from include.reconciliation.verdict import (
    LedgerKnowledge,
    Reason,
    Verdict,
    judge,
    missing_knowledge,
    read_knowledge,
)

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.config.status_map import StatusMap

Scope = Literal["date", "full"]


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """What a reconciliation found.

    :param reasons: why the verdict is what it is; none where it is ``reconciled``.
    :param population: matched + pending + breaks + accepted.
    :param out_of_scope: invoices of the date that were sent before the profile's ``start_date``; not in the population.
    :param recovered: events that the re-read brought first; None without one.
    :param categories: category to its number of matched, pending and breaking invoices.
    :param totals: money by currency, of both sides.
    :param unmapped: codes of the population's events that the status map lacks.
    """

    reconciliation_id: int
    profile: str
    business_date: datetime.date
    scope: Scope
    verdict: Verdict
    reasons: list[Reason]
    population: int
    matched: int
    pending: int
    breaks: int
    accepted: int
    out_of_scope: int
    recovered: int | None
    absent_from_reread: int
    categories: dict[str, dict[str, int]]
    totals: list[CurrencyTotals]
    unmapped: list[UnmappedCode]


def reconcile(
    store: Connection,
    ledger: Connection,
    profile: Profile,
    status_map: StatusMap,
    business_date: datetime.date,
    *,
    scope: Scope = "date",
    reread_poll_id: int | None = None,
    dag_id: str | None = None,
    run_id: str | None = None,
    now: datetime.datetime | None = None,
) -> Reconciliation:
    """Compare every invoice of a business date, as both sides stand now, and record the result.

    All of it is one transaction that only adds rows, so that reconciliations of one date at once do not meet.

    :param store: a session of the store that is in no transaction; committed at the end.
    :param ledger: a session of the ledger's database that is in no transaction; only read.
    :param scope: ``full`` compares all invoices that are not ended or paid on both sides.
    :param reread_poll_id: the re-read of the date that this run made; without one the verdict is ``incomplete``.
    :param now: aware; by default the present. Grace and age are counted to it.
    :raises LedgerContractError: where the ERP's SELECT, or a row of it, does not keep the contract.
    :raises TotalsDoNotTieError: where the totals do not tie; nothing is recorded then.
    """
    now = now or datetime.datetime.now(datetime.UTC)
    try:
        with closing(LedgerReader(ledger, profile)) as reader, store.cursor() as cursor:
            prepare(cursor, status_map)
            if scope == "date":
                name_earlier(cursor, profile, business_date)
            span = span_of(business_date, profile) if scope == "date" else ALL_TIME
            start = profile.start_date
            compare(cursor, reader, profile, span, business_date=business_date, now=now, start=start)
            if scope == "full":
                drop_settled(cursor)
            result = _record(
                cursor,
                reader,
                profile,
                business_date,
                scope=scope,
                reread_poll_id=reread_poll_id,
                now=now,
                dag_id=dag_id,
                run_id=run_id,
                status_map_version=status_map.version,
            )
        store.commit()
    finally:
        store.rollback()  # nothing after a commit; whatever was done before an error
    return result


def _record(
    cursor: Cursor,
    reader: LedgerReader,
    profile: Profile,
    day: datetime.date,
    *,
    scope: Scope,
    reread_poll_id: int | None,
    now: datetime.datetime,
    **origin: Any,
) -> Reconciliation:
    require_ties(cursor, profile)
    totals = totals_of(cursor)
    known = read_knowledge(cursor, profile, day, reread_poll_id=reread_poll_id, now=now)
    newest_change = reader.newest_change() if profile.ledger.max_age_hours else None
    of_ledger = LedgerKnowledge(is_empty=reader.is_empty(), newest_change=newest_change)
    verdict, reasons = judge(totals, missing_knowledge(profile, day, known, of_ledger, now))
    unmapped = unmapped_of_population(cursor, profile)
    counts = {name: getattr(totals, name) for name in ("population", "matched", "pending", "breaks", "accepted")}
    row = {
        **counts,
        **origin,
        "profile": profile.name,
        "business_date": day,
        "scope": scope,
        "verdict": verdict,
        "out_of_scope": totals.out_of_scope,
        "recovered": known.recovered,
        "absent_from_reread": known.absent,
        "reasons": _json(reasons),
        "categories": _json(totals.categories),
        "totals": _json(_tied(totals)),
        "unmapped": _json(unmapped),
        "reread_poll_id": reread_poll_id,
        "events_cutoff": known.events_cutoff,
        "ledger_cutoff": reader.cutoff,
        "ledger_newest_change": newest_change,
        "started_at": now,
    }
    cursor.execute(statement("record"), row)
    reconciliation_id: int = only_row(cursor)[0]
    cursor.execute(statement("record_items"), {"reconciliation_id": reconciliation_id, "profile": profile.name})
    return Reconciliation(
        **counts,
        reconciliation_id=reconciliation_id,
        profile=profile.name,
        business_date=day,
        scope=scope,
        verdict=verdict,
        reasons=reasons,
        out_of_scope=totals.out_of_scope,
        recovered=known.recovered,
        absent_from_reread=known.absent,
        categories=totals.categories,
        totals=totals.currencies,
        unmapped=unmapped,
    )


def _tied(totals: Totals) -> dict[str, Any]:
    names = ("ropo_invoices", "missing_at_ropo", "ledger_rows", "missing_in_ledger", "extra_rows", "currencies")
    return {name: getattr(totals, name) for name in names}


def _json(value: Any) -> Json:
    # msgspec writes a Decimal as text, so that no reader takes it for a float.
    return Json(value, dumps=lambda content: msgspec.json.encode(content).decode())
