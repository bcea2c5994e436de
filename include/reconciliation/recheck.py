"""The recheck: earlier business dates that are not finished are compared again, all of them in one pass."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Verdict
from include.reconciliation.break_states import commit_with_breaks
from include.reconciliation.comparison import compare, prepare, rules_version
from include.reconciliation.inquiry import Inquiries
from include.reconciliation.item_result import other_result
from include.reconciliation.parts import take_dates
from include.reconciliation.population import Seeds
from include.reconciliation.recorded import Recorded
from include.reconciliation.recording import ComparisonContext, judge_parts, record
from include.reconciliation.sides import ledger_transaction, store_transaction
from include.reconciliation.statements import statement
from include.reconciliation.totals import COUNTS
from include.reconciliation.turns import Turn, claim
from include.status_store.rows import structs

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.config.status_map import StatusMap
    from include.reconciliation.ledger import LedgerReader
    from include.reconciliation.recording import Judged


class Unfinished(msgspec.Struct, frozen=True, kw_only=True):
    """A business date to compare again, and its newest reconciliation (``pick_recheck.sql``), None where there is none.

    :param reread_poll_id: the re-read of the date that says most of it.
    """

    business_date: datetime.date
    reconciliation_id: int | None
    verdict: Verdict | None
    reasons: list[dict[str, str]] | None
    population: int | None
    matched: int | None
    pending: int | None
    breaks: int | None
    accepted: int | None
    reread_poll_id: int | None

    def is_news(self, judged: Judged, *, has_changed_items: bool) -> bool:
        """Tell whether the date is judged otherwise now: an invoice of it, its verdict, why, or how many are what.

        One that was reconciled was so with all that had to be known. What is not known by now (a doubt, a row in
        quarantine, a ledger that shows nothing) is no news of it by itself: what that hides comes as an event or a row,
        and is news then.
        """
        words = {reason.word for reason in judged.reasons}
        found = has_changed_items or any(getattr(self, name) != getattr(judged.totals, name) for name in COUNTS)
        if self.verdict == "reconciled":
            return found and "ledger_empty" not in words
        if found or self.verdict != judged.verdict:
            return True
        # Another doubt, or another row in quarantine, is another reason: what was accepted does not hold for it, and
        # nobody is to accept it by the reasons of before.
        known = {(reason["word"], reason.get("about")) for reason in self.reasons or ()}
        return known != {(reason.word, reason.about) for reason in judged.reasons}


class Changed(msgspec.Struct, frozen=True):
    """A date whose result is another than it was.

    :param before: its verdict until then; None where it had none.
    """

    before: Verdict | None
    reconciliation: Recorded


class Rechecked(msgspec.Struct, kw_only=True):
    """What a recheck came to.

    :param dates: compared again; ``items``: invoices of their populations, each date's counted.
    """

    dates: int = 0
    items: int = 0
    changed: list[Changed] = []


def recheck(
    store: Connection,
    ledger: Connection,
    profile: Profile,
    status_map: StatusMap,
    before: datetime.date,
    *,
    dag_id: str | None = None,
    run_id: str | None = None,
    now: datetime.datetime | None = None,
    inquiries: Inquiries | None = None,
) -> Rechecked:
    """Compare again the ``late_days`` before a business date, and every unfinished date of its ``recheck_days``.

    Either side may record something of the last days late. Unfinished are dates that have no verdict or another than
    ``reconciled``, or rest on accepted breaks, that were compared by other rules (the status map, the tolerance), of
    which events have come since, or with other content, of which a full comparison has left pending what no date
    shows, or whose invoices ought to have been spoken of by now (``first_event_days``); and older dates that were
    recorded within ``recheck_days`` with something pending, as a backfill leaves them. All are gathered together, the
    ledger is read once, and the comparison is one. A new reconciliation is recorded only where the result is another
    one, or where what differs as before was settled since and is back; the old ones stay.

    :param store: a session of the store that is in no transaction; committed at the end.
    :param ledger: a session of the ledger's database that is in no transaction; only read.
    :param before: the business date of the run; earlier ones are compared.
    :param now: aware; by default the present.
    :param inquiries: what to ask of Ropo One before anything is recorded; by default nothing.
    :raises LedgerContractError: if the ERP's SELECT, or a row of it, does not keep the contract.
    :raises LedgerUnavailableError: if the ledger's database fails; StoreUnavailableError: if the store is lost.
    :raises TotalsDoNotTieError: if the totals of any date do not tie; nothing is recorded then.
    """
    moment = now or datetime.datetime.now(datetime.UTC)
    what = f"Profile {profile.name}, recheck of the dates before {before}"
    asking = inquiries or Inquiries()

    def work() -> Rechecked | None:
        with store_transaction(store, what):
            with ledger_transaction(ledger, profile) as reader, store.cursor() as cursor:
                prepare(cursor, status_map)
                dates = unfinished(cursor, profile, status_map, before, moment)
                if not dates:
                    return Rechecked()
                context = ComparisonContext.of(profile, status_map, reader, moment, dag_id=dag_id, run_id=run_id)
                rereads = _compare(cursor, reader, context, status_map, dates)
                if asking.wanted(cursor, rereads):
                    return None
                found = _record_changed(cursor, context, dates, rereads, asking)
            commit_with_breaks(store, profile)
        return found

    return asking.around(work, Turn(store, what, profile=profile.name, scope="date"))


def unfinished(
    cursor: Cursor, profile: Profile, status_map: StatusMap, before: datetime.date, now: datetime.datetime
) -> list[Unfinished]:
    """Return the dates to compare again, in their order; of invoices that no date shows those that belong to them.

    :param cursor: after :func:`include.reconciliation.comparison.prepare`.
    """
    day = datetime.timedelta(days=1)
    values = {
        "profile": profile.name,
        "timezone": profile.timezone,
        "rules_version": rules_version(profile, status_map),
        "first": profile.rechecked_from(before),
        "last": before - day,
        "start": profile.start_date,
        "recorded_from": now - profile.rechecked_days * day,
        "late_from": before - profile.late_days * day,
        "first_event_days": profile.first_event_days,
        "now": now,
    }
    cursor.execute(statement("name_left_pending"), values)
    cursor.execute(statement("pick_recheck"), values)
    return structs(cursor, Unfinished)


def _compare(
    cursor: Cursor, reader: LedgerReader, context: ComparisonContext, status_map: StatusMap, dates: list[Unfinished]
) -> dict[datetime.date, int | None]:
    days = tuple(date.business_date for date in dates)
    profile, now = context.profile, context.now
    claim(
        cursor,
        profile.name,
        days,
        scope="date",
        rules_version=rules_version(profile, status_map),
        now=now,
        is_blind=reader.is_empty(),
    )
    compare(cursor, reader, profile, Seeds(days), now=now, start=profile.start_date)
    take_dates(cursor)
    return {date.business_date: date.reread_poll_id for date in dates}


def _record_changed(
    cursor: Cursor,
    context: ComparisonContext,
    dates: list[Unfinished],
    rereads: dict[datetime.date, int | None],
    asking: Inquiries,
) -> Rechecked:
    text = statement("changed_items").format(other_result=other_result("was", "found"))
    # A ledger that shows nothing opens no break: there is nothing to record of it again and again.
    cursor.execute(text, {"profile": context.profile.name, "is_blind": context.ledger.is_empty})
    changed = {day for (day,) in cursor.fetchall()}
    found = Rechecked(dates=len(dates))
    for date, judged in zip(dates, judge_parts(cursor, context, rereads, scope="date"), strict=True):
        found.items += judged.totals.population
        if date.is_news(judged, has_changed_items=date.business_date in changed):
            found.changed.append(Changed(date.verdict, record(cursor, context, judged, asking)))
    return found
