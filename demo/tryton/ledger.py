"""The demo's ledger in Tryton: the data set's invoices, booked through Tryton's own API, less known differences."""

from __future__ import annotations

import datetime
import itertools
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from demo.tryton import client
from include.simulator.dataset import make_dataset
from include.simulator.differences import apply_differences, plan_differences
from include.simulator.ledger_entries import DRAFT, known_facts, ledger_entries

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from include.simulator.dataset import Dataset
    from include.simulator.differences import Difference
    from include.simulator.ledger_entries import LedgerEntry
    from local_airflow.embedded import Server

DATABASE = "tryton"
PAST_DAYS = 18
# Booking takes Tryton about a third of a second an invoice: this is some eighty of them.
SCALE = 0.02
# Double entry cannot disagree with itself.
_IMPOSSIBLE = ("ledger_inconsistent",)
_AT_ONCE = 25


def make_small_dataset(seed: int, as_of: datetime.datetime, zone: ZoneInfo) -> Dataset:
    """Make up the data of the last days, no more than Tryton books in a minute.

    :param seed: of all chance; so small a data set cannot always hold the differences, so the seeds after it are tried.
    :param as_of: aware; the data set ends with the day before its.
    :param zone: the market's.
    """
    first_day = as_of.astimezone(zone).date() - datetime.timedelta(days=PAST_DAYS)
    for each in itertools.count(seed):
        dataset = make_dataset(each, first_day, PAST_DAYS, SCALE, zone.key)
        with suppress(ValueError):
            plan(dataset, as_of)
            break
    return dataset


def plan(dataset: Dataset, as_of: datetime.datetime) -> list[Difference]:
    """Choose the differences to put into Tryton, one of each category that it can hold.

    :param as_of: aware.
    :raises ValueError: if the data set is too small to hold them.
    """
    planned = plan_differences(dataset, as_of, per_category=1)
    return [_redated(dataset, each, as_of) for each in planned if each.category not in _IMPOSSIBLE]


def book(
    home: Path, server: Server, dataset: Dataset, differences: Sequence[Difference], as_of: datetime.datetime
) -> None:
    """Book the ledger into a Tryton database of its own, made anew.

    :param home: keeps Tryton's environment for the next time.
    :param server: its running server.
    :param as_of: aware; the ledger is right at this moment, outside the differences.
    :raises TrytonError: if Tryton refuses a booking.
    """
    python = client.environment(home)
    open_books(server, DATABASE, python, first_year=dataset.first_day.year, last_year=as_of.year)
    entries = apply_differences(ledger_entries(dataset, as_of), list(differences), ZoneInfo(dataset.timezone))
    with client.running(server, DATABASE, python) as tryton:
        for start in range(0, len(entries), _AT_ONCE):
            tryton.ask("create", invoices=[_invoice(entry) for entry in entries[start : start + _AT_ONCE]])
        for entry in entries:
            for request, arguments in _bookings(entry):
                tryton.ask(request, number=entry.billnum, **arguments)


def open_books(server: Server, name: str, python: Path, *, first_year: int, last_year: int) -> None:
    """Make a Tryton database with the empty books of a company, in the place of one of that name.

    :param server: the running server; keeps the empty books as a template for the next time.
    :param name: the database's.
    :param python: of Tryton's environment.
    :param first_year: of the fiscal years, ``last_year`` included.
    :raises TrytonError: if Tryton cannot make it.
    """
    books = f"{DATABASE}_books_{first_year}_{last_year}"
    client.make_database(server, books, python, first_year=first_year, last_year=last_year)
    server.drop_database(name)
    server.create_database(name, owner=client.OWNER, template=books)
    client.grant(server, name)


def _redated(dataset: Dataset, difference: Difference, as_of: datetime.datetime) -> Difference:
    """On which dates Tryton's ledger shows it: everything is booked today, whatever day it is dated."""
    found = [invoice for invoice in dataset.invoices if invoice.billnum == difference.billnum]
    days = {fact.statustime.date() for invoice in found for fact in known_facts(invoice, as_of)}
    if difference.category != "missing_in_ledger":
        days |= {invoice.issued_on for invoice in found}
    dates = tuple(sorted(days)) or difference.dates
    return replace(difference, business_date=dates[-1], dates=dates)


def _invoice(entry: LedgerEntry) -> dict[str, object]:
    draft = entry.status == DRAFT
    return {
        "party": entry.customer,
        "total": str(entry.total),
        "date": entry.issued_on.isoformat(),
        "currency": entry.currency,
        "jobid": entry.jobid,
        "number": None if draft else entry.billnum,
        "draft": draft,
    }


def _bookings(entry: LedgerEntry) -> Iterator[tuple[str, dict[str, str | bool]]]:
    """What is done with an invoice once it is posted. Tryton's SELECT does not tell the print service's invoices apart,
    so what debtors pay past Ropo stays unbooked.
    """
    payments = [] if entry.print_service else list(entry.payments)
    for payment, following in itertools.zip_longest(payments, payments[1:]):
        date = payment.booked_at.date().isoformat()
        if payment.kind == "discount":
            continue  # booked with the payment before it
        if payment.amount < 0:
            yield "reverse", {}
        elif following is not None and following.kind == "discount":
            yield "pay", {"total": str(payment.amount), "date": date, "discount": str(following.amount)}
        else:
            yield "pay", {"total": str(payment.amount), "date": date}
    if entry.status == "cancelled":
        yield "cancel", {}
    if entry.status == "credited":
        yield "credit", {"date": entry.changed_at.date().isoformat(), "refund": True}
