"""What is plainly settled or open, what differs from it in one respect each, and where the newest word decides."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

PAID = {
    "billnum": "1",
    "jobid": "7",
    "minute": 0,
    "in_day": False,
    "statustype": "payment",
    "code": "1",
    "amount": "100",
}
BOOKED = {
    "billnum": "1", "jobid": "7", "status": "paid", "total": Decimal(100), "paid": Decimal(100), "discount": Decimal(0),
    "credited": None, "open": Decimal(0), "by_ropo": True, "in_day": False,
}  # fmt: skip
SPOKEN = {
    "billnum": "1",
    "jobid": "7",
    "minute": 1,
    "in_day": True,
    "statustype": "comment",
    "code": "110",
    "amount": None,
}
UNPAID = {**BOOKED, "status": "sent", "paid": Decimal(0), "open": Decimal(100)}


def _said(**columns: Any) -> dict[str, Any]:
    return {**SPOKEN, **columns}


def _booked(**columns: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return [SPOKEN], [{**UNPAID, **columns}]


# One that is open, and what differs from it in one respect each.
OPEN_BUT_FOR_ONE = [
    _booked(),
    *(_booked(status=word) for word in ("open", "due", "paid", "credited", "odd")),
    _booked(open=None),
    _booked(open=Decimal(98)),
    _booked(open=Decimal(120)),
    _booked(total=Decimal(0), open=Decimal(0)),
    _booked(total=Decimal(-40), open=Decimal(-40)),
    _booked(paid=Decimal(40)),
    _booked(paid=Decimal(40), open=None),
    _booked(discount=None),
    _booked(discount=Decimal(2)),
    _booked(discount=Decimal(2), open=None),
    _booked(credited=Decimal(40)),
    _booked(credited=Decimal(100), open=None),
    _booked(by_ropo=False),
    *(([SPOKEN, _said(minute=2, code=code)], [UNPAID]) for code in ("98", "55", "66", "101", "110", "120", "150")),
    *(
        ([SPOKEN, _said(statustype="payment", code=code, amount="100")], [UNPAID])
        for code in ("1", "8", "9", "77", "98")
    ),
    ([_said(code="98")], [UNPAID]),
    # Of one moment, so that their order is in their statusids alone.
    *(
        ([_said(code=first), _said(code=second)], [{**UNPAID, "status": word}])
        for first, second in (("110", "120"), ("120", "110"))
        for word in ("sent", "due", "open")
    ),
    ([SPOKEN, _said(minute=0, code="120")], [UNPAID]),
    # Dated in 1969.
    ([_said(minute=-30_000_000)], [{**UNPAID, "status": "open"}]),
    ([], [UNPAID]),
    ([SPOKEN], []),
    ([SPOKEN], [UNPAID, UNPAID]),
    ([SPOKEN, _said(billnum="2")], [UNPAID]),
    ([SPOKEN, _said(billnum=None)], [UNPAID]),
    ([SPOKEN, _said(jobid="8")], [UNPAID]),
    ([SPOKEN, _said(jobid=None)], [UNPAID]),
    *(
        ([SPOKEN], [UNPAID, {**UNPAID, "status": word, **names}])
        for names in ({"billnum": "2"}, {"jobid": "8"}, {"jobid": None})
        for word in ("sent", "odd")
    ),
    ([SPOKEN, PAID], [UNPAID]),
]

_DISCOUNT = {**PAID, "code": "8", "amount": "2"}
# What is said beside its payment, and what its row says in another way.
_SETTLED_AND: list[tuple[list[dict[str, Any]], dict[str, Any]]] = [
    ([], {}),
    ([SPOKEN], {}),
    ([_said(minute=2, code="130", jobid="8")], {}),
    ([_said(code="98", jobid=None)], {}),
    ([_said(code="98", billnum=None)], {}),
    ([_said(code="98", billnum="2")], {}),
    ([{**PAID, "jobid": "8"}], {}),
    ([{**PAID, "jobid": None}], {}),
    ([], {"paid": Decimal(60), "open": Decimal(40)}),
    *(([], {"status": word}) for word in ("open", "sent", "due", "credited", "odd")),
    ([], {"by_ropo": False}),
    *(([], {"open": amount}) for amount in (None, Decimal(2), Decimal(-2))),
    *(([], {"credited": Decimal(40), "open": left}) for left in (Decimal(0), None)),
    ([], {"total": Decimal(0), "open": Decimal(-100)}),
    ([_DISCOUNT], {}),
    ([_DISCOUNT], {"discount": Decimal(2)}),
    *(([{**PAID, "amount": amount}], {}) for amount in (None, "0", "40", "-40")),
    *(([{**PAID, "code": code, "amount": "40"}], {}) for code in ("8", "9", "77")),
    *(([_said(minute=2, code=code)], {}) for code in ("1", "55", "66", "101", "120", "130", "150")),
]
SETTLED_BUT_FOR_ONE = [
    ([PAID], [BOOKED, {**BOOKED, "jobid": "8"}]),
    ([PAID, _said(jobid="8", billnum="2")], [BOOKED, {**BOOKED, "jobid": "8"}]),
    # Sent again, and paid twice: of two rows one says which of the jobs it is.
    *(
        ([PAID, {**PAID, "jobid": "8", "amount": "40"}], [one, {**other, "total": Decimal(40), "paid": Decimal(40)}])
        for one, other in (
            (BOOKED, {**BOOKED, "jobid": "8"}),
            (BOOKED, {**BOOKED, "jobid": None}),
            ({**BOOKED, "jobid": None}, {**BOOKED, "jobid": "8"}),
        )
    ),
    *(
        ([{**PAID, "amount": "98"}, *more], [{**BOOKED, "paid": Decimal(98), "discount": Decimal(2)}])
        for more in ([], [_DISCOUNT], [_DISCOUNT, {**_DISCOUNT, "amount": "-40"}])
    ),
    *(([PAID, *more], [{**BOOKED, **columns}]) for more, columns in _SETTLED_AND),
    # Paid in part, and the same on both sides.
    *(
        ([{**PAID, "amount": "60"}], [{**BOOKED, "paid": Decimal(60), **columns}])
        for columns in (
            {"open": Decimal(40)},
            {"open": Decimal(0)},
            {"open": None},
            {"status": "open", "open": Decimal(40)},
            {"credited": Decimal(40)},
        )
    ),
    *(([{**PAID, "amount": amount}], [BOOKED]) for amount in ("60", "120")),
    *(([{**PAID, "code": code}], [BOOKED]) for code in ("8", "9", "77")),
    ([PAID, PAID], [BOOKED, {**BOOKED, "status": "odd"}]),
    ([{**_DISCOUNT, "amount": "100"}], [{**BOOKED, "paid": Decimal(0), "discount": Decimal(100)}]),
]


def _at(minute: int, code: str) -> dict[str, Any]:
    return _said(minute=minute, code=code)


_LATER = {**PAID, "minute": 2, "in_day": True}
_SIXTY = {**PAID, "amount": "60"}
_FIFTY_EIGHT = {**PAID, "amount": "58"}
_PARTLY = {**BOOKED, "status": "open", "paid": Decimal(60), "open": Decimal(40)}
_CREDITED_REST = {**BOOKED, "paid": Decimal(60), "credited": Decimal(40)}
# Where it is the order of what was said that decides, or the kind of a payment.
NEWEST_BUT_FOR_ONE = [
    # A payment that is ignored takes nothing back.
    ([_SIXTY, _at(2, "101"), {**PAID, "code": "9", "amount": "-40"}], [_PARTLY]),
    *(([PAID, {**PAID, "code": code, "amount": None}], [BOOKED]) for code in ("8", "9", "77")),
    *(([_at(0, first), _at(2, second)], [UNPAID]) for first, second in (("55", "101"), ("101", "55"))),
    # Reminded of before the newest payment, whichever it is, and after it.
    *(
        ([_SIXTY, _at(1, "130"), *([_at(2, newest)] if newest else [])], [_CREDITED_REST])
        for newest in (None, "55", "98", "101")
    ),
    *(
        ([_FIFTY_EIGHT, _at(1, "130"), {**discount, "code": "8", "amount": "2"}], [{**_CREDITED_REST, **columns}])
        for discount in (PAID, _LATER)
        for columns in ({"paid": Decimal(58), "discount": Decimal(2)}, {"paid": Decimal(58), "discount": None})
    ),
    # An unknown code before what means something, and before what does not.
    *(([PAID, _at(1, "66"), _at(2, newer)], [BOOKED]) for newer in ("98", "101", "110")),
    *(([PAID, _at(1, "66"), {**_LATER, "code": code, "amount": "2"}], [BOOKED]) for code in ("1", "8", "9")),
    ([_at(1, "66"), _at(2, "150")], [{**UNPAID, "status": "credited"}]),
    # On one day the one, on another the other: which of them is the cause.
    *(
        (
            [
                {**PAID, "in_day": day, "amount": "40"},
                {**_DISCOUNT, "in_day": not day},
                {**_at(3, code), "in_day": day},
            ],
            [row],
        )
        for day in (True, False)
        for code in ("98", "101", "130", "150", "66")
        for row in (UNPAID, _PARTLY, BOOKED)
    ),
    *(([{**PAID, "in_day": day, "amount": "98"}, {**_DISCOUNT, "in_day": not day}], [UNPAID]) for day in (True, False)),
    *(([{**_at(0, "150"), "in_day": day}, {**_at(1, "160"), "in_day": not day}], [UNPAID]) for day in (True, False)),
]
_AGAIN = {"jobid": "8"}
_OF_ANY = {"jobid": None}
_BOTH = {**BOOKED, "paid": Decimal(98), "discount": Decimal(2)}
_NINETY_EIGHT = {**PAID, "amount": "98"}
# Sent again: whether the other job goes on being collected.
AGAIN_BUT_FOR_ONE = [
    *(
        ([PAID, *said, {**_at(3, "130"), **_AGAIN}], [BOOKED])
        for said in (
            [],
            [{**_at(1, "101"), **_AGAIN}],
            [{**_at(1, "55"), **_AGAIN}],
            [{**_at(1, "150"), **_AGAIN}],
            [{**_at(1, "150"), **_OF_ANY}],
            [{**_at(1, "101"), **_OF_ANY}],
            [{**_at(1, "98"), **_OF_ANY}],
            [{**_at(1, "55"), **_OF_ANY}],
        )
    ),
    *(
        ([_NINETY_EIGHT, {**_DISCOUNT, "minute": 1, **by}, {**_at(3, "130"), **_AGAIN}], [_BOTH])
        for by in ({}, _AGAIN, _OF_ANY)
    ),
    ([PAID, {**_at(1, "130"), **_AGAIN}, {**_at(2, "150"), **_AGAIN}], [BOOKED]),
    # The other job, which is not the newest, ended in between, or ended twice.
    *(
        ([{**PAID, **_AGAIN}, *(_at(minute, code) for minute, code in enumerate(codes))], [{**BOOKED, **_AGAIN}])
        for codes in (("110", "150", "130"), ("150", "130", "150"))
    ),
    (
        [PAID, {**PAID, **_AGAIN, "amount": "40"}, {**_at(3, "130"), **_OF_ANY}],
        [{**BOOKED, "paid": Decimal(140), "open": Decimal(-40)}],
    ),
]
BUT_FOR_ONE = [*OPEN_BUT_FOR_ONE, *SETTLED_BUT_FOR_ONE, *NEWEST_BUT_FOR_ONE, *AGAIN_BUT_FOR_ONE]
