"""The verdict of a profile's business date. Never green on missing knowledge."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.config.wording import counted, grouped, worded
from include.reconciliation.categories import counted_category
from include.reconciliation.statements import statement
from include.status_store.journal import LEFT_OPEN_AFTER
from include.status_store.rows import structs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile, Scope, Verdict
    from include.reconciliation.totals import Totals

# Words of the reasons that are what a comparison found. All others are of what is missing for it.
FOUND = ("breaks", "pending")
_AGAIN: dict[Scope, str] = {"date": "run the date again", "full": "run ropo_full_comparison for it again"}


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a verdict is what it is.

    :param word: for machines.
    :param text: for people, with the numbers and what to do next.
    :param about: ids of the polls or rows that it is about, or hashes of the events', as PostgreSQL writes ranges of
        integers; None where the word says it all. One that is about anything else too is another reason
        (``ropo.are_reasons_known``).
    """

    word: str
    text: str
    about: str | None = None


class LedgerKnowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger's answer says of itself.

    :param is_empty: the SELECT returned nothing at all, of any date.
    :param newest_change: asked only where the profile has a ``max_age_hours``.
    """

    is_empty: bool
    newest_change: datetime.datetime | None = None


class StoreKnowledge(msgspec.Struct, frozen=True, kw_only=True):
    """What the store knows, and does not know, of a business date (``knowledge.sql``)."""

    has_reread: bool
    reread_outcome: str | None
    is_cut: bool
    completeness: str | None
    absent: int
    absent_ids: str | None
    is_judged: bool
    recovered: int | None
    is_after_day_end: bool
    newest_empty: datetime.datetime | None
    doubts: int
    doubt_ids: str | None
    left_open: int
    left_open_ids: str | None
    quarantined: int
    quarantined_ids: str | None
    unparsed: int
    unparsed_ids: str | None
    events_cutoff: datetime.datetime | None


def read_knowledge(
    cursor: Cursor,
    profile: Profile,
    day: datetime.date,
    *,
    scope: Scope,
    reread_poll_id: int | None,
) -> StoreKnowledge:
    """Ask the store what it knows of a business date.

    :param scope: ``date``; or ``full``, which rests on what is known of every date.
    :param reread_poll_id: the re-read of this run; None where there was none.
    """
    parameters = {
        "profile": profile.name,
        "business_date": day,
        "scope": scope,
        "day_end": profile.day_end(day),
        "reread_poll_id": reread_poll_id,
        "left_open_after": LEFT_OPEN_AFTER,
    }
    cursor.execute(statement("knowledge"), parameters)
    [known] = structs(cursor, StoreKnowledge)
    return known


def missing_knowledge(
    profile: Profile,
    day: datetime.date,
    known: StoreKnowledge,
    ledger: LedgerKnowledge,
    now: datetime.datetime,
    *,
    scope: Scope,
) -> list[Reason]:
    """Return every reason for which a business date cannot be judged, in the order in which to mend them.

    :param scope: of the comparison; a full one is run again by another DAG than a date.
    """
    day_end = profile.day_end(day)
    reasons = []
    if now < day_end:
        reasons.append(Reason("day_not_over", f"{day} is not over before {profile.clock(day_end)}; run it again then"))
    again = _AGAIN[scope]
    reasons += _of_reread(day, known, scope, again)
    reasons += _of_queue(profile, day, known, day_end, again)
    reasons += _of_ledger(profile, ledger, now)
    return reasons


def judge(totals: Totals, missing: list[Reason]) -> tuple[Verdict, list[Reason]]:
    """Return the verdict and its reasons; what is missing comes before what was found."""
    found = []
    if totals.breaks:
        invoices = counted(totals.population, "invoice")
        differ = worded(totals.breaks, "differs", "differ")
        text = f"{grouped(totals.breaks)} of {invoices} {differ}: {_by_category(totals, 'breaks')}"
        found.append(Reason("breaks", text))
    if totals.pending:
        differ = worded(
            totals.pending, "invoice differs and is within its grace", "invoices differ and are within their grace"
        )
        found.append(Reason("pending", f"{grouped(totals.pending)} {differ}: {_by_category(totals, 'pending')}"))
    if missing:
        return "incomplete", missing + found
    if totals.breaks:
        return "breaks", found
    return ("pending" if totals.pending else "reconciled"), found


def is_red(verdict: str, breaks: int, fail_on: Collection[str]) -> bool:
    """Tell whether a run fails, by a profile's ``fail_on``.

    A date that is incomplete and has breaks as well is red where either of them is asked for.
    """
    return verdict in fail_on or (breaks > 0 and "breaks" in fail_on)


def _of_reread(day: datetime.date, known: StoreKnowledge, scope: Scope, again: str) -> Iterator[Reason]:
    if not known.has_reread:
        task = "reread (of an earlier date: reread_earlier)" if scope == "date" else "reread"
        text = f"this run has no re-read of {day}; the log of its task {task} says why. Mend that, then {again}"
        yield Reason("reread_missing", text)
    elif known.reread_outcome not in ("landed", "empty"):
        text = f"the re-read of {day} ended as {known.reread_outcome}; see its task's log, then {again}"
        yield Reason("reread_failed", text)
    elif not known.is_judged:
        text = (
            f"the re-read of {day} was kept and never judged: its page could not be parsed, or its process ended; "
            f"{again}"
        )
        yield Reason("reread_failed", text)
    elif not known.is_after_day_end:
        yield Reason("reread_too_early", f"{day} was re-read before it was over; {again}")
    if known.is_cut:
        why = f" ({known.completeness})" if known.completeness else ""
        text = (
            f"the re-read of {day} gave as many rows as an answer may hold, and could not be shown complete{why}: "
            f"some may be missing; {again}, or accept with a note that it stays incomplete"
        )
        yield Reason("reread_cut", text)
    if known.absent:
        events = counted(known.absent, "event")
        text = (
            f"the re-read of {day} did not show {events} that the store holds for it; "
            f"{again}, and ask Ropo if it stays so"
        )
        yield Reason("reread_contradicted", text, known.absent_ids)


def _of_queue(
    profile: Profile, day: datetime.date, known: StoreKnowledge, day_end: datetime.datetime, again: str
) -> Iterator[Reason]:
    if known.newest_empty is None or known.newest_empty < day_end:
        text = f"no drain has emptied the queue since {day} ended; let ropo_status_drain finish, then {again}"
        yield Reason("no_drain_since", text)
    if known.doubts:
        polls, are, their = worded(known.doubts, ("poll", "is", "its"), ("polls", "are", "their"))
        text = (
            f"{grouped(known.doubts)} drain {polls} that may have taken what matters here {are} in doubt, not yet "
            f"recovered; the drain re-reads {their} dates by itself, what it cannot prove must be accepted with a note"
        )
        yield Reason("doubt_not_recovered", text, known.doubt_ids)
    if known.left_open:
        polls, them = worded(known.left_open, ("poll was", "it"), ("polls were", "them"))
        text = (
            f"{grouped(known.left_open)} drain {polls} left open by a process that died; the next drain judges {them}"
        )
        yield Reason("poll_left_open", text, known.left_open_ids)
    if known.quarantined:
        rows, wait, them = worded(known.quarantined, ("row", "waits", "it"), ("rows", "wait", "them"))
        text = (
            f"{grouped(known.quarantined)} {rows} of profile {profile.name} {wait} in quarantine; "
            f"replay {them} with a newer parser or dismiss {them} with a note"
        )
        yield Reason("rows_in_quarantine", text, known.quarantined_ids)
    if known.unparsed:
        pages, are, them = worded(known.unparsed, ("page", "is", "it"), ("pages", "are", "them"))
        text = f"{grouped(known.unparsed)} {pages} of profile {profile.name} {are} not parsed yet; replay {them}"
        yield Reason("pages_unparsed", text, known.unparsed_ids)


def _of_ledger(profile: Profile, ledger: LedgerKnowledge, now: datetime.datetime) -> Iterator[Reason]:
    name = f"the ledger (connection {profile.ledger.connection})"
    hours = profile.ledger.max_age_hours
    if ledger.is_empty:
        yield Reason("ledger_empty", f"{name} returns no row at all; check its SELECT and what its role may see")
    elif hours and ledger.newest_change is None:
        yield Reason(
            "ledger_stale", f"{name} names no change up to now, so its age is not known; see to its changed_at"
        )
    elif hours and ledger.newest_change is not None and now - ledger.newest_change > datetime.timedelta(hours=hours):
        newest = profile.clock(ledger.newest_change)
        text = f"the newest change of {name} is of {newest}, older than {counted(hours, 'hour')}; see to its feed"
        yield Reason("ledger_stale", text)


def _by_category(totals: Totals, bucket: str) -> str:
    counts = {name: buckets[bucket] for name, buckets in totals.categories.items() if bucket in buckets}
    return ", ".join(counted_category(name, count) for name, count in counts.items())
