"""One reconciliation of a profile's business date, recorded beside the earlier ones."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.reconciliation.break_states import commit_with_breaks
from include.reconciliation.comparison import compare, prepare, rules_version
from include.reconciliation.inquiry import Inquiries
from include.reconciliation.parts import take_dates, take_unsettled
from include.reconciliation.population import ALL_TIME, Seeds
from include.reconciliation.recorded import subject
from include.reconciliation.recording import ComparisonContext, judge_parts, record
from include.reconciliation.sides import ledger_transaction, store_transaction
from include.reconciliation.turns import Turn, claim

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile, Scope
    from include.config.status_map import StatusMap
    from include.reconciliation.ledger import LedgerReader
    from include.reconciliation.recorded import Recorded


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
    inquiries: Inquiries | None = None,
) -> Recorded:
    """Compare every invoice of a business date, as both sides stand now, and record the result.

    All of it is one transaction that only adds rows; what it means for the breaks across days is worked in by a short
    one of its own. Of two for one date at once the second is made after the first.

    :param store: a session of the store that is in no transaction; committed at the end.
    :param ledger: a session of the ledger's database that is in no transaction; only read.
    :param scope: ``full`` compares all invoices that are not settled: ended or paid on both sides, without a break.
    :param reread_poll_id: the re-read of the date that this run made; without one the verdict is ``incomplete``.
    :param now: aware; by default the present. Grace and age are counted to it.
    :param inquiries: what to ask of Ropo One before anything is recorded; by default nothing.
    :raises LedgerContractError: if the ERP's SELECT, or a row of it, does not keep the contract.
    :raises LedgerUnavailableError: if the ledger's database fails; StoreUnavailableError: if the store is lost.
    :raises TotalsDoNotTieError: if the totals do not tie; nothing is recorded then.
    """
    moment = now or datetime.datetime.now(datetime.UTC)
    what = subject(profile.name, business_date, scope)
    asking = inquiries or Inquiries()
    rereads = {business_date: reread_poll_id}

    def work() -> Recorded | None:
        with store_transaction(store, what):
            with ledger_transaction(ledger, profile) as reader, store.cursor() as cursor:
                prepare(cursor, status_map)
                claim(
                    cursor,
                    profile.name,
                    [business_date],
                    scope=scope,
                    rules_version=rules_version(profile, status_map),
                    now=moment,
                )
                _compare(cursor, reader, profile, business_date, scope, moment)
                if asking.wanted(cursor, rereads):
                    return None
                context = ComparisonContext.of(profile, status_map, reader, moment, dag_id=dag_id, run_id=run_id)
                [judged] = judge_parts(cursor, context, rereads, scope=scope)
                result = record(cursor, context, judged, asking)
            commit_with_breaks(store, profile)
        return result

    return asking.around(work, Turn(store, what, profile=profile.name, scope=scope, date=business_date))


def _compare(
    cursor: Cursor, reader: LedgerReader, profile: Profile, day: datetime.date, scope: Scope, now: datetime.datetime
) -> None:
    seeds = Seeds((day,)) if scope == "date" else ALL_TIME
    compare(cursor, reader, profile, seeds, now=now, start=profile.start_date)
    if scope == "date":
        take_dates(cursor)
    else:
        take_unsettled(cursor, profile, day)
