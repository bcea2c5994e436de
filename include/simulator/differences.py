"""A known set of differences between Ropo and the ledger: which invoices get one, and what it does to their rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from include.simulator.codes import simulated_codes
from include.simulator.ledger_entries import PAID, ZERO, LedgerEntry, LedgerPayment, known_facts, ledger_entries
from include.simulator.lifecycle import SATURDAY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from include.simulator.dataset import Dataset
    from include.simulator.invoices import Invoice

# Back to which day before `as_of` the days other than the chosen ones stay spotless.
WINDOW_DAYS = 14

_CHOSEN_WEEKDAYS = (0, 1, 2, 4, 7)
_DUPLICATE_OFFSET = 10_000_000


@dataclass(frozen=True)
class Difference:
    """One seeded difference.

    :param billnum: the invoice's number.
    :param jobid: Ropo's id, as text.
    :param category: of the design's list.
    :param business_date: the newest date in whose population the invoice is, as of the seeding.
    :param dates: every such date (by its rows' statustime and by the ledger's sent_at and changed_at), ascending.
    """

    billnum: str
    jobid: str
    category: str
    business_date: date
    dates: tuple[date, ...]


@dataclass(frozen=True)
class _Candidate:
    invoice: Invoice
    entry: LedgerEntry
    dates: tuple[date, ...]


def plan_differences(dataset: Dataset, as_of: datetime, per_category: int = 2) -> list[Difference]:
    """Choose the invoices, so that of the last 14 days only five weekdays are touched.

    `unknown_status` is caused by the data set itself, by its rows of an unmapped code; `ambiguous_match` makes two
    differences a time, as two invoices' jobids are swapped; the others are made in the ledger.

    :param as_of: aware; the moment at which the ledger is shown.
    :param per_category: how many of each category.
    :raises ValueError: when the data set is too small to hold them.
    """
    return list(_Planner(dataset, as_of).plan(per_category))


class _Planner:
    def __init__(self, dataset: Dataset, as_of: datetime) -> None:
        self.zone = ZoneInfo(dataset.timezone)
        self.as_of = as_of
        self.today = as_of.astimezone(self.zone).date()
        entries = ledger_entries(dataset, as_of)
        self.billnum = max(int(invoice.billnum) for invoice in dataset.invoices)
        self.jobid = max(invoice.jobid for invoice in dataset.invoices)
        self.candidates: list[_Candidate] = []
        self.unmapped: list[_Candidate] = []
        for invoice in dataset.invoices:
            facts = known_facts(invoice, as_of)
            if invoice.kind == "normal" and invoice.earlier_jobid is None and facts:
                entry = entries[invoice.billnum]
                days = {fact.statustime.date() for fact in facts} | self._days_of(entry)
                unmapped = any(fact.kind == "unmapped" for fact in facts)
                (self.unmapped if unmapped else self.candidates).append(_Candidate(invoice, entry, tuple(sorted(days))))
        weekdays = [day for day in self._days_back() if day.weekday() < SATURDAY]
        self.chosen = [weekdays[index] for index in _CHOSEN_WEEKDAYS]
        touched = {*self.chosen, *(day for candidate in self.unmapped for day in candidate.dates)}
        self.spotless = set(self._days_back()) - touched

    def plan(self, per_category: int) -> Iterator[Difference]:
        for candidate in self.unmapped:
            yield self._difference(candidate, "unknown_status")
        for turn in range(per_category):
            for index, (category, fits) in enumerate(_FITTING.items()):
                for candidate in self._take(category, fits, turn + index):
                    yield self._difference(candidate, category)
            yield self._unheard_of(self.chosen[turn % len(self.chosen)])

    def _take(self, category: str, fits: Callable[[LedgerEntry], bool], turn: int) -> list[_Candidate]:
        """One invoice (two of like dates for a swap) of the day whose turn it is, else of the next such day."""
        wanted = 2 if category == "ambiguous_match" else 1
        for shift in range(len(self.chosen)):
            day = self.chosen[(turn + shift) % len(self.chosen)]
            found = [
                candidate
                for candidate in self.candidates
                if candidate.dates[-1] == day
                and not self.spotless.intersection(candidate.dates)
                and fits(candidate.entry)
                and (wanted == 1 or (candidate.dates == (day,) and candidate.entry.jobid is not None))
            ][:wanted]
            if len(found) == wanted:
                self.candidates = [candidate for candidate in self.candidates if candidate not in found]
                return found
        raise ValueError(
            f"the data set has no invoice for a difference {category!r}: give it more days or a larger scale"
        )

    def _unheard_of(self, day: date) -> Difference:
        self.billnum += 1
        self.jobid += 2
        return Difference(str(self.billnum), str(self.jobid), "missing_in_ropo", day, (day,))

    def _difference(self, candidate: _Candidate, category: str) -> Difference:
        invoice, dates = candidate.invoice, candidate.dates
        if category == "missing_in_ledger":
            # Only Ropo's rows can bring it into a population then.
            dates = tuple(sorted({fact.statustime.date() for fact in known_facts(invoice, self.as_of)}))
        return Difference(invoice.billnum, str(invoice.jobid), category, dates[-1], dates)

    def _days_of(self, entry: LedgerEntry) -> set[date]:
        return {at.astimezone(self.zone).date() for at in (entry.sent_at, entry.changed_at) if at is not None}

    def _days_back(self) -> list[date]:
        return [self.today - timedelta(days=back) for back in range(1, WINDOW_DAYS + 1)]


def _unpaid(entry: LedgerEntry) -> bool:
    return entry.status in simulated_codes().stage_words.values() and not entry.payments


def _paid(entry: LedgerEntry) -> bool:
    return entry.status == PAID and entry.open == 0 and len(entry.payments) == 1


def _partly_paid(entry: LedgerEntry) -> bool:
    return entry.status != PAID and len(entry.payments) == 1 and 0 < entry.sum_of("payment") < entry.total


_FITTING: dict[str, Callable[[LedgerEntry], bool]] = {
    "missing_in_ledger": _unpaid,
    "duplicate_in_ledger": _unpaid,
    "ambiguous_match": _unpaid,
    "ledger_inconsistent": _unpaid,
    "status_conflict": _paid,
    "ledger_behind": _paid,
    "ledger_ahead": _unpaid,
    "amount_mismatch": lambda entry: _partly_paid(entry) or _paid(entry),
}


def apply_differences(
    entries: dict[str, LedgerEntry], differences: list[Difference], zone: ZoneInfo
) -> list[LedgerEntry]:
    """The ledger's rows with the differences in them.

    :param entries: the right ledger, by invoice number.
    :param differences: as planned, maybe as of an earlier moment.
    :param zone: the market's.
    """
    wrong = dict(entries)
    duplicates = []
    swapped = [difference for difference in differences if difference.category == "ambiguous_match"]
    for one, other in zip(swapped[::2], swapped[1::2], strict=True):
        wrong[one.billnum] = replace(entries[one.billnum], jobid=other.jobid)
        wrong[other.billnum] = replace(entries[other.billnum], jobid=one.jobid)
    for difference in differences:
        billnum = difference.billnum
        if difference.category == "missing_in_ropo":
            wrong[billnum] = _unheard_of(difference, zone)
        elif difference.category == "missing_in_ledger":
            del wrong[billnum]
        elif difference.category == "duplicate_in_ledger":
            duplicates.append(replace(entries[billnum], invoice_id=entries[billnum].invoice_id + _DUPLICATE_OFFSET))
        elif difference.category in _WRONG:
            wrong[billnum] = _WRONG[difference.category](entries[billnum])
    return [*wrong.values(), *duplicates]


def _inconsistent(entry: LedgerEntry) -> LedgerEntry:
    return replace(entry, open=entry.open + Decimal("7.00"))


def _cancelled(entry: LedgerEntry) -> LedgerEntry:
    return replace(entry, status=simulated_codes().end_words["cancelled"], payments=(), credited=entry.total, open=ZERO)


def _behind(entry: LedgerEntry) -> LedgerEntry:
    return replace(entry, status=simulated_codes().stage_words["invoiced"], payments=(), open=entry.total)


def _ahead(entry: LedgerEntry) -> LedgerEntry:
    return replace(entry, status=PAID, payments=(_money(entry, entry.total),), open=ZERO)


def _other_amount(entry: LedgerEntry) -> LedgerEntry:
    """A partly paid invoice gets half of its rest, a paid one is overpaid in the ledger only."""
    received = entry.sum_of("payment")
    more = (entry.open / 2).quantize(ZERO) if entry.open > 0 else Decimal("5.00")
    return replace(entry, payments=(_money(entry, received + more),), open=entry.open - more)


_WRONG: dict[str, Callable[[LedgerEntry], LedgerEntry]] = {
    "ledger_inconsistent": _inconsistent,
    "status_conflict": _cancelled,
    "ledger_behind": _behind,
    "ledger_ahead": _ahead,
    "amount_mismatch": _other_amount,
}


def _money(entry: LedgerEntry, amount: Decimal) -> LedgerPayment:
    return LedgerPayment("payment", amount, entry.changed_at)


def _unheard_of(difference: Difference, zone: ZoneInfo) -> LedgerEntry:
    """Paid in the ERP on the day it was sent, and nobody at Ropo has ever heard of it."""
    sent_at = datetime.combine(difference.business_date, time(9), zone).astimezone(UTC)
    total = Decimal(50 + int(difference.billnum) % 100) + ZERO
    return LedgerEntry(
        invoice_id=2 * _DUPLICATE_OFFSET + int(difference.billnum),
        billnum=difference.billnum,
        jobid=difference.jobid,
        customer="Öhman Päivi",
        status=PAID,
        total=total,
        credited=ZERO,
        open=ZERO,
        currency="EUR",
        issued_on=difference.business_date,
        due_on=difference.business_date + timedelta(days=14),
        sent_at=sent_at,
        changed_at=sent_at + timedelta(hours=3),
        print_service=False,
        payments=(LedgerPayment("payment", total, sent_at + timedelta(hours=3)),),
    )
