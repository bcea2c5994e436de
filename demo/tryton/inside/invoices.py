"""Customer invoices: made and posted, credited, cancelled, listed."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING, Any

from demo.tryton.inside.books import SALES, TERM_DAYS, VAT, account
from demo.tryton.inside.session import Wizard, amount, day, model, only

if TYPE_CHECKING:
    from collections.abc import Iterable

CENT = Decimal("0.01")
INVOICE = "account.invoice"


def create(invoices: list[dict[str, Any]]) -> list[str]:
    """
    Make and post customer invoices, with Finnish VAT in them, all in one batch.

    :param invoices: each with party, total (negative: a credit note), date, and as they are wished: currency (EUR),
        jobid, number (without it the sequence's next), draft (True: not posted).
    :return: their numbers, in the same order; an empty text for a draft without one.
    """
    parties = _parties({each["party"] for each in invoices})
    shared = _Shared()
    records = [shared.invoice(parties[each["party"]], each) for each in invoices]
    model(INVOICE).save(records)
    _number((record, each["number"]) for record, each in zip(records, invoices, strict=True) if each.get("number"))
    to_post = [record for record, each in zip(records, invoices, strict=True) if not each.get("draft")]
    if to_post:
        model(INVOICE).click(to_post, "post")
    return [model(INVOICE)(record.id).number or "" for record in records]


def cancel(number: str) -> None:
    """
    Cancel a posted invoice; Tryton reverses its booking.

    :param number: the invoice's.
    """
    find(number).click("cancel")


def credit(number: str, date: str, total: str | None = None, *, refund: bool = False, jobid: str | None = None) -> str:
    """
    Credit an invoice, in full or in part, and settle it with the credit note.

    :param number: the invoice's.
    :param date: of the credit note.
    :param total: positive; all of the invoice without it.
    :param refund: by Tryton's option "With Refund", which cancels the invoice; else the credit note is reconciled with
        the invoice, or, where that does not settle it, named as one of its payments.
    :param jobid: of the credit note.
    :return: the credit note's number.
    """
    invoice = find(number)
    wizard = Wizard("account.invoice.credit", [invoice])
    wizard.form.with_refund = refund
    wizard.form.invoice_date = day(date)
    wizard.execute("credit")
    note = wizard.actions[0][0]
    if jobid is not None:
        note.reference = jobid
        note.save()
    if not refund:
        if total is not None:
            for _ in range(len(note.lines) - 1):
                note.lines.pop()
            _Shared().fill(note, -amount(total))
        note.click("post")
        _settle(find(number), model(INVOICE)(note.id))
    return str(model(INVOICE)(note.id).number)


def set_jobid(number: str, jobid: str | None) -> None:
    """
    Write Ropo's jobid into an invoice's reference.

    :param number: the invoice's.
    :param jobid: None takes it away.
    """
    invoice = find(number)
    invoice.reference = jobid
    invoice.save()


def listed() -> list[dict[str, Any]]:
    """What Tryton's own list of customer invoices shows: number, reference, state, total_amount, amount_to_pay."""
    names = ("number", "reference", "state", "total_amount", "amount_to_pay")
    return [{name: getattr(each, name) for name in names} for each in model(INVOICE).find([("type", "=", "out")])]


def find(number: str) -> Any:
    """
    An invoice, read anew.

    :param number: the invoice's.
    :raises LookupError: if there is none, or more than one.
    """
    return only(INVOICE, ("type", "=", "out"), ("number", "=", number))


def open_lines(invoice: Any) -> list[Any]:
    """
    The bookings of an invoice on its receivable account that nothing is reconciled with.

    :param invoice: it.
    """
    return [line for line in invoice.lines_to_pay if line.reconciliation is None]


class _Shared:
    """What all invoices share, fetched once."""

    def __init__(self) -> None:
        self.revenue = account(SALES)
        self.tax = only("account.tax")
        self.term = only("account.invoice.payment_term", ("name", "=", f"{TERM_DAYS} pv netto"))
        self.currencies = {each.code: each for each in model("currency.currency").find([])}

    def invoice(self, party: Any, wanted: dict[str, Any]) -> Any:
        invoice = model(INVOICE)(type="out", party=party)
        invoice.payment_term = self.term
        invoice.currency = self.currencies[wanted.get("currency", "EUR")]
        invoice.invoice_date = invoice.payment_term_date = day(wanted["date"])
        invoice.reference = wanted.get("jobid")
        self.fill(invoice, amount(wanted["total"]))
        return invoice

    def fill(self, invoice: Any, total: Decimal) -> None:
        """One line with VAT in it; where VAT's rounding misses the total by a cent, a line of that cent."""
        quantity = -1 if total < 0 else 1
        net = (abs(total) / (1 + VAT)).quantize(CENT, ROUND_HALF_EVEN)
        missing = abs(total) - net - (net * VAT).quantize(CENT, ROUND_HALF_EVEN)
        line = invoice.lines[0] if invoice.lines else invoice.lines.new()
        line.account, line.quantity, line.unit_price = self.revenue, quantity, net
        line.description = "Palvelu"
        if not line.taxes:
            line.taxes.append(model("account.tax")(self.tax.id))
        if missing:
            rounding = invoice.lines.new()
            rounding.account, rounding.quantity, rounding.unit_price = self.revenue, quantity, missing
            rounding.description = "Pyöristys"


def _number(numbers: Iterable[tuple[Any, str]]) -> None:
    """No person may type a number, so it is written with a server script's rights, as when invoices are taken over."""
    writes = [each for record, number in numbers for each in ([record.id], {"number": number})]
    if writes:
        model(INVOICE)._proxy.write(*writes, {"_check_access": False})


def _parties(names: set[str]) -> dict[str, Any]:
    known = {party.name: party for party in model("party.party").find([("name", "in", sorted(names))])}
    new = [model("party.party")(name=name) for name in sorted(names - known.keys())]
    if new:
        model("party.party").save(new)
    return known | {party.name: party for party in new}


def _settle(invoice: Any, note: Any) -> None:
    lines = open_lines(invoice) + open_lines(note)
    if sum(line.debit - line.credit for line in lines) == 0:
        Wizard("account.move.reconcile_lines", lines)
        return
    for line in open_lines(note):
        line.invoice_payment = invoice
        line.save()
