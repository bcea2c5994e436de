"""The rules of the comparison once more, in plain Python, from the design's text: what the SQL is tested against.

It looks at the whole world at once (every event, every ledger row), invoice by invoice, with no thought of speed. Where
the design's sentences meet in a case that neither names, the decision is written out here as it is in the SQL.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from include.config.status_map import PAYMENTS, STAGES, Meaning, StatusMap

if TYPE_CHECKING:
    import datetime
    from collections.abc import Sequence

ZERO = Decimal(0)


@dataclass(frozen=True)
class Event:
    """One event: ``order`` is (statustime, number in the statusid, statusid)."""

    order: tuple[datetime.datetime, int, str]
    jobid: str | None
    billnum: str | None
    statustype: str
    code: str
    amount: Decimal | None = None
    in_day: bool = True

    @property
    def date(self) -> datetime.date:
        return self.order[0].date()


@dataclass(frozen=True)
class Row:
    """One row of the ledger."""

    billnum: str
    jobid: str | None
    status: str
    total: Decimal
    paid: Decimal
    discount: Decimal | None = None
    credited: Decimal | None = None
    open: Decimal | None = None
    by_ropo: bool = True
    in_day: bool = True


@dataclass
class Invoice:
    """Events and rows of one invoice."""

    events: list[Event] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    ambiguous: bool = False


@dataclass(frozen=True)
class Judgement:
    """What the rules say of an invoice."""

    category: str
    caused_on: datetime.date | None


def judge_world(events: list[Event], rows: list[Row], status_map: StatusMap) -> dict[str, Judgement]:
    """Return every invoice of the population, by its key, with its category and the causing event's date."""
    return {
        key: judge(invoice, status_map)
        for key, invoice in invoices(events, rows).items()
        if any(event.in_day for event in invoice.events) or any(row.in_day for row in invoice.rows)
    }


def invoices(events: list[Event], rows: list[Row]) -> dict[str, Invoice]:
    """Whose event is it, whose row is it."""
    names = _Names(events, rows)
    found: dict[str, Invoice] = {}
    for event in names.ordered:
        found.setdefault(names.key_of_event(event), Invoice()).events.append(event)
    for row in rows:
        found.setdefault(names.key_of_row(row), Invoice()).rows.append(row)
    for key in set().union(*(names.keys_in_doubt(row) for row in rows)) & set(found):
        found[key].ambiguous = True
    return found


class _Names:
    """Which jobs go by which number, and which invoice a job, an event, a row belongs to."""

    def __init__(self, events: list[Event], rows: list[Row]) -> None:
        self.ordered = sorted(events, key=lambda event: event.order)
        self.rows = rows
        self.jobs = {event.jobid for event in events if event.jobid is not None}
        self.number_of = {job: _number_of(job, self.ordered, rows) for job in self.jobs}
        self.jobless = {event.billnum for event in events if event.jobid is None}
        self.spoken = ({*self.number_of.values()} - {None}) | self.jobless

    def jobs_of(self, number: str) -> set[str]:
        return {job for job in self.jobs if self.number_of[job] == number}

    def splits(self, number: str) -> bool:
        """A number is several invoices if several jobids go by it and the ledger has a row of it for each."""
        booked = {row.jobid for row in self.rows if row.billnum == number and row.jobid is not None}
        return bool(self.jobs_of(number)) and self.jobs_of(number) <= booked and len(booked) >= 2

    def key_of_job(self, job: str) -> str:
        number = self.number_of[job]
        return f"j:{job}" if number is None or self.splits(number) else f"b:{number}"

    def keys_of_number(self, number: str) -> set[str]:
        keys = {self.key_of_job(job) for job in self.jobs_of(number)}
        return keys | ({f"b:{number}"} if number in self.jobless else set())

    def key_of_event(self, event: Event) -> str:
        return f"b:{event.billnum}" if event.jobid is None else self.key_of_job(event.jobid)

    def key_of_row(self, row: Row) -> str:
        if row.jobid in self.jobs:
            return self.key_of_job(row.jobid)
        if row.billnum in self.spoken and not self.splits(row.billnum):
            return f"b:{row.billnum}"
        return f"b:{row.billnum}" if row.jobid is None else f"j:{row.jobid}"

    def keys_in_doubt(self, row: Row) -> set[str]:
        """The invoices that a row makes ambiguous, should they exist."""
        own, of_number = self.key_of_row(row), self.keys_of_number(row.billnum)
        if own == f"b:{row.billnum}":
            return set()
        # What goes by the number alone, while a row of that number is another invoice's.
        doubtful = {f"b:{row.billnum}"}
        # Its jobid leads to one invoice, its number to others: none of them can be told.
        if row.jobid in self.jobs and row.billnum in self.spoken and own not in of_number:
            doubtful |= {own} | of_number
        return doubtful


def judge(invoice: Invoice, status_map: StatusMap) -> Judgement:
    """The one category of an invoice, in the design's order."""
    ropo = Ropo(invoice.events, status_map, invoice.rows[0] if len(invoice.rows) == 1 else None)
    if ropo.lacks_amount:
        return Judgement("unparseable", None)
    if len(invoice.rows) > len({("j", row.jobid) if row.jobid else ("b", row.billnum) for row in invoice.rows}):
        return Judgement("duplicate_in_ledger", None)
    if invoice.ambiguous or len(invoice.rows) > 1:
        return Judgement("ambiguous_match", None)
    if not invoice.rows:
        return Judgement("missing_in_ledger", invoice.events[0].date)
    ledger = Ledger(invoice.rows[0], ropo, status_map)
    if not invoice.events and (ledger.shows_payment or ledger.end):
        return Judgement("missing_in_ropo", None)
    return _compare(ropo, ledger)


def _compare(ropo: Ropo, ledger: Ledger) -> Judgement:
    row = ledger.row
    is_charge = row.total > 0
    has_money = ropo.paid != 0 or ropo.discount != 0
    compares_payments = is_charge and (row.by_ropo or has_money)
    if ropo.unknown_code or (compares_payments and ropo.unknown_payment):
        return Judgement("unknown_status", max(event.date for event in ropo.unmapped))
    if ledger.meaning is None:
        return Judgement("unknown_status", None)
    if is_charge and ledger.is_inconsistent:
        return Judgement("ledger_inconsistent", None)
    if ropo.end != ledger.end:
        return Judgement("status_conflict", ropo.end_date)
    if not is_charge:
        return Judgement("matched", None)
    alive = ropo.end is None
    if alive and compares_payments and ropo.payment != ledger.payment:
        return _compare_payments(ropo, ledger)
    settled = ledger.payment == "paid" and (ropo.payment == "paid" or not compares_payments)
    if alive and not settled and ropo.stage and ledger.stage and ropo.stage != ledger.stage:
        further = STAGES.index(ropo.stage) > STAGES.index(ledger.stage)
        return Judgement("ledger_behind", ropo.stage_date) if further else Judgement("ledger_ahead", None)
    if compares_payments and (ropo.paid != row.paid or (row.discount is not None and ropo.discount != row.discount)):
        booked = row.paid + (row.discount or ZERO)
        is_of_ropo = ropo.is_reversed or ropo.paid + ropo.discount >= booked
        return Judgement("amount_mismatch", ropo.money_date if is_of_ropo else None)
    return Judgement("matched", None)


def _compare_payments(ropo: Ropo, ledger: Ledger) -> Judgement:
    if PAYMENTS.index(ropo.payment) > PAYMENTS.index(ledger.payment):
        return Judgement("ledger_behind", ropo.payment_date)
    if ropo.is_collected and (ropo.paid, ropo.discount) == (ledger.row.paid, ledger.discount):
        return Judgement("ledger_ahead", ropo.stage_date)
    booked = ledger.row.paid + (ledger.row.discount or ZERO)
    is_taken_back = ropo.is_reversed and ropo.paid + ropo.discount < booked
    return Judgement("ledger_ahead", ropo.money_date if is_taken_back else None)


class Ropo:
    """What Ropo's events, in their order, say of an invoice."""

    def __init__(self, events: list[Event], status_map: StatusMap, row: Row | None) -> None:
        self.has_spoken = bool(events)
        payments = [event for event in events if event.statustype == "payment"]
        kinds = [(event, status_map.payments.get(event.code)) for event in payments]
        money = [event for event, kind in kinds if kind in ("paid", "discount")]
        comments = [event for event in events if event.statustype != "payment"]
        meanings = [(event, status_map.events.get(event.statustype, {}).get(event.code)) for event in comments]
        said = [(event, meaning) for event, meaning in meanings if meaning is not None]
        self.lacks_amount = any(event.amount is None for event in money)
        self.paid = sum((event.amount or ZERO for event, kind in kinds if kind == "paid"), ZERO)
        self.discount = sum((event.amount or ZERO for event, kind in kinds if kind == "discount"), ZERO)
        self.unknown_payment = any(kind is None for _, kind in kinds)
        self.unmapped = [event for event, kind in kinds if kind is None] + [
            event for event, meaning in meanings if meaning is None
        ]
        meaningful = money + [event for event, meaning in said if meaning != Meaning()]
        newest_meaningful = max((event.order for event in meaningful), default=None)
        self.unknown_code = any(newest_meaningful is None or event.order > newest_meaningful for event in self.unmapped)
        stages = [(event, meaning.stage) for event, meaning in said if meaning.stage]
        codes = [(event, meaning.payment) for event, meaning in said if meaning.payment]
        newest_job = _newest_job(events, row)
        ends = [(event, meaning.end) for event, meaning in said if meaning.end and event.jobid in (None, newest_job)]
        self.stage, self.stage_date = _newest(stages)
        self.end, self.end_date = _newest(ends)
        self.money_date = money[-1].date if money else None
        self.payment_date = max(
            [event.date for event in money[-1:]] + [event.date for event, _ in codes[-1:]], default=None
        )
        by_sums = self._by_sums(row)
        by_code = codes[-1][1] if codes else "unpaid"
        self.is_reversed = any((event.amount or ZERO) < 0 for event in money)
        payment = by_sums if self.is_reversed else max(by_sums, by_code, key=PAYMENTS.index)
        paying = money + [event for event, _ in codes]
        last_paid = max((event.order for event in paying), default=None)
        says_paid = by_code == "paid" and not self.is_reversed
        rests_on_credit = row is not None and self.paid + self.discount < row.total and not says_paid
        self.is_collected = last_paid is not None and (
            (rests_on_credit and bool(stages) and _is_collected(stages, last_paid))
            or any(_is_collected(each, last_paid) for each in _unpaid_jobs(events, stages, paying, codes, said))
        )
        self.payment = "partly_paid" if self.is_collected and payment == "paid" else payment

    def _by_sums(self, row: Row | None) -> str:
        together = self.paid + self.discount
        if together <= 0:
            return "unpaid"
        if row is not None and row.total > 0 and together >= row.total - (row.credited or ZERO):
            return "paid"
        return "partly_paid"


def _newest(said: Sequence[tuple[Event, str]]) -> tuple[str | None, datetime.date | None]:
    """What was said last, and on which date."""
    return (said[-1][1], said[-1][0].date) if said else (None, None)


def _is_collected(stages: Sequence[tuple[Event, str]], since: tuple[datetime.datetime, int, str]) -> bool:
    newest, stage = stages[-1]
    return newest.order > since and stage in ("reminded", "in_collection")


def _unpaid_jobs(
    events: list[Event],
    stages: Sequence[tuple[Event, str]],
    paying: list[Event],
    codes: Sequence[tuple[Event, str]],
    said: list[tuple[Event, Meaning]],
) -> list[list[tuple[Event, str]]]:
    """Where an invoice has several jobs: the stages of each by which nothing was paid and that has not ended since."""
    unpaid = {event.order for event, payment in codes if payment == "unpaid"}
    paid = [event for event in paying if event.order not in unpaid]
    jobs = {event.jobid for event in events if event.jobid is not None}
    if len(jobs) < 2 or any(event.jobid is None for event in paid):
        return []
    found = []
    for job in jobs - {event.jobid for event in paid}:
        of_job = [(event, stage) for event, stage in stages if event.jobid == job]
        ended = [event.order for event, meaning in said if meaning.end and event.jobid == job]
        if of_job and (not ended or of_job[-1][0].order > ended[-1]):
            found.append(of_job)
    return found


class Ledger:
    """What the ledger's row says of an invoice."""

    def __init__(self, row: Row, ropo: Ropo, status_map: StatusMap) -> None:
        self.row = row
        self.meaning = status_map.ledger.get(row.status)
        said = self.meaning or Meaning()
        self.stage = said.stage
        credited = row.credited or ZERO
        discount = row.discount if row.discount is not None else ZERO
        if (
            row.discount is None
            and ropo.discount > 0
            and (row.open is None or row.total == row.paid + ropo.discount + credited + row.open)
        ):
            discount = ropo.discount
        rest = row.total - row.paid - discount - credited
        self.discount = discount
        still_open = rest if row.open is None else row.open
        paid = row.paid + (row.discount or ZERO)
        is_credited = row.total > 0 and credited >= row.total and still_open <= 0 and paid <= 0
        is_open_to_amounts = ropo.has_spoken and self.meaning is not None and (said.payment, said.end) == (None, None)
        self.end = "credited" if is_open_to_amounts and is_credited else said.end
        # Paid in part, and what was left is credited on both sides.
        if said.end is None and self.meaning is not None and ropo.end == "credited" and credited > 0 and row.total > 0:
            self.end = "credited" if still_open <= 0 else self.end
        self.is_inconsistent = still_open != rest or (said.payment == "paid" and still_open > 0)
        if said.payment:
            self.payment = said.payment
        elif row.paid + ((row.discount or ZERO) if row.open is None else discount) <= 0:
            self.payment = "unpaid"
        else:
            self.payment = "partly_paid" if still_open > 0 else "paid"
        came = row.paid != 0 or (row.discount or ZERO) != 0 or said.payment in ("paid", "partly_paid")
        self.shows_payment = row.by_ropo and row.total > 0 and came


def _number_of(job: str, ordered: list[Event], rows: list[Row]) -> str | None:
    """A job's number: the newest that its events say, else the one that the ledger's row of that jobid has."""
    said = [event.billnum for event in ordered if event.jobid == job and event.billnum is not None]
    if said:
        return said[-1]
    return min((row.billnum for row in rows if row.jobid == job), default=None)


def _newest_job(events: list[Event], row: Row | None) -> str | None:
    """Sent again: the job first spoken of last; where another has the largest number, that of the ledger's row."""
    first: dict[str, Event] = {}
    for event in events:
        if event.jobid is not None:
            first.setdefault(event.jobid, event)
    spoken = max(first, key=lambda job: first[job].order, default=None)
    numbered = max(first, key=lambda job: (_number_in(job), first[job].order), default=None)
    return row.jobid if spoken != numbered and row is not None and row.jobid in first else spoken


def _number_in(job: str) -> int:
    return int("".join(letter for letter in job if letter in "0123456789") or -1)
