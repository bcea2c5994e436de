"""An invoice of the simulated world and the true facts of its life, from which both sides' views are made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime
    from decimal import Decimal

InvoiceKind = Literal["normal", "credit_note", "print_service", "draft"]
FactKind = Literal["stage", "end", "payment", "discount", "paid", "message", "unmapped"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened to an invoice and that Ropo reports as one row.

    :param kind: what it is; `paid` is the comment 101 that follows the payment which settles the invoice.
    :param statustime: local, as the row will say (payments: midnight).
    :param recorded_at: aware; when it enters Ropo's queue. The ERP is taken to learn of it at the same moment.
    :param jobid: Ropo's id of the invoice at that time (another one after it was sent again).
    :param value: the stage, the end, or a message's text.
    :param amount: money of payments and discounts, negative where a payment is reversed.
    """

    kind: FactKind
    statustime: datetime
    recorded_at: datetime
    jobid: int
    value: str = ""
    amount: Decimal | None = None


@dataclass(slots=True)
class Invoice:
    """An invoice with its true history.

    :param jobid: Ropo's id (the newest, where it was sent again).
    :param billnum: the number in the sender's books.
    :param kind: a draft was never sent; a print service invoice is paid past Ropo.
    :param total: negative on credit notes.
    :param sent_at: aware; None for drafts.
    :param facts: in the order in which they were recorded.
    :param direct_payments: (recorded_at, amount) of money that only the ERP sees (print service).
    :param ledger_knows_jobid: whether the ERP stored Ropo's id.
    """

    jobid: int
    billnum: str
    kind: InvoiceKind
    customer: str
    total: Decimal
    currency: str
    issued_on: date
    due_on: date
    sent_at: datetime | None
    ledger_knows_jobid: bool = True
    earlier_jobid: int | None = None
    facts: list[Fact] = field(default_factory=list)
    direct_payments: list[tuple[datetime, Decimal]] = field(default_factory=list)
