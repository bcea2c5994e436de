"""Categories are exclusive, exhaustive and tie, whatever Ropo and the ledger say, and they are those of the rules."""

from __future__ import annotations

import datetime
import re
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from psycopg2.extras import execute_values

from include.reconciliation import population
from include.reconciliation.categories import CATEGORIES
from include.reconciliation.statements import statement
from include.status_store.database import connect
from tests.include.reconciliation.plain import BOOKED, BUT_FOR_ONE, PAID, SPOKEN, UNPAID
from tests.include.reconciliation.rules import Event, Judgement, Row, invoices, judge, judge_world
from tests.include.reconciliation.world import DAY, NOW, STATUS_MAP, at
from tests.include.status_store.views import note_days

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World

# Few names for many things: invoices share numbers and jobids, and differ by leading zeros only.
BILLNUMS = ("1", "1", "1", "01", "2")
JOBIDS = ("7", "7", "8", "9")
# A statustime has no zone.
IN_DAY, BEFORE = (datetime.datetime.fromisoformat(text) for text in ("2026-03-10 09:00", "2026-03-08 09:00"))
AMOUNTS = ("100", "60", "40", "2", "98", "-40", "0", "120")
PAYMENT_TYPES = ("1",) * 8 + ("8", "8", "9", "77")
CODES = ("98", "98", "101", "101", "55", "110", "120", "130", "150", "150", "160", "66")

Identity = tuple[st.SearchStrategy[str | None], st.SearchStrategy[str | None]]
# Of tangled invoices nobody knows which is which; of a plain one everything can be compared.
TANGLED: Identity = (st.sampled_from((*BILLNUMS, None)), st.sampled_from((*JOBIDS, None)))
PLAIN: Identity = (st.just("1"), st.sampled_from(("7", "7", "7", "8")))


@st.composite
def events(draw: st.DrawFn, identity: Identity) -> dict[str, Any]:
    billnum, jobid = (draw(each) for each in identity)
    if billnum is None and jobid is None:
        billnum = BILLNUMS[0]
    moment = {"minute": draw(st.integers(0, 3)), "in_day": draw(st.booleans())}
    event: dict[str, Any] = {"billnum": billnum, "jobid": jobid, **moment}
    if draw(st.booleans()):
        amount = draw(st.sampled_from(AMOUNTS)) if draw(st.integers(0, 40)) else None
        return {**event, "statustype": "payment", "code": draw(st.sampled_from(PAYMENT_TYPES)), "amount": amount}
    return {**event, "statustype": "comment", "code": draw(st.sampled_from(CODES)), "amount": None}


@st.composite
def rows(draw: st.DrawFn, identity: Identity) -> dict[str, Any]:
    total = Decimal(draw(st.sampled_from(("100",) * 6 + ("60", "0", "-40"))))
    paid = Decimal(draw(st.sampled_from(("0", "0", "100", "60", "40", "98", "120"))))
    discount = draw(st.sampled_from((None, Decimal(0), Decimal(0), Decimal(2))))
    credited = draw(st.sampled_from((None, Decimal(0), Decimal(0), Decimal(40), Decimal(100))))
    tied = total - paid - (discount or 0) - (credited or 0)
    return {
        "billnum": draw(identity[0]) or BILLNUMS[0],
        "jobid": draw(identity[1]),
        "status": draw(st.sampled_from(("open", "open", "sent", "due", "paid", "credited", "credited", "odd"))),
        "total": total,
        "paid": paid,
        "discount": discount,
        "credited": credited,
        "open": draw(st.sampled_from((tied, tied, tied, tied, tied - 2, Decimal(0), None))),
        "by_ropo": draw(st.integers(0, 5)) > 0,
        "in_day": draw(st.booleans()),
    }


tangled = st.tuples(st.lists(events(TANGLED), max_size=6), st.lists(rows(TANGLED), max_size=3))
plain = st.tuples(st.lists(events(PLAIN), max_size=5), st.lists(rows(PLAIN), min_size=1, max_size=1))
# Many invoices an example: an example costs a reconciliation.
worlds = st.tuples(st.lists(tangled, min_size=5, max_size=5), st.lists(plain, min_size=10, max_size=10)).map(
    lambda both: [*both[0], *both[1]]
)


def _events(cluster: int, drawn: list[dict[str, Any]]) -> list[tuple[str, Event, datetime.datetime]]:
    """Events with statusids that are unlike each other, whose order is not the order of their making."""
    made = []
    for place, event in enumerate(drawn):
        number = cluster * 100 + (place * 7) % 10
        statusid = f"{'PC'[place % 2]}{number}"
        moment = (IN_DAY if event["in_day"] else BEFORE) + datetime.timedelta(minutes=event["minute"])
        amount = None if event["amount"] is None else Decimal(event["amount"])
        made.append(
            (
                statusid,
                Event(
                    (moment, int(re.sub(r"\D", "", statusid)), statusid),
                    _named(cluster, event["jobid"]),
                    _named(cluster, event["billnum"]),
                    event["statustype"],
                    event["code"],
                    amount,
                    event["in_day"],
                ),
                moment,
            )
        )
    return made


def _named(cluster: int, name: str | None) -> str | None:
    # The cluster behind: leading zeros stay leading.
    return None if name is None else f"{name}-{cluster}"


def _clusters(drawn: list[Any]) -> tuple[list[tuple[str, Event, datetime.datetime]], list[Row]]:
    said = [each for place, (its_events, _) in enumerate(drawn, start=1) for each in _events(place, its_events)]
    booked = [
        Row(**{**row, "billnum": _named(place, row["billnum"]), "jobid": _named(place, row["jobid"])})
        for place, (_, its_rows) in enumerate(drawn, start=1)
        for row in its_rows
    ]
    return said, booked


def _fill(world: World, said: list[tuple[str, Event, datetime.datetime]], booked: list[Row]) -> None:
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "TRUNCATE ropo.reconciliation, ropo.reconciliation_item, ropo.status_event, ropo.event_day CASCADE"
        )
        execute_values(
            cursor,
            "INSERT INTO ropo.status_event (profile, statusid, jobid, billnum, statustype, statustime, statuscode, "
            "statusref, statustext, amount, raw, source, first_poll_id, first_seen_at, content_poll_id, "
            "content_sha256) VALUES %s",
            [
                (
                    "default", statusid, event.jobid, event.billnum, event.statustype, moment,
                    event.code * (event.statustype == "comment"), "", event.code * (event.statustype == "payment"),
                    event.amount, "{}", "drain", world.poll_id, at("2026-03-08 10:00"), world.poll_id, b"",
                )
                for statusid, event, moment in said
            ],
        )  # fmt: skip
        note_days(store)
    with closing(psycopg2.connect(world.ledger_dsn)) as ledger, ledger, ledger.cursor() as cursor:
        cursor.execute("TRUNCATE ropo_ledger")
        execute_values(
            cursor,
            "INSERT INTO ropo_ledger VALUES %s",
            [
                (
                    row.billnum, row.jobid, row.status, row.total, row.paid, row.discount, row.credited, row.open, None,
                    at("2026-03-08 08:00"), at("2026-03-10 08:00" if row.in_day else "2026-03-08 08:00"), row.by_ropo,
                )
                for row in booked
            ],
        )  # fmt: skip


# Settled, but for what one more event, one more row, or another row in its place may change.
nearly_settled = st.one_of(
    st.lists(events(PLAIN), max_size=1).map(lambda more: ([PAID, *more], [BOOKED])),
    st.lists(events(TANGLED), max_size=1).map(lambda more: ([PAID, *more], [BOOKED])),
    rows(TANGLED).map(lambda other: ([PAID], [BOOKED, other])),
    rows(PLAIN).map(lambda other: ([PAID], [other])),
    st.tuples(events(PLAIN), rows(PLAIN)).map(lambda other: ([other[0]], [other[1]])),
)


def spoken(identity: Identity) -> st.SearchStrategy[dict[str, Any]]:
    """Comments alone, most of which lead to a stage; several of one moment among them."""
    said = events(identity).filter(lambda event: event["statustype"] == "comment")
    return said.flatmap(
        lambda event: st.sampled_from(("98", "110", "120", event["code"])).map(lambda c: {**event, "code": c})
    )


def unpaid(identity: Identity) -> st.SearchStrategy[dict[str, Any]]:
    """Rows that are plainly open in most respects."""
    kept = st.sampled_from([(), ("discount",), ("credited",), ("paid",), ("open",), ("total",), ("status", "by_ropo")])
    words = st.sampled_from(("open", "sent", "due", "due"))
    return st.tuples(rows(identity), words, kept).map(
        lambda drawn: {
            **UNPAID, "status": drawn[1], "billnum": drawn[0]["billnum"], "jobid": drawn[0]["jobid"],
            **{name: drawn[0][name] for name in drawn[2]},
        }
    )  # fmt: skip


# Open, but for what one more event, one more row, or another row in its place may change.
nearly_open = st.one_of(
    st.lists(spoken(PLAIN), max_size=2).map(lambda more: ([SPOKEN, *more], [UNPAID])),
    st.lists(events(TANGLED), max_size=1).map(lambda more: ([SPOKEN, *more], [UNPAID])),
    unpaid(TANGLED).map(lambda other: ([SPOKEN], [UNPAID, other])),
    unpaid(PLAIN).map(lambda other: ([SPOKEN], [other])),
    st.tuples(st.lists(spoken(PLAIN), max_size=3), unpaid(PLAIN)).map(lambda both: (both[0], [both[1]])),
)


def _without_jobids(clusters: list[Any]) -> list[Any]:
    """The ERP does not store them."""
    return [(said, [{**row, "jobid": None} for row in booked]) for said, booked in clusters]


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=worlds)
def test_every_invoice_gets_the_category_of_the_rules_and_all_totals_tie(world: World, drawn: list[Any]) -> None:
    said, booked = _clusters(drawn)
    _fill(world, said, booked)

    found = world.reconcile(now=NOW)

    expected = judge_world([event for _, event, _ in said], booked, STATUS_MAP)
    items = world.items(found)
    assert {key: item["category"] for key, item in items.items()} == {
        key: judgement.category for key, judgement in expected.items()
    }
    assert {key: item["caused_on"] for key, item in items.items()} == {
        key: judgement.caused_on for key, judgement in expected.items()
    }
    assert all(item["category"] in CATEGORIES for item in items.values())
    assert found.population == len(items) == found.matched + found.pending + found.breaks
    assert found.matched == sum(item["category"] == "matched" for item in items.values())
    assert found.pending == sum(item["pending_until"] is not None for item in items.values())
    received = sum((item["ropo_paid"] or 0 for item in items.values()), Decimal(0))
    assert sum((total.ropo_paid for total in found.totals.currencies), Decimal(0)) == received
    assert found.business_date == DAY


def _full(world: World, said: list[tuple[str, Event, datetime.datetime]], booked: list[Row]) -> tuple[Any, ...]:
    """What a full comparison of a fresh store finds."""
    _fill(world, said, booked)
    found = world.reconcile(now=NOW, scope="full")
    items = {
        key: {name: value for name, value in item.items() if name != "reconciliation_id"}
        for key, item in world.items(found).items()
    }
    return items, found.categories, found.totals, found.unmapped, found.out_of_scope


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    drawn=st.tuples(
        st.lists(nearly_settled | nearly_open, min_size=20, max_size=20),
        st.lists(nearly_settled | nearly_open, min_size=20, max_size=20).map(_without_jobids),
    ).map(lambda both: [*both[0], *both[1]])
)
@example(drawn=[*BUT_FOR_ONE, *_without_jobids(BUT_FOR_ONE)])
def test_a_full_comparison_finds_the_same_whether_the_plain_are_told_apart_first(
    world: World, drawn: list[Any]
) -> None:
    """What is plainly settled is left out, and what is plainly open set aside, before any rule is asked."""
    said, booked = _clusters(drawn)
    found = _full(world, said, booked)

    of_all = invoices([event for _, event, _ in said], booked).items()
    expected = {key: judge(invoice, STATUS_MAP) for key, invoice in of_all}
    judged = {key: Judgement(item["category"], item["caused_on"]) for key, item in found[0].items()}
    assert {key: expected.pop(key, None) for key in judged} == judged
    assert {settled.category for settled in expected.values()} <= {"matched"}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "statement", _asking_the_rules)
        assert _full(world, said, booked) == found


def _asking_the_rules(name: str) -> str:
    """The statement, where it tells the plain apart as one that finds nothing plain."""
    marks = {"leave_out_settled": ("HAVING (", "HAVING true OR ("), "set_aside_open": ("AND kept.is_open", "AND false")}
    text, (mark, instead) = statement(name), marks.get(name, ("", ""))
    assert mark in text
    return text.replace(mark, instead, 1) if mark else text
