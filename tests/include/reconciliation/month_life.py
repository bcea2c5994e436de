"""The life of a month: what Ropo One says, what the ledger books, the nights, and what people decide in the mornings.

It begins on the first date of the month, and goes on into the next one. What the plain rules (``rules.py``) say of all
that there is at a moment is what the comparisons are held to.
"""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from include.reconciliation.decisions import accept_breaks, reopen_breaks
from include.reconciliation.signing import SignOffError
from tests.include.reconciliation.month import FIRST, LAST, flags, night, signs, transaction
from tests.include.reconciliation.rules import Event, Row, judge_world
from tests.include.reconciliation.world import STATUS_MAP, World, at

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY, HALF_AN_HOUR = datetime.timedelta(days=1), datetime.timedelta(minutes=30)
MATCHED = "matched"
# What a step of an invoice's life touches: an event, with its date, or the ledger's row, with the date of the change.
Touch = tuple[str, datetime.date, datetime.date]


class Signed:
    """What was so when the month was signed.

    :param categories: by invoice; ``money``: of both sides, by invoice.
    :param accepted: invoices of the month whose difference was accepted; ``touches``: how often each was touched.
    """

    def __init__(self, life: MonthLife) -> None:
        self.categories, self.money = life.categories(), life.money()
        self.accepted = {invoice for invoice in life.named("accepted") if life.is_of_the_month(invoice)}
        self.touches = {invoice: len(touches) for invoice, touches in life.touches.items()}
        self.opened_again: set[str] = set()

    def since(self, life: MonthLife, invoice: str) -> list[Touch]:
        return life.touches.get(invoice, [])[self.touches.get(invoice, 0) :]


class MonthLife:
    """One life; ``day`` is the date that it has come to."""

    def __init__(self, world: World) -> None:
        self.world, self.day = world, FIRST
        self.minutes = 0
        self.touches: dict[str, list[Touch]] = {}
        self.at_the_end: dict[str, str] = {}
        self.signed: Signed | None = None

    def moment(self) -> datetime.datetime:
        """Each moment of a day lies after the one before."""
        self.minutes = (self.minutes + 1) % 600
        return at(f"{self.day} 06:00") + datetime.timedelta(minutes=self.minutes)

    # What comes of a day.

    def is_paid(self, invoice: str, amount: str, day: datetime.date | None = None) -> None:
        """Ropo One says so today; of an earlier date, where one is given."""
        date = min(day or self.day, self.day)
        self.world.payment(invoice, amount, str(date), seen=self.moment())
        self._touch(invoice, "event", date)

    def is_told(self, invoice: str, code: str, day: datetime.date | None = None) -> None:
        date, seen = min(day or self.day, self.day), self.moment()
        self.world.comment(invoice, code, f"{date} {seen:%H:%M}", seen=seen)
        self._touch(invoice, "event", date)

    def books(self, invoice: str, paid: str, status: str) -> None:
        self._change(invoice, "status = %s, paid = %s, open = 100 - %s - credited", status, paid, paid)

    def credits(self, invoice: str) -> None:
        self._change(invoice, "status = 'credited', credited = 100 - paid, open = 0")

    def is_sent(self, invoice: str) -> None:
        """The ledger has a row of it, if it has none yet."""
        if not self.world.ledger("SELECT FROM ropo_ledger WHERE billnum = %s", (invoice,)):
            seen = self.moment()
            self.world.row(invoice, sent_at=seen, changed_at=seen)
            self._touch(invoice, "row", self.day)

    def passes(self, *, is_full: bool = False) -> None:
        """The night: today's date is compared, then the earlier ones again, and everything, where that is asked for."""
        now = night(self.day)
        self.drains(now)
        reread = self.rereads(self.day, now)
        self.world.reconcile(self.day, now=now, reread_poll_id=reread)
        self.world.recheck(self.day, now=now)
        if is_full:
            self.world.reconcile(self.day, now=now + HALF_AN_HOUR, reread_poll_id=reread, scope="full")
        if self.day == LAST:
            self.at_the_end = self.categories()
        self.day += DAY

    def drains(self, now: datetime.datetime) -> None:
        """The queue is empty, half an hour before the night's comparisons."""
        self.world.poll("drain", "empty", opened_at=now - HALF_AN_HOUR, closed_at=now - HALF_AN_HOUR)

    def rereads(
        self, day: datetime.date, now: datetime.datetime, outcome: str = "landed", *, possibly_cut: bool = False
    ) -> int:
        """A date is re-read then; return the poll."""
        known = {"opened_at": now - HALF_AN_HOUR, "closed_at": now - HALF_AN_HOUR}
        counts = {"possibly_cut": possibly_cut, "absent_count": 0, "new_count": 0} if outcome == "landed" else {}
        return self.world.poll("date", outcome, filter_value=str(day), **known, **counts)

    # What people do in the morning after.

    def accepts(self, breaks: Iterable[int]) -> None:
        with transaction(self.world) as cursor:
            accept_breaks(cursor, list(breaks), by="Anna", note="known")

    def opens_again(self, break_id: int, invoice: str) -> None:
        with transaction(self.world) as cursor:
            reopen_breaks(cursor, [break_id], by="Otto", note="the wrong customer")
        if self.signed:
            self.signed.opened_again.add(invoice)

    def signs(self) -> str | None:
        """Sign the month; return why that cannot be."""
        try:
            signs(self.world, now=at(f"{self.day} 06:00"))
        except SignOffError as error:
            return str(error)
        self.signed = Signed(self)
        return None

    # How it stands.

    def breaks(self, state: str) -> list[tuple[int, str]]:
        query = "SELECT break_id, billnum FROM ropo.reconciliation_break WHERE state = %s ORDER BY break_id"
        return [(int(break_id), str(invoice)) for break_id, invoice in self.world.store(query, (state,))]

    def named(self, state: str) -> set[str]:
        return {invoice for _, invoice in self.breaks(state)}

    def standing(self) -> dict[str, str]:
        """The category of each invoice that has a break."""
        return dict(
            self.world.store("SELECT billnum, category FROM ropo.reconciliation_break WHERE state <> 'resolved'")
        )

    def differing(self) -> dict[str, str]:
        return {invoice: category for invoice, category in self.categories().items() if category != MATCHED}

    def categories(self, until: datetime.date = datetime.date.max) -> dict[str, str]:
        """What the rules say of each invoice, by its number: of the ledger, and of the events until a date."""
        events, rows = self._events(), self._rows()
        judged = judge_world([event for event in events if event.date <= until], rows, STATUS_MAP)
        return {re.sub("^(b:|j:J)", "", key): judgement.category for key, judgement in judged.items()}

    def money(self) -> dict[str, tuple[Decimal, Decimal]]:
        """What Ropo One has been paid for each invoice that the ledger has, and what that has booked."""
        paid = self._paid(datetime.date.min)
        return {row.billnum: (paid.get(row.billnum, Decimal(0)), row.paid) for row in self._rows()}

    def is_of_the_month(self, invoice: str) -> bool:
        """Whether a difference is the month's to settle.

        It is not, where the invoice was right by the month's end and nothing of the month came late: what is of a
        later date made it differ. Nor is it where it would be right but for what came after the month.
        """
        touches = self.touches.get(invoice, [])
        is_late = any(date <= LAST < came for _, date, came in touches)
        is_later = any(date > LAST for _, date, _ in touches)
        if is_later and not is_late and self.at_the_end.get(invoice, MATCHED) == MATCHED:
            return False
        ropo, ledger = self.money().get(invoice, (Decimal(0), Decimal(0)))
        is_paid_since = self._paid(LAST + DAY).get(invoice, Decimal(0)) == ropo - ledger != 0
        return self.categories(LAST).get(invoice, MATCHED) != MATCHED and not is_paid_since

    def changes(self) -> list[str]:
        """What must be flagged since the month was signed: invoices of it that are not as they were signed."""
        if self.signed is None:
            return []
        now, money = self.categories(), self.money()
        found = [f"{invoice} is accepted no more" for invoice in self.signed.opened_again & self.signed.accepted]
        for invoice in self.signed.accepted:
            was, category = self.signed.categories[invoice], now.get(invoice)
            if category != was:
                found.append(f"{invoice} was accepted as {was}, and is {category}")
            elif self.signed.money.get(invoice) != money.get(invoice):
                found.append(f"{invoice} was accepted with other money")
        for invoice, category in now.items():
            was = self.signed.categories.get(invoice, MATCHED)
            since = self.signed.since(self, invoice)
            if since and all(what == "event" and date <= LAST for what, date, _ in since):
                if was == MATCHED != category:
                    found.append(f"{invoice} differs by what came late")
                elif self.signed.money.get(invoice) != money.get(invoice):
                    found.append(f"{invoice} has other money by what came late")
        return found

    def is_quiet(self) -> bool:
        """Whether nothing touched what the month was signed with: neither its invoices nor what was accepted of any."""
        signed = self.signed
        return signed is not None and not (
            signed.opened_again
            or any(
                signed.since(self, invoice)
                and (invoice in signed.categories or any(date <= LAST for _, date, _ in signed.since(self, invoice)))
                for invoice in self.touches
            )
        )

    def flags(self) -> list[tuple[str, datetime.date]]:
        return flags(self.world)

    def _change(self, invoice: str, what: str, *values: str) -> None:
        query = f"UPDATE ropo_ledger SET {what}, changed_at = %s WHERE billnum = %s"
        self.world.ledger(query, (*values, self.moment(), invoice))
        self._touch(invoice, "row", self.day)

    def _touch(self, invoice: str, what: str, date: datetime.date) -> None:
        self.touches.setdefault(invoice, []).append((what, date, self.day))

    def _paid(self, since: datetime.date) -> dict[str, Decimal]:
        paid: dict[str, Decimal] = {}
        for event in self._events():
            if event.statustype == "payment" and event.date >= since:
                paid[str(event.billnum)] = paid.get(str(event.billnum), Decimal(0)) + (event.amount or Decimal(0))
        return paid

    def _events(self) -> list[Event]:
        query = (
            "SELECT statustime, statusid, jobid, billnum, statustype, "
            "CASE statustype WHEN 'payment' THEN statustext ELSE statuscode END, amount FROM ropo.status_event"
        )
        return [
            Event((moment, int(statusid[1:]), statusid), *others)
            for moment, statusid, *others in self.world.store(query)
        ]

    def _rows(self) -> list[Row]:
        query = (
            "SELECT billnum, jobid, status, total, paid, discount, credited, open, payments_by_ropo FROM ropo_ledger"
        )
        return [Row(*row) for row in self.world.ledger(query)]
