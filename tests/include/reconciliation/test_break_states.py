"""A break lives across days: in one row, with an event for every change of it."""

from __future__ import annotations

import datetime
import threading
from contextlib import closing
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import pytest

from include.reconciliation import reconcile as module
from include.reconciliation.break_states import commit_with_breaks, work_in
from include.status_store.database import StoreUnavailableError, connect
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from include.config.profiles import Profile
    from tests.include.reconciliation.world import World

# The grace of DAY (a Tuesday) is over at the end of Wednesday.
OVER = at("2026-03-12 08:00")
HOUR = datetime.timedelta(hours=1)
NEXT = DAY + datetime.timedelta(days=1)
COLUMNS = (
    "break_id", "invoice_key", "billnum", "jobid", "category", "reason", "state", "business_date", "currency", "amount",
    "first_seen", "last_seen", "times_seen", "first_reconciliation_id", "last_reconciliation_id", "accepted_by",
    "resolved_at",
)  # fmt: skip


def breaks(world: World) -> list[dict[str, Any]]:
    rows = world.store(f"SELECT {', '.join(COLUMNS)} FROM ropo.reconciliation_break ORDER BY break_id")
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


def states(world: World) -> list[tuple[str, str, str]]:
    return world.store("SELECT invoice_key, category, state FROM ropo.reconciliation_break ORDER BY break_id")


def history(world: World, invoice_key: str = "b:1") -> list[tuple[str, str | None]]:
    return world.store(
        "SELECT kind, note FROM ropo.reconciliation_break_event JOIN ropo.reconciliation_break USING (break_id) "
        "WHERE invoice_key = %s ORDER BY event_id",
        (invoice_key,),
    )


def accept(world: World) -> None:
    """As a person does, of every open break."""
    world.store(
        "UPDATE ropo.reconciliation_break SET state = 'accepted', accepted_at = now(), accepted_by = 'Anna', "
        "accepted_note = 'known', accepted_evidence = evidence WHERE state = 'open'"
    )


def behind(world: World, billnum: str = "1", amount: str = "100") -> None:
    """Ropo says that an invoice is paid, and the ledger does not."""
    world.payment(billnum, amount)
    world.row(billnum)


def mend(world: World, billnum: str = "1") -> None:
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 0 WHERE billnum = %s", (billnum,))


def test_a_difference_is_no_break_before_its_grace_is_over(world: World) -> None:
    behind(world)
    world.reconcile(now=at("2026-03-11 08:00"))
    assert breaks(world) == []
    world.reconcile(now=OVER)
    assert states(world) == [("b:1", "ledger_behind", "open")]


def test_a_break_holds_what_was_seen_of_it(world: World) -> None:
    world.payment("1", "60.50")
    world.row("1", currency="SEK")
    first = world.reconcile(now=OVER)
    second = world.reconcile(now=OVER + HOUR)
    assert breaks(world) == [
        {
            "break_id": 1, "invoice_key": "b:1", "billnum": "1", "jobid": "J1", "category": "ledger_behind",
            "reason": "payment", "state": "open", "business_date": DAY, "currency": "SEK", "amount": Decimal("60.50"),
            "first_seen": OVER, "last_seen": OVER + HOUR, "times_seen": 2,
            "first_reconciliation_id": first.reconciliation_id, "last_reconciliation_id": second.reconciliation_id,
            "accepted_by": None, "resolved_at": None,
        }
    ]  # fmt: skip
    (evidence,) = world.store("SELECT evidence FROM ropo.reconciliation_break")[0]
    assert (evidence["ropo_paid"], evidence["ledger_paid"], evidence["ledger_total"]) == ("60.5", "0", "100")
    assert (evidence["ropo_status"], evidence["ledger_status"]) == ("partly_paid", "unpaid")
    assert world.store("SELECT by_whom, kind, reconciliation_id FROM ropo.reconciliation_break_event") == [
        ("reconciliation", "opened", first.reconciliation_id)
    ]


def test_it_is_resolved_by_itself_and_reopened_in_the_same_row(world: World) -> None:
    behind(world)
    red = world.reconcile(now=OVER)
    before = world.store("SELECT * FROM ropo.reconciliation"), world.items(red)
    mend(world)
    world.reconcile(now=OVER + HOUR)
    [mended] = breaks(world)
    assert (mended["state"], mended["resolved_at"], mended["times_seen"]) == ("resolved", OVER + HOUR, 1)
    # A later green never changes an earlier red.
    assert (world.store("SELECT * FROM ropo.reconciliation ORDER BY 1 LIMIT 1"), world.items(red)) == before

    world.ledger("UPDATE ropo_ledger SET paid = 0, open = 100")
    world.reconcile(now=OVER + 2 * HOUR)
    [back] = breaks(world)
    assert (back["state"], back["resolved_at"], back["times_seen"], back["break_id"]) == ("open", None, 2, 1)
    assert back["first_seen"] == OVER
    assert history(world) == [("opened", None), ("resolved", "the invoice is right"), ("reopened", "it is back")]


def test_another_category_is_another_break(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.ledger("DELETE FROM ropo_ledger")
    world.row("2")
    world.reconcile(now=OVER + HOUR)
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("b:1", "missing_in_ledger", "open")]
    assert history(world) == [("opened", None), ("opened", None), ("resolved", "it is missing_in_ledger now")]


def test_a_row_deleted_after_green_is_found_by_a_full_comparison_and_its_return_too(world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.row("2")
    assert world.reconcile(now=OVER).matched == 1
    world.ledger("DELETE FROM ropo_ledger WHERE billnum = '1'")
    assert world.reconcile(DAY + datetime.timedelta(days=5), now=OVER, scope="full").breaks == 1
    assert states(world) == [("b:1", "missing_in_ledger", "open")]
    world.row("1", "paid", paid="100")
    # Settled on both sides it would be left out of a full comparison, but for its break.
    full = world.reconcile(DAY + datetime.timedelta(days=5), now=OVER, scope="full")
    assert world.items(full)["b:1"]["category"] == "matched"
    assert states(world) == [("b:1", "missing_in_ledger", "resolved")]
    again = world.reconcile(DAY + datetime.timedelta(days=5), now=OVER, scope="full")
    assert "b:1" not in world.items(again)


def test_a_run_of_any_date_sees_and_resolves_it_and_the_earliest_date_gives_its_age(world: World) -> None:
    behind(world)
    earlier = DAY - datetime.timedelta(days=4)
    world.comment("1", "98", "2026-03-06 09:00")
    world.reconcile(now=OVER)
    world.reconcile(earlier, now=OVER + HOUR)
    [found] = breaks(world)
    assert (found["business_date"], found["times_seen"]) == (earlier, 2)
    mend(world)
    world.reconcile(earlier, now=OVER + 2 * HOUR)
    assert states(world) == [("b:1", "ledger_behind", "resolved")]


def test_what_changes_of_an_open_break_is_an_event(world: World) -> None:
    behind(world, amount="30")
    world.reconcile(now=OVER)
    world.payment("1", "15.20")
    world.comment("1", "98")  # a message changes neither a state nor an amount
    world.reconcile(now=OVER + HOUR)
    world.reconcile(now=OVER + 2 * HOUR)
    assert history(world) == [("opened", None), ("changed", "ropo_paid 30 → 45.2")]
    assert breaks(world)[0]["amount"] == Decimal("45.20")


def test_an_accepted_break_counts_apart_while_nothing_of_it_changes(world: World) -> None:
    behind(world)
    reread = world.know_all()
    red = world.reconcile(now=OVER, reread_poll_id=reread)
    accept(world)
    green = world.reconcile(now=OVER + HOUR, reread_poll_id=reread)
    assert (red.verdict, red.breaks, red.accepted) == ("breaks", 1, 0)
    assert (green.verdict, green.breaks, green.accepted, green.population) == ("reconciled", 0, 1, 1)
    assert green.categories == {"ledger_behind": {"accepted": 1}}
    assert (world.items(green)["b:1"]["is_accepted"], world.items(red)["b:1"]["is_accepted"]) == (True, False)
    assert states(world) == [("b:1", "ledger_behind", "accepted")]
    assert breaks(world)[0]["times_seen"] == 2


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ("UPDATE ropo_ledger SET total = 5000, open = 5000", "ledger_open 100 → 5000, ledger_total 100 → 5000"),
        (
            "UPDATE ropo_ledger SET status = 'due'",
            "ledger_stage none → due, ledger_status unpaid → due, ledger_word open → due",
        ),
    ],
)
def test_accepted_small_and_grown_large_it_is_open_again(world: World, change: str, note: str) -> None:
    behind(world, amount="1")
    reread = world.know_all()
    world.reconcile(now=OVER, reread_poll_id=reread)
    accept(world)
    world.ledger(change)
    result = world.reconcile(now=OVER + HOUR, reread_poll_id=reread)
    assert (result.verdict, result.breaks, result.accepted) == ("breaks", 1, 0)
    assert states(world) == [("b:1", "ledger_behind", "open")]
    assert history(world) == [("opened", None), ("reopened", note)]
    assert breaks(world)[0]["accepted_by"] is None


def test_an_accepted_duplicate_is_open_again_when_its_other_row_grows(world: World) -> None:
    world.comment("1", "98")
    world.row("1", total="10")
    world.row("1", total="20")
    world.reconcile(now=OVER)
    world.reconcile(now=at("2026-03-16 08:00"))  # its grace began with the first run that saw it
    assert states(world) == [("b:1", "duplicate_in_ledger", "open")]
    accept(world)
    world.ledger("UPDATE ropo_ledger SET total = 90000, open = 90000 WHERE total = 20")
    assert world.reconcile(now=at("2026-03-16 09:00")).breaks == 1
    assert history(world)[-1] == (
        "reopened",
        "further open, total 20, paid 0, discount 0, credited 0, open 20 → "
        "open, total 90000, paid 0, discount 0, credited 0, open 90000",
    )


def test_an_accepted_unknown_payment_is_open_again_when_another_comes(world: World) -> None:
    world.payment("1", "5", kind="Suoritus Meikäläinen")
    world.row("1")
    world.reconcile(now=OVER)
    assert states(world) == [("b:1", "unknown_status", "open")]
    accept(world)
    assert world.reconcile(now=OVER).accepted == 1
    world.payment("1", "90000", kind="Suoritus Meikäläinen")
    assert world.reconcile(now=OVER).breaks == 1
    [(_, note)] = history(world)[-1:]
    assert (note or "").startswith("further 1 rows with codes not in the map (")
    assert (note or "").endswith("), 90005 in all")
    assert "Meik" not in (note or "")
    accept(world)
    assert world.reconcile(now=OVER).accepted == 1
    world.payment("1", "0", kind="77")
    assert world.reconcile(now=OVER).breaks == 1


def test_an_accepted_break_that_was_resolved_is_not_accepted_when_it_returns(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    accept(world)
    mend(world)
    world.reconcile(now=OVER + HOUR)
    assert breaks(world)[0]["accepted_by"] == "Anna"
    world.ledger("UPDATE ropo_ledger SET paid = 0, open = 100")
    assert world.reconcile(now=OVER + 2 * HOUR).accepted == 0
    assert (states(world)[0][2], breaks(world)[0]["accepted_by"]) == ("open", None)


def test_a_ledger_that_shows_nothing_touches_no_break(world: World) -> None:
    behind(world)
    world.payment("2", "100")
    world.row("2", "paid", paid="100")
    world.reconcile(now=OVER)
    accept(world)
    world.ledger("DELETE FROM ropo_ledger")
    blind = world.reconcile(now=OVER + HOUR)
    assert (blind.verdict, blind.breaks) == ("incomplete", 2)
    assert states(world) == [("b:1", "ledger_behind", "accepted")]


def test_an_invoice_that_gets_another_name_keeps_one_break_and_its_age(world: World) -> None:
    world.payment(None, "100", jobid="J1")
    world.row("2")
    world.reconcile(now=OVER)
    assert states(world) == [("j:J1", "missing_in_ledger", "open")]
    later = DAY + datetime.timedelta(days=6)
    world.comment("1", "98", "2026-03-16 09:00", seen=at("2026-03-16 10:00"))
    world.reconcile(later, now=at("2026-03-18 08:00"))
    assert states(world) == [("j:J1", "missing_in_ledger", "resolved"), ("b:1", "missing_in_ledger", "open")]
    assert [found["business_date"] for found in breaks(world)] == [DAY, DAY]
    assert history(world, "j:J1")[-1] == ("resolved", "the invoice is known as b:1 now")


# ----- several at once (of one date they come one after the other; here an invoice is of two)


def _also_of_the_next_day(world: World, *billnums: str) -> None:
    for billnum in billnums:
        world.comment(billnum, "98", "2026-03-11 09:00", seen=at("2026-03-11 10:00"))


def test_an_older_view_undoes_nothing_though_it_is_recorded_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    behind(world)
    behind(world, "2")
    _also_of_the_next_day(world, "1", "2")
    world.reconcile(now=OVER)
    mend(world, "2")
    # The older run has compared, and is held up before it commits; the newer one runs in the meantime.
    with monkeypatch.context() as held:

        def hold(store: Any, profile: Any) -> None:
            held.undo()
            mend(world, "1")
            world.ledger("UPDATE ropo_ledger SET paid = 0, open = 100 WHERE billnum = '2'")
            world.reconcile(NEXT, now=OVER + HOUR)
            commit_with_breaks(store, profile)

        held.setattr(module, "commit_with_breaks", hold)
        older = world.reconcile(now=OVER + HOUR)
    assert {key: item["category"] for key, item in world.items(older).items()} == {
        "b:1": "ledger_behind", "b:2": "matched",
    }  # fmt: skip
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("b:2", "ledger_behind", "open")]
    assert history(world, "b:2") == [("opened", None)]


def test_an_older_view_opens_nothing_that_a_newer_one_found_right(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind(world)
    _also_of_the_next_day(world, "1")
    with monkeypatch.context() as held:

        def hold(store: Any, profile: Any) -> None:
            held.undo()
            mend(world)
            world.reconcile(NEXT, now=OVER)
            commit_with_breaks(store, profile)

        held.setattr(module, "commit_with_breaks", hold)
        assert world.reconcile(now=OVER).breaks == 1
    assert breaks(world) == []


def test_a_clock_that_was_set_back_does_not_stop_the_breaks(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.store("UPDATE ropo.reconciliation SET view_at = now() + interval '1 day'")
    mend(world)
    world.reconcile(now=OVER + HOUR)
    assert states(world) == [("b:1", "ledger_behind", "resolved")]


def test_where_a_run_dies_between_its_two_commits_the_next_one_works_in_what_waits(world: World) -> None:
    behind(world)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            world.reconcile(now=OVER)
        except BaseException as error:  # noqa: BLE001 - shown below
            ended.append(error)

    thread = threading.Thread(target=run)
    # Another writer holds the profile's breaks: the run has committed its reconciliation, and waits; then it is killed.
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        work_in(cursor, world.profile)
        thread.start()
        killed = (
            "SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while thread.is_alive() and world.store(killed) == [(0,)]:
            thread.join(timeout=0.05)
        thread.join(timeout=240)
    assert [isinstance(error, StoreUnavailableError) for error in ended] == [True]
    assert world.store("SELECT breaks FROM ropo.reconciliation") == [(1,)]
    assert (breaks(world), world.store("SELECT count(*) FROM ropo.break_backlog")) == ([], [(1,)])

    world.payment("2", "1")
    world.row("2")
    world.reconcile(now=OVER + HOUR)
    assert sorted(states(world)) == [("b:1", "ledger_behind", "open"), ("b:2", "ledger_behind", "open")]
    assert {found["invoice_key"]: found["times_seen"] for found in breaks(world)} == {"b:1": 2, "b:2": 1}
    assert world.store("SELECT count(*) FROM ropo.break_backlog") == [(0,)]


def test_many_runs_of_many_dates_at_once_give_each_break_once(world: World) -> None:
    dates = [DAY - datetime.timedelta(days=number) for number in range(4)]
    for number in range(30):
        behind(world, str(number))
        for date in dates:
            world.comment(str(number), "98", f"{date} 09:00")
    barrier = threading.Barrier(8)
    failures: list[BaseException] = []

    def work(date: datetime.date) -> None:
        try:
            barrier.wait(timeout=60)
            world.reconcile(date, now=OVER)
        except BaseException as error:  # noqa: BLE001 - shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(date,)) for date in dates * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
    assert failures == []
    assert len(breaks(world)) == 30
    assert {(found["state"], found["business_date"], found["times_seen"]) for found in breaks(world)} == {
        ("open", dates[-1], 8)
    }
    assert world.store("SELECT count(*) FROM ropo.reconciliation_break_event") == [(30,)]
    assert world.store("SELECT count(*) FROM ropo.break_backlog") == [(0,)]


def later_start(world: World) -> Profile:
    """The profile with a ``start_date`` after the day on which the invoices were sent."""
    return msgspec.structs.replace(world.profile, start_date=DAY)


@pytest.mark.parametrize("scope", ["date", "full"])
def test_a_break_of_an_invoice_that_start_date_leaves_out_is_resolved_and_says_why(world: World, scope: str) -> None:
    for billnum in ("1", "2"):
        behind(world, billnum)
    world.ledger("UPDATE ropo_ledger SET sent_at = '2026-03-10 08:00+00' WHERE billnum = '2'")
    world.reconcile(now=OVER)

    moved = world.reconcile(now=OVER + HOUR, profile=later_start(world), scope=scope)

    assert moved.out_of_scope == 1
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("b:2", "ledger_behind", "open")]
    assert breaks(world)[0]["resolved_at"] == OVER + HOUR
    why = "it was sent before start_date, which is 2026-03-10 now: out of scope"
    assert history(world) == [("opened", None), ("resolved", why)]

    world.reconcile(now=OVER + 2 * HOUR, profile=later_start(world), scope=scope)
    assert len(history(world)) == 2, "it is closed once"


def test_an_accepted_break_that_start_date_leaves_out_is_resolved_too(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    accept(world)
    world.reconcile(now=OVER + HOUR, profile=later_start(world))
    assert states(world) == [("b:1", "ledger_behind", "resolved")]


def test_a_start_date_that_is_moved_back_reopens_what_it_had_left_out(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.reconcile(now=OVER + HOUR, profile=later_start(world))
    world.reconcile(now=OVER + 2 * HOUR)
    assert [kind for kind, _ in history(world)] == ["opened", "resolved", "reopened"]
    assert states(world) == [("b:1", "ledger_behind", "open")]


def test_a_run_that_left_an_invoice_out_closes_nothing_that_a_later_view_has_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its breaks were still to be worked in when the date was moved back and another run had looked."""
    behind(world)
    world.reconcile(now=OVER)
    with monkeypatch.context() as patch:
        patch.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        world.reconcile(now=OVER + HOUR, profile=later_start(world))
    world.reconcile(now=OVER + 2 * HOUR)
    assert states(world) == [("b:1", "ledger_behind", "open")]
    assert [kind for kind, _ in history(world)] == ["opened"]


def test_one_writer_at_a_time_and_only_of_the_same_profile(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    other = msgspec.structs.replace(world.profile, name="other")
    with closing(connect(world.store_dsn)) as first, closing(connect(world.store_dsn)) as second:
        with first.cursor() as cursor:
            work_in(cursor, world.profile)
        with second.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '200ms'")
            work_in(cursor, other)
            with pytest.raises(psycopg2.errors.LockNotAvailable):
                work_in(cursor, world.profile)
