"""The books of a small Finnish company, as its accountant sets them up: chart, fiscal years, means of payment."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from demo.tryton.inside.session import Wizard, model, only, refresh, shipped

COMPANY = "Esimerkki Oy"
CURRENCIES = {"EUR": Decimal(1), "SEK": Decimal("11.20"), "NOK": Decimal("11.70")}
# Finland's general rate since September 2024.
VAT = Decimal("0.255")
BANK, CASH_DISCOUNT = "Pankki", "Kassa-alennus"
TERM_DAYS = 14
# Of the universal chart that Tryton ships.
CASH, RECEIVABLE, PAYABLE, VAT_OWED = "1.1.1", "1.2.1", "2.1.1", "6.3.6"
SALES, DISCOUNTS_GRANTED, EXCHANGE_DIFFERENCES = "4.1.2", "4.3.1", "6.2.1"


def set_up(first_year: int, last_year: int) -> None:
    """
    Make the books; what is there is left as it is.

    :param first_year: of the fiscal years, which are calendar years.
    :param last_year: included.
    """
    if model("company.company").find([]):
        return
    _currencies()
    _company()
    refresh()
    _chart()
    _exchange_differences()
    for year in range(first_year, last_year + 1):
        _fiscal_year(year)
    _means_of_payment()
    _tax()


def account(code: str) -> Any:
    """
    An account of the chart.

    :param code: its number.
    """
    return only("account.account", ("code", "=", code))


def _currencies() -> None:
    for code, rate in CURRENCIES.items():
        currency = model("currency.currency")(name=code, code=code, symbol=code, rounding=Decimal("0.01"))
        currency.save()
        model("currency.currency.rate")(currency=currency, date=datetime.date(2000, 1, 1), rate=rate).save()


def _company() -> None:
    party = model("party.party")(name=COMPANY)
    party.save()
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party = party
    wizard.form.currency = only("currency.currency", ("code", "=", "EUR"))
    wizard.form.timezone = "Europe/Helsinki"
    wizard.execute("add")
    company = only("company.company")
    # Without it, a posted customer invoice can only be credited.
    company.cancel_invoice_out = True
    company.save()


def _chart() -> None:
    template = model("account.account.template")(shipped("account.account_template_root_en"))
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    wizard.form.account_template = template
    wizard.form.company = only("company.company")
    wizard.execute("create_account")
    wizard.form.account_receivable = account(RECEIVABLE)
    wizard.form.account_payable = account(PAYABLE)
    wizard.execute("create_properties")


def _exchange_differences() -> None:
    configuration = model("account.configuration")(1)
    configuration.currency_exchange_journal = only("account.journal", ("code", "=", "EXC"))
    configuration.currency_exchange_credit_account = account(EXCHANGE_DIFFERENCES)
    configuration.currency_exchange_debit_account = account(EXCHANGE_DIFFERENCES)
    configuration.save()


def _fiscal_year(year: int) -> None:
    company = only("company.company")
    fiscal_year = model("account.fiscalyear")(name=str(year), company=company)
    fiscal_year.start_date, fiscal_year.end_date = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
    fiscal_year.move_sequence = _sequence("Account Move", f"Tositteet {year}", "")
    invoices, credit_notes = (
        _sequence("Invoice", f"Laskut {year}", f"{year}"),
        _sequence("Invoice", "Hyvitykset", f"H{year}"),
    )
    sequences = (
        fiscal_year.invoice_sequences[0] if fiscal_year.invoice_sequences else fiscal_year.invoice_sequences.new()
    )
    sequences.out_invoice_sequence = sequences.in_invoice_sequence = invoices
    sequences.out_credit_note_sequence = sequences.in_credit_note_sequence = credit_notes
    fiscal_year.save()
    fiscal_year.click("create_period")


def _sequence(kind: str, name: str, prefix: str) -> Any:
    sequence = model("ir.sequence.strict")(name=name, prefix=prefix, padding=4)
    sequence.sequence_type = only("ir.sequence.type", ("name", "=", kind))
    sequence.company = only("company.company")
    sequence.save()
    return sequence


def _means_of_payment() -> None:
    bank = model("account.invoice.payment.method")(name=BANK, journal=only("account.journal", ("type", "=", "cash")))
    bank.credit_account = bank.debit_account = account(CASH)
    bank.save()
    journal = model("account.journal")(name=CASH_DISCOUNT, type="write-off")
    journal.save()
    discount = model("account.move.reconcile.write_off")(name=CASH_DISCOUNT, journal=journal)
    discount.credit_account = discount.debit_account = account(DISCOUNTS_GRANTED)
    discount.save()
    term = model("account.invoice.payment_term")(name=f"{TERM_DAYS} pv netto")
    term.lines.new(type="remainder").relativedeltas.new(days=TERM_DAYS)
    term.save()


def _tax() -> None:
    tax = model("account.tax")(name="ALV 25,5 %", description="ALV 25,5 %", type="percentage", rate=VAT)
    tax.invoice_account = tax.credit_note_account = account(VAT_OWED)
    tax.save()
