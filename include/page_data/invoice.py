"""One invoice: what Ropo One said of it, what the ledger was seen to say, and what was made of the difference."""

from __future__ import annotations

import datetime
from collections import defaultdict
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Scope
from include.config.status_map import PAYMENT_TYPE
from include.page_data.break_names import StandsAs, read_standing
from include.page_data.breaks import Break, read_breaks_of_invoice
from include.page_data.statements import rows_of, statement
from include.status_store.journal import Kind
from include.status_store.rows import named_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from zoneinfo import ZoneInfo

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.config.status_map import StatusMap

EVENTS_SHOWN = 500
SEEN_SHOWN = 200
_INQUIRIES_SHOWN = 5


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What one reconciliation recorded of the invoice (``invoice_items.sql``); the ledger as of ``ledger_cutoff``.

    :param invoice_key: the name that it went by then.
    :param checked_at: when its date was last compared and came to the same.
    :param is_blind: the ledger had no row at all then: of the invoice that says nothing.
    """

    reconciliation_id: int
    invoice_key: str
    business_date: datetime.date
    scope: Scope
    started_at: datetime.datetime
    checked_at: datetime.datetime
    ledger_cutoff: datetime.datetime
    dag_id: str | None
    run_id: str | None
    billnum: str | None
    jobid: str | None
    category: str
    reason: str | None
    hint: str | None
    pending_until: datetime.datetime | None
    is_accepted: bool
    ropo_status: str | None
    ledger_status: str | None
    ledger_word: str | None
    ledger_row_count: int
    currency: str
    ropo_paid: Decimal | None
    ropo_discount: Decimal | None
    ledger_total: Decimal | None
    ledger_paid: Decimal | None
    ledger_discount: Decimal | None
    ledger_credited: Decimal | None
    ledger_open: Decimal | None
    further: str | None
    is_blind: bool

    def is_past_grace(self, now: datetime.datetime) -> bool:
        """Tell whether its grace is over and nothing has compared it since, where this was recorded last of it."""
        return self.pending_until is not None and self.checked_at < self.pending_until <= now

    @property
    def ledger(self) -> tuple[object, ...]:
        """The ledger's side alone: equal where nothing changed there."""
        return (
            self.ledger_row_count, self.ledger_status, self.ledger_word, self.ledger_total, self.ledger_paid,
            self.ledger_discount, self.ledger_credited, self.ledger_open,
        )  # fmt: skip


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One row of Ropo One (``invoice_events.sql``).

    :param raw: and ``revisions``: JSON as text, for people who may see personal data; ``statustext`` likewise.
    """

    statusid: str
    jobid: str | None
    billnum: str | None
    statustype: str
    statustime: datetime.datetime
    statuscode: str
    statusref: str
    statustext: str
    paydate: datetime.date | None
    amount: Decimal | None
    raw: str
    source: Kind
    first_poll_id: int
    first_seen_at: datetime.datetime
    erased_at: datetime.datetime | None
    revisions: list[str]

    @property
    def is_payment(self) -> bool:
        """Whether it is a row of type ``payment``, whose text is a kind and no free text."""
        return self.statustype == PAYMENT_TYPE


class BreakEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to a break (``invoice_break_events.sql``)."""

    break_id: int
    at: datetime.datetime
    by_whom: str
    kind: str
    note: str | None
    reconciliation_id: int | None


class Inquiry(msgspec.Struct, frozen=True, kw_only=True):
    """A poll by this invoice number (``invoice_inquiries.sql``)."""

    poll_id: int
    outcome: str
    opened_at: datetime.datetime
    closed_at: datetime.datetime | None
    row_count: int | None
    new_count: int | None
    error: str | None
    dag_id: str | None
    run_id: str | None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice that a searched text names (``invoice_keys.sql``)."""

    invoice_key: str
    billnum: str | None
    jobid: str | None


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the time line: an event, or a look at the ledger that showed it changed; by the market's clock.

    :param beside: the ledger as last seen at that moment; None before the first look.
    """

    when: datetime.datetime
    event: Event | None = None
    look: Seen | None = None
    beside: Seen | None = None


class PaymentSum(msgspec.Struct, frozen=True, kw_only=True):
    """The payments of one type.

    :param code: Ropo's number of the type; ``kind``: what the status map makes of it, None where it lacks the type.
    :param amount: their sum; rows without an amount are ``blank``.
    """

    code: str
    kind: str | None
    label: str
    count: int
    blank: int
    amount: Decimal


class Invoice(msgspec.Struct, frozen=True, kw_only=True):
    """All that the store holds of an invoice.

    :param goes_by: the key that it has now, where that is another one; None where this is it.
    :param seen: under its former names too, the newest first; ``events`` and ``timeline``: the oldest first.
    :param has_earlier: more reconciliations had it than are shown; the newest are.
    :param is_cut: it has more events than are shown; the newest are.
    :param renumbered: other numbers that jobs have now which were spoken of by this one; their events stand there.
    :param breaks: those under its former names too, each with that name as its ``invoice_key``.
    :param standing: of those that are resolved, as what they stand under another name, by their ids.
    """

    key: str
    billnum: str | None
    jobid: str | None
    goes_by: str | None
    seen: list[Seen]
    has_earlier: bool
    events: list[Event]
    is_cut: bool
    renumbered: list[str]
    breaks: list[Break]
    standing: dict[int, StandsAs]
    history: dict[int, list[BreakEvent]]
    inquiries: list[Inquiry]
    timeline: list[Moment]

    @property
    def latest(self) -> Seen | None:
        """What was seen last; None where no reconciliation had the invoice."""
        return self.seen[0] if self.seen else None

    def stands(self, each: Break) -> str:
        """Return the state of a break, or of what stands of it under another name."""
        return self.standing[each.break_id].state if each.break_id in self.standing else each.state

    @property
    def is_known(self) -> bool:
        """Whether the store holds anything of it."""
        return bool(self.seen or self.events)


def find_invoices(cursor: Cursor, profile: str, text: str) -> list[Named]:
    """Return the invoices that have a text as their number or jobid; an invoice number may stand for several."""
    return rows_of(cursor, Named, "invoice_keys", {"profile": profile, "text": text.strip()})


def read_invoice(cursor: Cursor, profile: Profile, key: str) -> Invoice:
    """Return what the store holds of the invoice of a key, ``b:<billnum>`` or ``j:<jobid>``."""
    kind, _, value = key.partition(":")
    of_invoice = {"profile": profile.name, "invoice_key": key, "limit": SEEN_SHOWN + 1}
    every = _seen(cursor, of_invoice)
    seen = every[:SEEN_SHOWN]
    billnum, jobid = (value, None) if kind == "b" else (None, value)
    parameters = {"profile": profile.name, "billnum": billnum, "jobid": jobid, "limit": EVENTS_SHOWN + 1}
    newest_first = [_legible(event) for event in rows_of(cursor, Event, "invoice_events", parameters)]
    events = newest_first[:EVENTS_SHOWN][::-1]
    breaks = read_breaks_of_invoice(cursor, profile.name, key)
    history: dict[int, list[BreakEvent]] = defaultdict(list)
    break_ids = [each.break_id for each in breaks]
    for each in rows_of(cursor, BreakEvent, "invoice_break_events", {"break_ids": break_ids}):
        history[each.break_id].append(each)
    billnum = billnum or _newest([item.billnum for item in seen]) or _newest([each.billnum for each in newest_first])
    asked = {"profile": profile.name, "billnum": billnum, "limit": _INQUIRIES_SHOWN}
    return Invoice(
        key=key,
        billnum=billnum,
        jobid=jobid or _newest([item.jobid for item in seen]) or _newest([each.jobid for each in newest_first]),
        goes_by=_goes_by(cursor, of_invoice | {"jobid": None if kind == "b" else value}),
        seen=seen,
        has_earlier=len(every) > len(seen),
        events=events,
        is_cut=len(newest_first) > EVENTS_SHOWN,
        renumbered=_renumbered(cursor, profile, value) if kind == "b" else [],
        breaks=breaks,
        standing=read_standing(cursor, (each.break_id for each in breaks if each.state == "resolved")),
        history=history,
        inquiries=rows_of(cursor, Inquiry, "invoice_inquiries", asked) if billnum else [],
        timeline=list(_timeline(events, seen, profile.zone)),
    )


def _seen(cursor: Cursor, of_invoice: dict[str, object]) -> list[Seen]:
    cursor.execute(statement("invoice_items").format(newest_of_job=statement("newest_of_job")), of_invoice)
    return [msgspec.convert(row, Seen) for row in named_rows(cursor)]


def _goes_by(cursor: Cursor, of_invoice: dict[str, object]) -> str | None:
    cursor.execute(statement("invoice_goes_by").format(newest_of_job=statement("newest_of_job")), of_invoice)
    return next((key for (key,) in cursor.fetchall()), None)


def _renumbered(cursor: Cursor, profile: Profile, billnum: str) -> list[str]:
    cursor.execute(statement("invoice_renumbered"), {"profile": profile.name, "billnum": billnum})
    return [number for (number,) in cursor.fetchall()]


def payment_sums(events: Iterable[Event], status_map: StatusMap) -> list[PaymentSum]:
    """Return the payments by type, in the order of the types' first payment; an amount is never guessed."""
    by_code: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.is_payment:
            by_code[event.statustext.strip()].append(event)
    return [
        PaymentSum(
            code=code,
            kind=status_map.payments.get(code),
            label=found[-1].statusref,
            count=len(found),
            blank=sum(event.amount is None for event in found),
            amount=sum((event.amount for event in found if event.amount is not None), Decimal("0.00")),
        )
        for code, found in by_code.items()
    ]


def _legible(event: Event) -> Event:
    """Return an event with its JSON indented; its values stay as they are written."""
    raw, *revisions = (msgspec.json.format(text, indent=2) for text in (event.raw, *event.revisions))
    return msgspec.structs.replace(event, raw=raw, revisions=revisions)


def _newest(values: list[str | None]) -> str | None:
    return next((value for value in values if value), None)


def _timeline(events: list[Event], seen: list[Seen], zone: ZoneInfo) -> Iterator[Moment]:
    looks = [(look.ledger_cutoff.astimezone(zone).replace(tzinfo=None), look) for look in _changes(seen)]
    beside: Seen | None = None
    place = 0
    for event in events:
        while place < len(looks) and looks[place][0] < event.statustime:
            when, beside = looks[place]
            yield Moment(when=when, look=beside, beside=beside)
            place += 1
        yield Moment(when=event.statustime, event=event, beside=beside)
    for when, look in looks[place:]:
        yield Moment(when=when, look=look, beside=look)


def _changes(seen: list[Seen]) -> Iterator[Seen]:
    """The looks, the oldest first, that showed the ledger otherwise than the one before; an empty ledger is none."""
    before: tuple[object, ...] | None = None
    for look in sorted((each for each in seen if not each.is_blind), key=lambda each: each.ledger_cutoff):
        if look.ledger != before:
            yield look
        before = look.ledger
