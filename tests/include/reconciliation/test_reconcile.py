"""A reconciliation is recorded whole, beside the earlier ones, or not at all."""

from __future__ import annotations

import threading
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.reconciliation import totals
from include.reconciliation.categories import CATEGORIES, REASONS, reason_in_words
from include.reconciliation.reconcile import reconcile
from include.reconciliation.statements import statement
from include.reconciliation.totals import TotalsDoNotTieError
from include.reconciliation.turns import claim
from include.status_store.database import connect
from local_airflow.waiting import until
from tests.include.reconciliation.world import DAY, NOW, STATUS_MAP, at

if TYPE_CHECKING:
    from include.reconciliation.recorded import Recorded
    from tests.include.reconciliation.world import World


def test_what_is_recorded_is_what_is_returned(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.payment("2", "50.50")
    world.comment("2", "66", statusref="Uusi tila")
    world.row("2")
    reread = world.know_all()
    [(before,)] = world.ledger("SELECT clock_timestamp()")
    result = world.reconcile(reread_poll_id=reread, dag_id="ropo_reconciliation", run_id="manual__1")
    [(cutoff,)] = world.store("SELECT ledger_cutoff FROM ropo.reconciliation")
    assert before < cutoff < world.ledger("SELECT clock_timestamp()")[0][0]
    columns = (
        "profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope, "
        "status_map_version, reread_poll_id, dag_id, run_id, events_cutoff, started_at"
    )
    recorded = world.store(f"SELECT {columns} FROM ropo.reconciliation")
    assert recorded == [
        ("default", DAY, "date", "pending", 2, 1, 1, 0, 0, 0, "test", reread, "ropo_reconciliation", "manual__1",
         at("2026-03-10 10:00"), NOW)
    ]  # fmt: skip
    assert result.reconciliation_id == 1
    assert (result.verdict, result.population, result.matched, result.pending) == ("pending", 2, 1, 1)
    assert result.categories == {"unknown_status": {"pending": 1}, "matched": {"matched": 1}}
    [code] = result.unmapped
    assert (code.statustype, code.code, code.label, code.count) == ("comment", "66", "Uusi tila", 1)
    assert world.store("SELECT totals -> 'currencies' FROM ropo.reconciliation")[0][0] == [
        {
            "currency": "EUR",
            "invoices": 2,
            "ropo_paid": "150.50",
            "ropo_discount": "0",
            "ledger_paid": "100",
            "ledger_discount": "0",
            "extra_paid": "0",
            "extra_discount": "0",
        }
    ]


def test_running_a_date_again_stands_beside_and_changes_nothing_that_was(world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    first = world.reconcile(now=at("2026-03-12 08:00"))
    before = world.items(first)
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 0")
    second = world.reconcile(now=at("2026-03-12 09:00"))
    assert (first.breaks, second.matched) == (1, 1)
    assert world.items(first) == before
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(2,)]


def test_reconciliations_of_one_date_at_once_come_one_after_the_other_and_each_is_right(world: World) -> None:
    for number in range(20):
        world.payment(str(number), "100")
        world.row(str(number), "paid", paid="100")
    results: list[Recorded] = []
    threads = [threading.Thread(target=lambda: results.append(world.reconcile())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert [(result.population, result.matched) for result in results] == [(20, 20)] * 3
    assert world.store("SELECT count(*), count(DISTINCT reconciliation_id) FROM ropo.reconciliation_item") == [(60, 3)]


def test_the_newest_reconciliation_of_a_date_never_shows_an_older_state_than_one_before_it(world: World) -> None:
    """Whoever comes second reads both sides when the first is done, and not what stood when it began to wait."""
    world.payment("1", "100")
    world.row("1")
    results: list[Recorded] = []
    second = threading.Thread(target=lambda: results.append(world.reconcile()))
    with closing(connect(world.store_dsn)) as store, store.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        claim(cursor, "default", [DAY], scope="date", rules_version="test", now=NOW)
        second.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        until(lambda: world.store(waiting) == [(1,)])
        world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
        store.commit()
    second.join(timeout=120)
    assert [result.matched for result in results] == [1]


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("DELETE FROM comparison WHERE invoice_key = 'b:2'", "population: 2 counted, 1"),
        ("UPDATE comparison SET event_count = 0 WHERE invoice_key = 'b:2'", "invoices at Ropo: 2 counted, 1"),
        ("UPDATE comparison SET ledger_row_count = 0 WHERE invoice_key = 'b:2'", "rows of the ledger: 3 counted, 2"),
        ("UPDATE comparison SET ropo_paid = ropo_paid + 1", "money received at Ropo in EUR: 190 counted, 192"),
        ("UPDATE comparison SET ropo_discount = 0", "discounts at Ropo in EUR: 10 counted, 0"),
        ("UPDATE comparison SET ledger_paid = 0", "money received in the ledger in EUR: 280 counted, 90"),
        ("UPDATE comparison SET ledger_discount = 0", "discounts in the ledger in EUR: 20 counted, 10"),
    ],
)  # fmt: skip
def test_each_total_that_does_not_tie_is_named_and_nothing_is_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch, mistake: str, told: str
) -> None:
    world.payment("1", "90")
    world.payment("1", "10", kind="8")
    for _ in range(2):
        world.row("1", "paid", paid="90", discount="10")
    world.payment("2", "100")
    world.row("2", "paid", paid="100")

    def after_the_mistake(name: str) -> str:
        return f"{mistake}; {statement(name)}" if name == "ties" else statement(name)

    monkeypatch.setattr(totals, "statement", after_the_mistake)
    with pytest.raises(TotalsDoNotTieError, match=f"{DAY}: {told} by the comparison"):
        world.reconcile()
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(0,)]


def test_extra_rows_in_another_currency_tie_in_their_own(world: World) -> None:
    world.payment("1", "30")
    world.row("1", paid="30", currency="EUR")
    world.row("1", paid="31", currency="SEK")
    world.row("1", total="101", currency="NOK")  # without money
    result = world.reconcile()
    assert result.categories == {"duplicate_in_ledger": {"pending": 1}}
    assert [(each.currency, each.ledger_paid, each.extra_paid) for each in result.totals.currencies] == [
        ("EUR", Decimal(30), Decimal(0)),
        ("SEK", Decimal(0), Decimal(31)),
    ]


def test_what_is_counted_of_each_currency_adds_up(world: World) -> None:
    for number, currency in enumerate(("EUR", "SEK")):
        world.payment(f"right {number}", "90")
        world.payment(f"right {number}", "10", kind="8")
        world.row(f"right {number}", "paid", paid="90", discount="10", currency=currency)
        world.row(f"never spoken of {number}", currency=currency, sent_at=at("2026-03-10 08:00"))
    world.comment("not in the ledger", "98")
    world.comment("of a new code", "66")
    world.payment("of a new code", "20")
    world.payment("of a new code", "5", kind="8")
    world.row("of a new code", paid="21", discount="6", currency="SEK")
    result = world.reconcile()
    pending = {"missing_in_ledger": {"pending": 1}, "unknown_status": {"pending": 1}}
    assert result.categories == {**pending, "matched": {"matched": 4}}
    found = result.totals
    assert (found.ropo_invoices, found.missing_at_ropo, found.ledger_rows, found.missing_in_ledger) == (4, 2, 5, 1)
    counted: list[tuple[object, ...]] = [
        (each.currency, each.invoices, each.ropo_paid, each.ropo_discount, each.ledger_paid, each.ledger_discount)
        for each in found.currencies
    ]
    assert counted == [("EUR", 3, 90, 10, 90, 10), ("SEK", 3, 110, 15, 111, 16)]


@pytest.mark.parametrize(
    ("paid", "discount", "extra"),
    [("90", "10", ("180", "20")), ("0", "10", ("0", "20")), ("90", None, ("180", "0"))],
    ids=["of both kinds", "discounts alone", "of an ERP without discounts"],
)
def test_the_money_of_the_ledgers_further_rows_is_recorded(
    world: World, paid: str, discount: str | None, extra: tuple[str, str]
) -> None:
    world.payment("1", "90")
    for _ in range(3):
        world.row("1", "paid", paid=paid, discount=discount)
    world.reconcile()
    [(money,)] = world.store("SELECT totals -> 'currencies' -> 0 FROM ropo.reconciliation")
    assert (money["ledger_paid"], (money["extra_paid"], money["extra_discount"])) == (paid, extra)


def test_after_an_error_both_sessions_can_be_used_again(world: World) -> None:
    world.row("1", total=None, changed_at=at("2026-03-10 08:00"))
    with closing(connect(world.store_dsn)) as store, closing(psycopg2.connect(world.ledger_dsn)) as ledger:
        for _ in range(2):
            with pytest.raises(ValueError, match="column total is null"):
                reconcile(store, ledger, world.profile, STATUS_MAP, DAY, now=NOW)
        world.ledger("UPDATE ropo_ledger SET total = 100, open = 100")
        assert reconcile(store, ledger, world.profile, STATUS_MAP, DAY, now=NOW).matched == 1
        assert reconcile(store, ledger, world.profile, STATUS_MAP, DAY).population == 1


def test_a_session_that_had_temporary_tables_before_compares_as_any_other(world: World) -> None:
    world.row("1", "paid", paid="100")
    world.payment("1", "100")
    with closing(connect(world.store_dsn)) as store, closing(psycopg2.connect(world.ledger_dsn)) as ledger:
        with store, store.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE earlier AS SELECT 1; SELECT * FROM earlier")
        found = reconcile(store, ledger, world.profile, STATUS_MAP, DAY, now=NOW)
    assert (found.population, found.matched) == (1, 1)


def test_every_reason_has_words_and_every_category_reasons() -> None:
    assert {category for category, _ in REASONS} == set(CATEGORIES)
    assert reason_in_words("matched", None) == "both sides agree"
