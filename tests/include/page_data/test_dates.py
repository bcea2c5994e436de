"""A date's items and what became of them, told by the store alone."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING, TypedDict

import msgspec

from include.config.profiles import Profile
from include.page_data.dates import is_compared_again, read_changes, read_items, read_money, read_reconciliations
from include.page_data.no_longer_open import count_no_longer_open
from include.page_data.shown_by import count_open, read_compared
from include.reconciliation.item_selection import ItemSelection
from tests.include.status_store.views import execute
from tests.include.watch.records import TOTALS, broken, keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection


class Pending(TypedDict):
    pending_until: datetime.datetime


DATE = datetime.date(2026, 11, 20)
PENDING: Pending = {"pending_until": datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)}
FIELDS = {
    "billnum": "12", "jobid": "J7", "category": "ledger_behind", "reason": "payment", "hint": "near",
    "currency": "SEK", "ropo_status": "paid", "ledger_status": "unpaid", "ropo_paid": "60.00",
    "ropo_discount": "5.00", "ledger_paid": "20.00", "ledger_discount": "1.00", "ledger_total": "300.00",
    "amount": "44.00", "break_state": "resolved", "severity": "high",
}  # fmt: skip


def accepted(store: Connection, reconciliation_id: int, *billnums: str) -> None:
    """What stood accepted when a reconciliation was recorded."""
    execute(
        store,
        "UPDATE ropo.reconciliation_item SET is_accepted = true WHERE reconciliation_id = %s AND billnum = ANY (%s)",
        (reconciliation_id, list(billnums)),
    )


def test_an_item_has_each_field_under_its_own_name_and_its_own_profiles_break(store: Connection) -> None:
    item = broken("12", "60", jobid="J7", hint="near", currency="SEK")
    number = record(store, DATE, "breaks", breaks=(item, broken("13", "10"), broken("14", "0", "matched")))
    execute(
        store,
        "UPDATE ropo.reconciliation_item SET ropo_paid = 60.00, ropo_discount = 5.00, ledger_paid = 20.00, "
        "ledger_discount = 1.00, ledger_total = 300.00, ledger_credited = 7.00, ledger_open = 9.00 "
        "WHERE billnum = '12'",
    )
    # What is equal on both sides has what is open at stake, or else the total less what is credited.
    execute(
        store,
        "UPDATE ropo.reconciliation_item SET ledger_paid = ropo_paid, ledger_total = 300.00, ledger_credited = 7.00 "
        "WHERE billnum = '13'",
    )
    for key, category in (("b:12", "ledger_behind"), ("b:12", "amount_mismatch")):
        keep_break(store, number, key, category, "resolved", "5000.00")
    other = record(store, DATE, "breaks", breaks=(item,), profile="other")
    keep_break(store, other, "b:13", "ledger_behind", "open", "5000.00")
    with store.cursor() as cursor:
        found, second = read_items(cursor, "default", number, ItemSelection(order="invoice", is_descending=False)).rows
        [agrees] = read_items(cursor, "default", number, ItemSelection(state="matched")).rows
    assert {name: str(getattr(found, name)) for name in FIELDS} == FIELDS
    assert (str(second.amount), second.break_id, agrees.amount) == ("283.00", None, None)


def test_what_became_of_each_difference_is_told_by_the_first_that_is_so_of_it(store: Connection) -> None:
    earlier = (
        broken("10", "1"), broken("11", "1"), broken("12", "1"), broken("13", "1", **PENDING),
        broken("14", "1", "matched"), broken("15", "1"), broken("16", "1", **PENDING), broken("17", "1"),
        broken("18", "1"), broken("19", "1", **PENDING),
    )  # fmt: skip
    later = (
        broken("10", "1"), broken("11", "1"), broken("12", "1"), broken("13", "1", **PENDING),
        broken("14", "1"), broken("15", "1", "matched"), broken("16", "2"), broken("17", "1", "amount_mismatch"),
        broken("18", "2"), broken("19", "2", **PENDING), *(broken(f"2{place}", "1") for place in range(6)),
    )  # fmt: skip
    before = record(store, DATE, "breaks", breaks=earlier)
    accepted(store, before, "10", "12")
    after = record(store, DATE, "breaks", breaks=later)
    accepted(store, after, "11", "12")
    with store.cursor() as cursor:
        found = read_changes(cursor, before, after)
    assert [(each.change, each.invoices, each.examples) for each in found] == [
        ("new", 7, ["b:14", "b:20", "b:21", "b:22", "b:23"]),
        ("grace_over", 1, ["b:16"]),
        ("reopened", 1, ["b:10"]),
        ("other_category", 1, ["b:17"]),
        ("changed", 2, ["b:18", "b:19"]),
        ("accepted", 1, ["b:11"]),
        ("mended", 1, ["b:15"]),
        ("same", 2, ["b:12", "b:13"]),
    ]


def test_an_invoice_that_goes_by_another_name_since_is_the_same_one(store: Connection) -> None:
    by_number = (broken("30", "1"), broken("31", "1"), broken("32", "1"), broken("33", "1"))
    before = record(store, DATE, "breaks", breaks=by_number)
    by_job = [
        broken(billnum, amount, key=f"j:J{billnum}", jobid=f"J{billnum}")
        for billnum, amount in (("30", "1"), ("31", "2"))
    ]
    right = broken("32", "1", "matched", key="j:J32", jobid="J32")
    after = record(store, DATE, "breaks", breaks=(*by_job, right, broken("34", "1")))
    with store.cursor() as cursor:
        found = read_changes(cursor, before, after)
        back = read_changes(cursor, after, before)
    assert [(each.change, each.examples) for each in found] == [
        ("new", ["b:34"]),
        ("changed", ["j:J31"]),
        ("mended", ["b:32", "b:33"]),
        ("same", ["j:J30"]),
    ]
    assert [(each.change, each.examples) for each in back] == [
        ("new", ["b:32", "b:33"]),
        ("changed", ["b:31"]),
        ("mended", ["b:34"]),
        ("same", ["b:30"]),
    ]


def test_no_longer_open_is_what_was_a_break_then_and_whose_invoice_has_none_now(store: Connection) -> None:
    breaks = (*(broken(f"1{place}", "1") for place in range(8)), broken("18", "1", **PENDING))
    number = record(store, DATE, "breaks", breaks=breaks)
    accepted(store, number, "17")
    states = {
        "b:10": "open", "b:11": "accepted", "b:12": "resolved", "b:13": "resolved", "b:14": "resolved",
        "b:17": "accepted", "b:18": "resolved",
    }  # fmt: skip
    for key, state in states.items():
        keep_break(store, number, key, "ledger_behind", state)
    # Under another name, in another category, and what was none of this break's: of a category or profile of its own.
    execute(store, "UPDATE ropo.reconciliation_break SET renamed_to = 'b:99' WHERE invoice_key = 'b:13'")
    keep_break(store, number, "b:99", "ledger_behind", "open")
    keep_break(store, number, "b:14", "amount_mismatch", "open")
    keep_break(store, number, "b:15", "amount_mismatch", "resolved")
    other = record(store, DATE, "breaks", profile="other")
    keep_break(store, other, "b:16", "ledger_behind", "resolved")
    keep_break(store, other, "b:12", "ledger_behind", "open")
    with store.cursor() as cursor:
        assert count_no_longer_open(cursor, [number]) == {number: 2}
        for breaks_then, found in ((1000, {number: 2}), (1001, {})):
            execute(
                store,
                "UPDATE ropo.reconciliation SET breaks = %s, population = %s + 6 WHERE breaks > 1",
                (breaks_then,) * 2,
            )
            assert count_no_longer_open(cursor, [number]) == found


def test_a_dates_money_has_what_lies_in_invoices_that_differ_by_kind_and_currency(store: Connection) -> None:
    euro, krona = TOTALS["currencies"]
    totals = {"currencies": [{**euro, "extra_paid": "0.25", "extra_discount": "0.5"}, krona]}
    items = (broken("1", "10"), broken("2", "5"), broken("3", "100", "matched"), broken("4", "7", currency="SEK"))
    ids = [record(store, DATE, "breaks", breaks=items) for _ in range(2)]
    record(store, DATE, "breaks", breaks=items, profile="other")
    execute(store, "UPDATE ropo.reconciliation SET totals = %s", (json.dumps(totals),))
    execute(
        store,
        "UPDATE ropo.reconciliation_item SET ropo_discount = 3, ledger_paid = 2, ledger_discount = 1 "
        "WHERE billnum = '1'",
    )
    execute(store, "UPDATE ropo.reconciliation_item SET ropo_paid = NULL, ledger_paid = NULL WHERE currency = 'SEK'")
    with store.cursor() as cursor:
        newest, before = read_reconciliations(cursor, "default", DATE)
        lines = read_money(cursor, newest)
    assert [newest.reconciliation_id, before.reconciliation_id] == ids[::-1]
    told = [
        (each.kind, each.currency, *(float(sum_) for sum_ in (each.ropo, each.ledger, each.differing, each.agreeing)))
        for each in lines
    ]
    assert told == [
        ("paid", "EUR", 1234.5, 1134.75, 12.75, 87.0),
        ("discount", "EUR", 1.0, 1.5, 1.5, -2.0),
        ("paid", "SEK", 10.005, 0.0, 0.0, 10.005),
        ("discount", "SEK", 0.0, 0.0, 0.0, 0.0),
    ]


def test_what_is_pending_alone_differs_too_and_each_item_says_what_it_was(store: Connection) -> None:
    number = record(store, DATE, "pending", breaks=(broken("1", "10", **PENDING), broken("2", "5", "matched")))
    record(store, DATE, "breaks", breaks=(broken("1", "10"), broken("2", "5")))
    with store.cursor() as cursor:
        after, before = read_reconciliations(cursor, "default", DATE)
        [paid, *_] = read_money(cursor, before)
        accepted(store, after.reconciliation_id, "2")
        states = [
            [
                each.state
                for each in read_items(cursor, "default", shown, ItemSelection(state="all", order="invoice")).rows
            ]
            for shown in (number, after.reconciliation_id)
        ]
    assert paid.differing == 10
    assert [sorted(each) for each in states] == [["matched", "pending"], ["accepted", "break"]]


def test_a_date_is_compared_again_within_its_days_and_longer_while_it_is_pending(store: Connection) -> None:
    profile = Profile(name="default", start_date=datetime.date(2026, 1, 1))
    record(store, DATE, breaks=(broken("1", "10", **PENDING),))
    with store.cursor() as cursor:
        [pending] = read_reconciliations(cursor, "default", DATE)
    late = pending.started_at + datetime.timedelta(days=profile.rechecked_days)
    first = profile.rechecked_from(profile.business_date(late))
    one = datetime.timedelta(days=1)

    def is_again(now: datetime.datetime, **changed: object) -> bool:
        return is_compared_again(profile, msgspec.structs.replace(pending, **changed), now)

    assert [is_again(late, business_date=date, pending=0) for date in (first - one, first)] == [False, True]
    long_ago = {"business_date": profile.start_date}
    assert [is_again(now, **long_ago) for now in (late, late + datetime.timedelta(seconds=1))] == [True, False]
    assert not is_again(late, business_date=profile.start_date - one)


def test_open_of_a_date_is_what_differs_in_it_under_any_name_of_its_own_profile(store: Connection) -> None:
    number = record(store, DATE, "breaks", breaks=(broken("1", "1"), broken("2", "1"), broken("3", "1", "matched")))
    other = record(store, DATE, "breaks", breaks=(broken("1", "1"),), profile="other")
    for key in ("b:1", "b:3", "b:7", "b:8", "b:9"):
        keep_break(store, number, key, "ledger_behind", "open")
    former = ((number, "b:2", "b:9"), (number, "b:3", "b:8"), (other, "b:1", "b:7"))
    for shown_by, key, name in former:
        keep_break(store, shown_by, key, "amount_mismatch", "resolved")
        execute(
            store,
            "UPDATE ropo.reconciliation_break SET renamed_to = %s WHERE invoice_key = %s AND state = 'resolved'",
            (name, key),
        )
    with store.cursor() as cursor:
        [shown] = read_reconciliations(cursor, "default", DATE)
        assert count_open(cursor, Profile(name="default"), shown) == 2
        compared = [read_compared(cursor, "default", each) for each in (number, other)]
    assert [each and each.reconciliation_id for each in compared] == [number, None]
