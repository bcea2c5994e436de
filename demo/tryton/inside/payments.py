"""Money: received for one invoice or several, with a cash discount, reversed."""

from __future__ import annotations

from typing import Any

from demo.tryton.inside.books import BANK, CASH, CASH_DISCOUNT, RECEIVABLE, account
from demo.tryton.inside.invoices import find, open_lines
from demo.tryton.inside.session import Wizard, amount, day, model, only


def pay(number: str, total: str, date: str, discount: str | None = None) -> str:
    """
    Book a payment by Tryton's wizard: less than is open stays open, more is an overpayment.

    :param number: the invoice's.
    :param total: money received.
    :param date: of the payment.
    :param discount: a cash discount that settles the rest; written off.
    :return: the invoice's state.
    :raises ValueError: if the discount is not just the rest.
    """
    invoice = find(number)
    wizard = Wizard("account.invoice.pay", [invoice])
    wizard.form.amount = amount(total)
    wizard.form.date = day(date)
    wizard.form.payment_method = only("account.invoice.payment.method", ("name", "=", BANK))
    wizard.execute("choice")
    if discount is not None:
        _write_off(wizard, amount(discount))
    elif wizard.state == "choice" and amount(total) > invoice.amount_to_pay:
        wizard.form.type = "overpayment"
        wizard.execute("pay")
    elif wizard.state == "choice":
        wizard.form.type = "partial"
        wizard.execute("pay")
    return str(find(number).state)


def reverse(number: str) -> str:
    """
    Take back an invoice's newest payment, as after a bank's return: unreconcile it, cancel its booking, and name it no
    longer as a payment of the invoice.

    :param number: the invoice's.
    :return: the invoice's state.
    """
    line = max(find(number).payment_lines, key=lambda each: each.id)
    if line.reconciliation is not None:
        Wizard("account.move.unreconcile_lines", [line])
    wizard = Wizard("account.move.cancel", [model("account.move")(line.move.id)])
    wizard.execute("cancel")
    line = model("account.move.line")(line.id)
    line.invoice_payment = None
    line.save()
    return str(find(number).state)


def receive(numbers: list[str], date: str) -> None:
    """
    Book one transfer that settles what is open of several invoices of a party, credit notes taken off.

    :param numbers: the invoices', grouped before or not.
    :param date: of the transfer.
    """
    lines = list({line.id: line for number in numbers for line in _owed(find(number))}.values())
    total = sum(line.debit - line.credit for line in lines)
    move = model("account.move")(date=day(date), journal=only("account.journal", ("type", "=", "cash")))
    move.period = _period(date)
    received, settling = move.lines.new(), move.lines.new()
    received.account, received.debit = account(CASH), total
    settling.account, settling.party, settling.credit = account(RECEIVABLE), lines[0].party, total
    move.save()
    move.click("post")
    transfer = [line for line in model("account.move")(move.id).lines if line.credit]
    Wizard("account.move.reconcile_lines", lines + transfer)


def group(numbers: list[str]) -> None:
    """
    Group what is open of several invoices into one line, as for one reminder or one direct debit.

    :param numbers: the invoices', of one party.
    """
    lines = [line for number in numbers for line in open_lines(find(number))]
    wizard = Wizard("account.move.line.group", lines)
    wizard.form.journal = only("account.journal", ("type", "=", "cash"))
    wizard.execute("group")


def _write_off(wizard: Any, discount: Any) -> None:
    if wizard.form.amount_writeoff != discount:
        raise ValueError(f"a discount of {discount} does not settle the rest of {wizard.form.amount_writeoff}")
    wizard.form.type = "writeoff"
    wizard.form.writeoff = only("account.move.reconcile.write_off", ("name", "=", CASH_DISCOUNT))
    wizard.execute("pay")


def _owed(invoice: Any) -> list[Any]:
    """An invoice's open lines, or those that took their place when they were grouped."""
    owed = []
    for line in invoice.lines_to_pay:
        while line.reconciliation is not None and line.reconciliation.delegate_to is not None:
            line = line.reconciliation.delegate_to  # noqa: PLW2901 - goes on to where the debt went
        if line.reconciliation is None:
            owed.append(line)
    return owed


def _period(date: str) -> Any:
    moment = day(date)
    return only("account.period", ("start_date", "<=", moment), ("end_date", ">=", moment), ("type", "=", "standard"))
