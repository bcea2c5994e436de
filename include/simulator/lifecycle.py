"""How an invoice lives: sent, spoken of, due, reminded, paid in one way or another, credited or cancelled."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from include.simulator import texts
from include.simulator.invoices import Fact

if TYPE_CHECKING:
    from random import Random
    from zoneinfo import ZoneInfo

    from include.simulator.invoices import FactKind, Invoice

CENT = Decimal("0.01")
SATURDAY = 5
_STAGES_AFTER_DUE = (("due", 1), ("reminded", 8), ("in_collection", 22))


def next_weekday(day: date) -> date:
    """That day, or the Monday after where it falls on a weekend: banks and letters rest."""
    return day + timedelta(days=7 - day.weekday()) if day.weekday() >= SATURDAY else day


def cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, half up."""
    return amount.quantize(CENT, ROUND_HALF_UP)


class Life:
    """Writes the facts of one invoice's life, up to the data set's end.

    :param invoice: gets the facts.
    :param rng: the data set's generator.
    :param zone: the market's.
    :param end: facts of this day and later have not happened yet.
    """

    def __init__(self, invoice: Invoice, rng: Random, zone: ZoneInfo, end: date) -> None:
        self.invoice = invoice
        self.rng = rng
        self.zone = zone
        self.end = end
        # Payments of one invoice become known in their order, however late: a reversal never before its payment.
        self._payments_known_at = datetime.min.replace(tzinfo=UTC)
        self._jobid = invoice.earlier_jobid or invoice.jobid

    def live(self) -> None:
        """Fill `invoice.facts` and `invoice.direct_payments`."""
        if self.invoice.kind == "normal":
            self._live_normally()
        elif self.invoice.kind == "print_service":
            self._live_past_ropo()
        elif self.invoice.kind == "credit_note" and self._chance(0.8):
            self._message(f"Hyvityslasku {self.invoice.billnum} kohdistettu")
        self.invoice.facts.sort(key=lambda fact: (fact.recorded_at, fact.statustime))

    def _live_normally(self) -> None:
        sent_on = self._sent_on()
        if self._chance(0.95):
            self._stage("invoiced", self._sent_local() + timedelta(seconds=self.rng.randint(60, 3_600)))
        if self.invoice.earlier_jobid is not None:
            self._jobid = self.invoice.jobid
            self._stage("invoiced", self._office_hour(sent_on + timedelta(days=1)))
        for _ in range(self.rng.choices((0, 1, 2), (70, 22, 8))[0]):
            self._message(texts.message(self.rng, self.invoice.customer))
        fate = self.rng.random()
        if fate < 0.012:
            self._end("cancelled", sent_on + timedelta(days=self.rng.randint(1, 5)))
        elif fate < 0.035:
            self._end("credited", sent_on + timedelta(days=self.rng.randint(3, 10)))
        else:
            pay_day = self._pay_day(sent_on)
            self._go_overdue(until=pay_day)
            self._pay(pay_day)

    def _live_past_ropo(self) -> None:
        self._stage("invoiced", self._sent_local() + timedelta(seconds=self.rng.randint(60, 3_600)))
        if self._chance(0.2):
            self._message(texts.message(self.rng, self.invoice.customer))
        pay_day = self._pay_day(self._sent_on())
        if pay_day < self.end:
            self.invoice.direct_payments.append((self._aware(self._office_hour(pay_day)), self.invoice.total))

    def _pay_day(self, sent_on: date) -> date:
        """When the customer pays: at once, around the due day, late, or never (the last day there is)."""
        habit = self.rng.random()
        term = (self.invoice.due_on - sent_on).days
        if habit < 0.2:
            day = sent_on + timedelta(days=self.rng.randint(1, 5))
        elif habit < 0.72:
            day = sent_on + timedelta(days=max(1, term - self.rng.choice((0, 0, 0, 1, 2, 3))))
        elif habit < 0.93:
            day = self.invoice.due_on + timedelta(days=self.rng.randint(2, 28))
        else:
            return date.max
        return next_weekday(day)

    def _go_overdue(self, *, until: date) -> None:
        for stage, days in _STAGES_AFTER_DUE:
            day = next_weekday(self.invoice.due_on + timedelta(days=days))
            if day < min(until, self.end):
                self._stage(stage, self._office_hour(day))

    def _pay(self, day: date) -> None:
        total, due = self.invoice.total, self.invoice.due_on
        manner = self.rng.random()
        if manner < 0.82:
            self._payment(day, total, settles=True)
        elif manner < 0.87 and day <= due:
            discount = cents(total * Decimal("0.02"))
            self._payment(day, total - discount, discount=discount, settles=True)
        elif manner < 0.94:
            first = cents(total * Decimal(self.rng.randint(30, 70)) / 100)
            self._payment(day, first)
            self._payment(self._later(day, self.rng.randint(4, 15)), total - first, settles=True)
        elif manner < 0.97:
            self._payment(day, total + self.rng.choice((Decimal("0.50"), Decimal("10.00"), total)), settles=True)
        else:
            self._pay_and_reverse(day)

    def _pay_and_reverse(self, day: date) -> None:
        total = self.invoice.total
        self._payment(day, total, settles=True)
        reversed_on = self._later(day, self.rng.randint(2, 4))
        self._payment(reversed_on, -total)
        if self._chance(0.5):
            self._payment(self._later(reversed_on, 3), total, settles=True)
        elif reversed_on > self.invoice.due_on:
            overdue_on = self._later(reversed_on, 1)
            if overdue_on < self.end:
                self._stage("due", self._office_hour(overdue_on))

    def _later(self, day: date, days: int) -> date:
        return date.max if date.max - day <= timedelta(days=days + 7) else next_weekday(day + timedelta(days=days))

    def _payment(self, day: date, amount: Decimal, *, discount: Decimal | None = None, settles: bool = False) -> None:
        if day >= self.end:
            return
        seen = self._office_hour(day)
        recorded_at = self._payments_known_at = max(self._recorded(seen), self._payments_known_at)
        booked = datetime.combine(day, time())
        self._fact("payment", booked, recorded_at, amount=amount)
        if discount is not None:
            self._fact("discount", booked, recorded_at, amount=discount)
        if settles:
            self._fact("paid", seen, recorded_at)

    def _stage(self, stage: str, moment: datetime) -> None:
        if moment.date() < self.end:
            self._fact("stage", moment, self._recorded(moment), value=stage)

    def _end(self, end: str, day: date) -> None:
        if next_weekday(day) < self.end:
            moment = self._office_hour(next_weekday(day))
            self._fact("end", moment, self._recorded(moment), value=end)

    def _message(self, text: str) -> None:
        day = next_weekday(self._sent_on() + timedelta(days=self.rng.randint(1, 20)))
        if day < self.end:
            moment = self._office_hour(day)
            self._fact("message", moment, self._recorded(moment), value=text)

    def _fact(
        self, kind: FactKind, moment: datetime, recorded_at: datetime, *, value: str = "", amount: Decimal | None = None
    ) -> None:
        self.invoice.facts.append(Fact(kind, moment, recorded_at, self._jobid, value, amount))

    def _recorded(self, moment: datetime) -> datetime:
        """Soon after; now and then days late, as integrators see it."""
        late_days = self.rng.randint(1, 4) if self._chance(0.03) else 0
        return self._aware(moment) + timedelta(days=late_days, seconds=self.rng.randint(5, 2_400))

    def _office_hour(self, day: date) -> datetime:
        return datetime.combine(day, time(8)) + timedelta(seconds=self.rng.randint(0, 32_000))

    def _aware(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self.zone).astimezone(UTC)

    def _sent_local(self) -> datetime:
        if self.invoice.sent_at is None:
            raise ValueError(f"invoice {self.invoice.billnum} was never sent")
        return self.invoice.sent_at.astimezone(self.zone).replace(tzinfo=None)

    def _sent_on(self) -> date:
        return self._sent_local().date()

    def _chance(self, probability: float) -> bool:
        return self.rng.random() < probability
