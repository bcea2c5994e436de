"""Rows of the status queue: the ten fields that Ropo sends (shape: a recorded answer, see docs/ropo_one_api.md)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

# One row as it goes over the wire.
Row = dict[str, Any]

FIELDS = (
    "jobid",
    "statusid",
    "billnum",
    "statustype",
    "statustime",
    "statusref",
    "statustext",
    "statuscode",
    "paydate",
    "amount",
)


@dataclass(frozen=True, slots=True)
class QueuedRow:
    """A row and the moment at which it enters the queue.

    :param row: the fields as sent.
    :param recorded_at: aware; before it the row does not exist for any poll.
    """

    row: Row
    recorded_at: datetime


def statustime(moment: datetime) -> str:
    """A moment as Ropo writes it: local, without a zone, to the second."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def make_row(number: int = 1, *, statustype: str = "comment", **fields: Any) -> Row:
    """One valid row; whatever is not said takes a plausible value.

    :param number: goes into `statusid` (C… for comments, P… for payments), `jobid` and `billnum`.
    :param statustype: "comment" (a message, code 98) or "payment" (of 10.00, type 1).
    :param fields: values of single fields, sent as they are given.
    :raises ValueError: on a field that Ropo does not send.
    """
    unknown = fields.keys() - set(FIELDS)
    if unknown:
        raise ValueError(f"not fields of a status row: {', '.join(sorted(unknown))}")
    payment = statustype == "payment"
    row: Row = {
        "jobid": 3_000_000 + number,
        "statusid": f"{'P' if payment else 'C'}{number}",
        "billnum": str(20_000_000 + number),
        "statustype": statustype,
        "statustime": "2026-03-02 00:00:00" if payment else "2026-03-02 09:59:20",
        "statusref": "Maksettu toimeksiantajalle" if payment else "Viesti",
        "statustext": "1" if payment else "Asiakas soitti",
        "statuscode": "" if payment else "98",
        "paydate": "2026-03-02" if payment else "",
        "amount": "10.00" if payment else "",
    }
    return row | fields


def bulk_rows(count: int, *, first_day: date = date(2026, 3, 2), days: int = 1) -> list[Row]:
    """Many simple valid rows with distinct ids, for tests of a backlog: a comment and a payment of each invoice.

    :param count: how many rows.
    :param first_day: the first statustime's date.
    :param days: over how many days they are spread evenly.
    """
    rows = []
    for index in range(count):
        day = first_day + timedelta(days=index * days // count)
        moment = datetime(day.year, day.month, day.day, 8) + timedelta(seconds=index % 36_000)  # noqa: DTZ001 - Ropo's rows know no zone
        invoice, is_payment = divmod(index, 2)
        fields: Row = {"jobid": 3_000_000 + invoice, "billnum": str(20_000_000 + invoice)}
        if is_payment:
            fields |= {
                "statustime": f"{day} 00:00:00",
                "paydate": str(day),
                "amount": f"{1 + index % 500}.{index % 100:02}",
            }
            rows.append(make_row(index + 1, statustype="payment", **fields))
        else:
            rows.append(make_row(index + 1, **fields, statustime=statustime(moment)))
    return rows
