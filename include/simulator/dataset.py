"""A realistic data set, the same for the same seed: invoices with their true lives, and the rows Ropo sends of them."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from include.simulator import texts
from include.simulator.codes import (
    DISCOUNT_TYPE_NUMBER,
    MESSAGE_CODE,
    PAID_CODE,
    PAYMENT_TYPE_NUMBER,
    UNMAPPED_CODE,
    simulated_codes,
)
from include.simulator.invoices import Fact, Invoice
from include.simulator.lifecycle import SATURDAY, Life, next_weekday
from include.simulator.rows import QueuedRow, Row, statustime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.simulator.invoices import InvoiceKind

_KINDS: tuple[tuple[InvoiceKind, ...], tuple[int, ...]] = (
    ("normal", "credit_note", "print_service", "draft"),
    (920, 25, 45, 10),
)
_BILLING_DAYS = (1, 15)
_ON_A_BILLING_DAY, _ON_A_WEEKDAY, _ON_A_WEEKEND_DAY = 2_000, 125, 30


@dataclass(frozen=True)
class Dataset:
    """What one simulated customer lived through.

    :param invoices: with their true facts.
    :param rows: what Ropo sends, in the order of recording; late rows are recorded up to five days after their time.
    :param first_day: the first day on which an invoice is sent.
    :param end: the day after the last.
    """

    seed: int
    timezone: str
    first_day: date
    end: date
    invoices: list[Invoice]
    rows: list[QueuedRow]


def make_dataset(
    seed: int,
    first_day: date,
    days: int,
    scale: float = 1.0,
    timezone: str = "Europe/Helsinki",
    unmapped_every: int = 7,
) -> Dataset:
    """Make a data set; equal arguments give equal data.

    :param seed: of all chance.
    :param first_day: the market's first day; every invoice's whole life lies in the data set.
    :param days: how many days; at scale 1, 30 days hold about 15,000 changes.
    :param scale: multiplies the number of invoices.
    :param timezone: the market's, in which rows tell their times.
    :param unmapped_every: one invoice in so many days goes silent after a code that the simulator's status map lacks.
    :raises ValueError: on no days, a scale that is not positive, or no span between the unmapped codes.
    """
    if days < 1 or scale <= 0 or unmapped_every < 1:
        raise ValueError(f"days, scale and unmapped_every must be positive, not {days}, {scale} and {unmapped_every}")
    rng = Random(seed)  # noqa: S311 - repeatable on purpose
    zone, end = ZoneInfo(timezone), first_day + timedelta(days=days)
    invoices: list[Invoice] = []
    for offset in range(days):
        day = first_day + timedelta(days=offset)
        for _ in range(_sent_on(day, scale, rng)):
            invoice = _invoice(len(invoices), day, rng, zone)
            Life(invoice, rng, zone, end).live()
            invoices.append(invoice)
    _end_with_unmapped_codes(invoices, unmapped_every, rng, zone)
    return Dataset(seed, timezone, first_day, end, invoices, list(_rows(invoices, rng)))


def _sent_on(day: date, scale: float, rng: Random) -> int:
    billing_days = {next_weekday(day.replace(day=number)) for number in _BILLING_DAYS}
    usual = _ON_A_WEEKEND_DAY if day.weekday() >= SATURDAY else _ON_A_WEEKDAY
    return math.ceil((_ON_A_BILLING_DAY if day in billing_days else usual) * scale * rng.uniform(0.8, 1.2))


def _invoice(index: int, day: date, rng: Random, zone: ZoneInfo) -> Invoice:
    kind = rng.choices(*_KINDS)[0]
    total = Decimal(round(min(rng.lognormvariate(4.6, 1.0), 25_000) * 100) + 500) / 100
    sent_local = datetime.combine(day, time(6)) + timedelta(seconds=rng.randint(0, 36_000))
    jobid = 3_081_412 + index * 2
    return Invoice(
        jobid=jobid,
        billnum=str(21_000_000 + index),
        kind=kind,
        customer=texts.person(rng),
        total=-total if kind == "credit_note" else total,
        currency="SEK" if rng.random() < 0.01 else "EUR",
        issued_on=day,
        due_on=day + timedelta(days=rng.choices((7, 14, 21, 30), (25, 50, 15, 10))[0]),
        sent_at=None if kind == "draft" else sent_local.replace(tzinfo=zone).astimezone(UTC),
        ledger_knows_jobid=rng.random() < 0.9,
        earlier_jobid=jobid - 1 if kind == "normal" and rng.random() < 0.004 else None,
    )


def _end_with_unmapped_codes(invoices: list[Invoice], every_days: int, rng: Random, zone: ZoneInfo) -> None:
    """One invoice of each span of days; its life is cut after its first day, so that other days stay spotless."""
    fresh: dict[date, list[Invoice]] = defaultdict(list)
    for invoice in invoices:
        if invoice.kind == "normal" and invoice.earlier_jobid is None and invoice.issued_on.weekday() < SATURDAY:
            fresh[invoice.issued_on].append(invoice)
    last_of_span = {(day - invoices[0].issued_on).days // every_days: day for day in sorted(fresh)}
    for day in last_of_span.values():
        invoice = rng.choice(fresh[day])
        moment = datetime.combine(day, time(19, 30))
        recorded_at = moment.replace(tzinfo=zone).astimezone(UTC) + timedelta(seconds=30)
        invoice.facts = [fact for fact in invoice.facts if fact.recorded_at < recorded_at]
        invoice.facts.append(Fact("unmapped", moment, recorded_at, invoice.jobid))


def _rows(invoices: list[Invoice], rng: Random) -> Iterator[QueuedRow]:
    """In the order of recording, which is also the order of their ids."""
    told = [(fact, invoice) for invoice in invoices for fact in invoice.facts]
    told.sort(key=lambda pair: (pair[0].recorded_at, pair[0].statustime))
    for number, (fact, invoice) in enumerate(told, start=3_603_682):
        yield QueuedRow(_row(number, fact, invoice.billnum, as_text=rng.random() < 0.1), fact.recorded_at)


def _row(number: int, fact: Fact, billnum: str, *, as_text: bool) -> Row:
    payment = fact.kind in ("payment", "discount")
    label, text, code = _wording(fact)
    return {
        "jobid": str(fact.jobid) if as_text else fact.jobid,
        "statusid": f"{'P' if payment else 'C'}{number}",
        "billnum": billnum,
        "statustype": "payment" if payment else "comment",
        "statustime": statustime(fact.statustime),
        "statusref": label,
        "statustext": text,
        "statuscode": code,
        "paydate": fact.statustime.date().isoformat() if payment else "",
        "amount": str(fact.amount) if payment else "",
    }


def _wording(fact: Fact) -> tuple[str, str, str]:
    """The row's label, text and code."""
    if fact.kind == "stage":
        return (*texts.STAGE_LABELS[fact.value], simulated_codes().stage_codes[fact.value])
    if fact.kind == "end":
        return (*texts.END_LABELS[fact.value], simulated_codes().end_codes[fact.value])
    return {
        "payment": (texts.PAYMENT_LABEL, PAYMENT_TYPE_NUMBER, ""),
        "discount": (texts.DISCOUNT_LABEL, DISCOUNT_TYPE_NUMBER, ""),
        "paid": (texts.PAID_LABEL, texts.PAID_TEXT, PAID_CODE),
        "message": (texts.MESSAGE_LABEL, fact.value, MESSAGE_CODE),
        "unmapped": (texts.UNMAPPED_LABEL, texts.UNMAPPED_TEXT, UNMAPPED_CODE),
    }[fact.kind]
