"""The one place where a reconciliation is recorded: of one date, of one that is rechecked, of a full comparison."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from psycopg2.extras import Json

from include.config.profiles import Profile, Scope, Verdict
from include.reconciliation.recorded import read_recorded
from include.reconciliation.statements import statement
from include.reconciliation.totals import COUNTS, Totals, require_ties, totals_of
from include.reconciliation.turns import make_newest
from include.reconciliation.unmapped import UnmappedCode, unmapped_of_population
from include.reconciliation.verdict import (
    LedgerKnowledge,
    Reason,
    StoreKnowledge,
    judge,
    missing_knowledge,
    read_knowledge,
)
from include.status_store.rows import only_row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg2.extensions import cursor as Cursor

    from include.config.status_map import StatusMap
    from include.reconciliation.inquiry import Inquiries
    from include.reconciliation.ledger import LedgerReader
    from include.reconciliation.recorded import Recorded


class ComparisonContext(msgspec.Struct, frozen=True, kw_only=True):
    """What the reconciliations of one comparison have in common.

    :param now: aware; grace and age are counted to it.
    :param ledger_cutoff: the ledger's clock at its snapshot.
    :param dag_id: and ``run_id``: of the Airflow run that compares, None outside one.
    """

    profile: Profile
    now: datetime.datetime
    status_map_version: str
    ledger: LedgerKnowledge
    ledger_cutoff: datetime.datetime
    dag_id: str | None = None
    run_id: str | None = None

    @classmethod
    def of(
        cls,
        profile: Profile,
        status_map: StatusMap,
        reader: LedgerReader,
        now: datetime.datetime,
        *,
        dag_id: str | None,
        run_id: str | None,
    ) -> ComparisonContext:
        """Return those of a comparison that has begun; the ledger is asked what it says of itself."""
        newest_change = reader.newest_change() if profile.ledger.max_age_hours else None
        return cls(
            profile=profile,
            now=now,
            status_map_version=status_map.version,
            ledger=LedgerKnowledge(is_empty=reader.is_empty(), newest_change=newest_change),
            ledger_cutoff=reader.cutoff,
            dag_id=dag_id,
            run_id=run_id,
        )


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a comparison that is a reconciliation, judged and not recorded yet."""

    business_date: datetime.date
    scope: Scope
    reread_poll_id: int | None
    totals: Totals
    unmapped: list[UnmappedCode]
    known: StoreKnowledge
    verdict: Verdict
    reasons: list[Reason]


def judge_parts(
    cursor: Cursor, context: ComparisonContext, rereads: Mapping[datetime.date, int | None], *, scope: Scope
) -> list[Judged]:
    """Judge each part of the comparison (:mod:`include.reconciliation.parts`), in the order of their dates.

    :param rereads: their business dates, each with the re-read to rely on.
    :raises TotalsDoNotTieError: if the totals of any part do not tie.
    """
    profile, now = context.profile, context.now
    require_ties(cursor, profile)
    totals = totals_of(cursor, profile)
    unmapped = unmapped_of_population(cursor, profile)
    judged = []
    for day, reread_poll_id in sorted(rereads.items()):
        known = read_knowledge(cursor, profile, day, scope=scope, reread_poll_id=reread_poll_id)
        verdict, reasons = judge(totals[day], missing_knowledge(profile, day, known, context.ledger, now, scope=scope))
        judged.append(
            Judged(
                business_date=day,
                scope=scope,
                reread_poll_id=reread_poll_id,
                totals=totals[day],
                unmapped=unmapped[day],
                known=known,
                verdict=verdict,
                reasons=reasons,
            )
        )
    return judged


def record(cursor: Cursor, context: ComparisonContext, judged: Judged, inquiries: Inquiries) -> Recorded:
    """Record a reconciliation: its row, and an item for each invoice of the part that was judged.

    :param inquiries: what was asked before.
    :param cursor: in a transaction that has claimed the date (:mod:`include.reconciliation.turns`).
    """
    totals, known = judged.totals, judged.known
    row = {
        **{name: getattr(totals, name) for name in COUNTS},
        **inquiries.columns(cursor, judged.business_date),
        "profile": context.profile.name,
        "business_date": judged.business_date,
        "scope": judged.scope,
        "verdict": judged.verdict,
        "out_of_scope": totals.out_of_scope,
        "recovered": known.recovered,
        "absent_from_reread": known.absent,
        "reasons": _json(judged.reasons),
        "categories": _json(totals.categories),
        "totals": _json(_tied(totals)),
        "unmapped": _json(judged.unmapped),
        "status_map_version": context.status_map_version,
        "reread_poll_id": judged.reread_poll_id,
        "events_cutoff": known.events_cutoff,
        "ledger_cutoff": context.ledger_cutoff,
        "ledger_newest_change": context.ledger.newest_change,
        "dag_id": context.dag_id,
        "run_id": context.run_id,
        "started_at": context.now,
        "start_date": context.profile.start_date,
    }
    cursor.execute(statement("record"), row)
    reconciliation_id: int = only_row(cursor)[0]
    profile, day = context.profile.name, judged.business_date
    values = {"reconciliation_id": reconciliation_id, "profile": profile, "business_date": day}
    cursor.execute(statement("record_items"), values)
    make_newest(cursor, reconciliation_id, profile=profile, business_date=day, scope=judged.scope)
    return read_recorded(cursor, reconciliation_id)


def _tied(totals: Totals) -> dict[str, Any]:
    names = ("ropo_invoices", "missing_at_ropo", "ledger_rows", "missing_in_ledger", "extra_rows", "currencies")
    return {name: getattr(totals, name) for name in names}


def _json(value: Any) -> Json:
    # msgspec writes a Decimal as text, so that no reader takes it for a float.
    return Json(value, dumps=lambda content: msgspec.json.encode(content).decode())
