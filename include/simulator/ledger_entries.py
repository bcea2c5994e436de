"""An invoice as the ERP rightly shows it at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from include.simulator.codes import simulated_codes

if TYPE_CHECKING:
    from datetime import date

    from include.simulator.dataset import Dataset
    from include.simulator.invoices import Fact, Invoice

ZERO = Decimal("0.00")
DRAFT = "draft"
PAID = "paid"


@dataclass(frozen=True, slots=True)
class LedgerPayment:
    """Money or a cash discount as the ERP booked it.

    :param kind: "payment" or "discount".
    """

    kind: str
    amount: Decimal
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One row of the ERP's invoices.

    :param jobid: Ropo's id, where the ERP stored it.
    :param status: the ERP's own word.
    :param open: total less payments, discounts and credits; negative where overpaid.
    :param sent_at: None for drafts.
    """

    invoice_id: int
    billnum: str
    jobid: str | None
    customer: str
    status: str
    total: Decimal
    credited: Decimal
    open: Decimal
    currency: str
    issued_on: date
    due_on: date
    sent_at: datetime | None
    changed_at: datetime
    print_service: bool
    payments: tuple[LedgerPayment, ...]

    def sum_of(self, kind: str) -> Decimal:
        """The sum of its payments of that kind."""
        return sum((payment.amount for payment in self.payments if payment.kind == kind), ZERO)


def ledger_entries(dataset: Dataset, as_of: datetime) -> dict[str, LedgerEntry]:
    """The whole ledger as it is right at a moment, by invoice number.

    :param as_of: aware; what is recorded, sent or drafted later is not there yet.
    """
    return {
        invoice.billnum: _entry(number, invoice, as_of)
        for number, invoice in enumerate(dataset.invoices, start=1)
        if _written_at(invoice) <= as_of
    }


def known_facts(invoice: Invoice, as_of: datetime) -> list[Fact]:
    """What Ropo's queue has told of an invoice by then."""
    return [fact for fact in invoice.facts if fact.recorded_at <= as_of]


def _written_at(invoice: Invoice) -> datetime:
    return invoice.sent_at or datetime.combine(invoice.issued_on, time(9), UTC)


def _entry(number: int, invoice: Invoice, as_of: datetime) -> LedgerEntry:
    facts = known_facts(invoice, as_of)
    payments = _payments(invoice, facts, as_of)
    unsettled = invoice.total - sum((payment.amount for payment in payments), ZERO)
    status = _status(invoice, facts, unsettled)
    credited = unsettled if status in simulated_codes().end_words.values() or invoice.kind == "credit_note" else ZERO
    changes = [_written_at(invoice), *(fact.recorded_at for fact in facts), *(money.booked_at for money in payments)]
    return LedgerEntry(
        invoice_id=number,
        billnum=invoice.billnum,
        jobid=str(invoice.jobid) if invoice.sent_at is not None and invoice.ledger_knows_jobid else None,
        customer=invoice.customer,
        status=status,
        total=invoice.total,
        credited=credited,
        open=unsettled - credited,
        currency=invoice.currency,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        sent_at=invoice.sent_at,
        changed_at=max(changes),
        print_service=invoice.kind == "print_service",
        payments=payments,
    )


def _payments(invoice: Invoice, facts: list[Fact], as_of: datetime) -> tuple[LedgerPayment, ...]:
    told = [
        LedgerPayment(fact.kind, fact.amount, fact.recorded_at)
        for fact in facts
        if fact.kind in ("payment", "discount") and fact.amount is not None
    ]
    direct = [LedgerPayment("payment", amount, at) for at, amount in invoice.direct_payments if at <= as_of]
    return (*told, *direct)


def _status(invoice: Invoice, facts: list[Fact], unsettled: Decimal) -> str:
    """The ERP's word: how it ended, else that it is paid, else the newest stage it heard of, else that it was sent."""
    words = simulated_codes()
    if invoice.sent_at is None:
        return DRAFT
    ends = [fact.value for fact in facts if fact.kind == "end"]
    if ends:
        return words.end_words[ends[-1]]
    if unsettled <= 0 < invoice.total:
        return PAID
    stages = [fact for fact in facts if fact.kind == "stage"]
    return words.stage_words[max(stages, key=lambda fact: fact.statustime).value if stages else "invoiced"]
