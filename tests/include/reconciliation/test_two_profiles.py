"""Two profiles with the same invoice numbers live in one store, each as if it were alone."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import pytest

from include.config.profiles import Profile
from include.reconciliation import reconcile as module
from include.reconciliation.break_states import commit_with_breaks
from include.reconciliation.ledger_findings import known_invoices
from include.status_store.database import connect
from tests.include.reconciliation.asking import KnowingSource, asking
from tests.include.reconciliation.conftest import empty
from tests.include.reconciliation.differing import HOUR, NEXT, OVER, accept, behind
from tests.include.reconciliation.life import ONE, books, live, settings
from tests.include.reconciliation.month import FIRST
from tests.include.reconciliation.world import DAY, LEDGER, NOW, World, at

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from local_airflow.embedded import Server


@pytest.fixture(scope="module")
def dsns(postgres: Server, world_dsns: tuple[str, str]) -> tuple[str, str, str]:
    """The store, and the ledgers of two companies."""
    other_ledger = postgres.dsn(postgres.fresh_database("other_ledger"))
    with closing(psycopg2.connect(other_ledger)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    return *world_dsns, other_ledger


@pytest.fixture(scope="module")
def alone(dsns: tuple[str, str, str]) -> tuple[list[object], object]:
    """What a profile finds and has in its books that is alone in the store."""
    store, ledger, _ = dsns
    empty(store, ledger)
    world = World(store, ledger, settings(Profile(name="default"), "default"))
    return list(live(world)), books(world)


def both(dsns: tuple[str, str, str]) -> tuple[World, World]:
    """The default profile and the other one, in an empty store."""
    store, *ledgers = dsns
    empty(store, *ledgers)
    world, other = (
        World(store, ledger, settings(Profile(name="default"), name))
        for name, ledger in zip(("default", "other"), ledgers, strict=True)
    )
    return world, other


def as_default(said: object) -> str:
    """What was said of the other profile, in the words that it would be said in of the default one."""
    return str(said).replace("profile other", "profile default")


@pytest.mark.parametrize(
    ("ahead", "numbers"),
    [
        pytest.param(99, 0, id="lived before, with the same statusids"),
        pytest.param(12, 1000, id="half its life ahead, with others"),
        pytest.param(0, 0, id="a step behind, with the same statusids"),
    ],
)
def test_each_finds_and_keeps_what_it_would_alone(
    dsns: tuple[str, str, str], alone: tuple[list[object], object], ahead: int, numbers: int
) -> None:
    world, other = both(dsns)
    other.numbers = numbers
    found: dict[str, list[object]] = {"default": [], "other": []}
    lives = {"default": live(world), "other": live(other)}
    found["other"] += [step for _, step in zip(range(ahead), lives["other"], strict=False)]
    while any(len(steps) < len(alone[0]) for steps in found.values()):
        for name, life in lives.items():
            found[name] += [step for _, step in zip(range(1), life, strict=False)]

    assert found["default"] == alone[0]
    assert books(world) == alone[1]
    assert as_default(found["other"]) == as_default(alone[0])
    assert as_default(books(other)) == as_default(alone[1])


def test_invoices_of_the_other_alone_are_not_seen(
    dsns: tuple[str, str, str], alone: tuple[list[object], object]
) -> None:
    world, other = both(dsns)
    sent = at("2026-03-30 08:00")
    other.row("21", sent_at=sent, changed_at=sent)
    for billnum in ("22", "23"):
        other.payment(billnum, "10", str(FIRST), seen=at("2026-03-30 09:00"))
    other.store(
        "INSERT INTO ropo.status_event_revision "
        "(profile, statusid, revision, content_sha256, raw, poll_id, recorded_at) "
        "SELECT profile, statusid, 1, '', '{}', first_poll_id, '2026-03-31 09:00Z' FROM ropo.status_event"
    )
    for _ in live(other):
        pass

    assert list(live(world)) == alone[0]
    assert books(world) == alone[1]


@pytest.fixture
def neighbours(dsns: tuple[str, str, str]) -> tuple[World, World]:
    """Both, with the shipped settings."""
    worlds = both(dsns)
    for each in worlds:
        each.profile = Profile(name=each.profile.name)
    return worlds


def test_breaks_that_are_seen_late_or_left_out_are_of_the_one_that_looked(
    neighbours: tuple[World, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    world, other = neighbours
    for each in neighbours:
        behind(each)
        each.reconcile(now=OVER)

    def held_up_for(another: World, **options: Any) -> None:
        """The world's next run; another one looks later, and its breaks are worked in before."""
        left: list[object] = []

        def hold(store: Connection, profile: Profile) -> None:
            held.undo()
            another.reconcile(now=OVER + HOUR)
            left.append(books(other))
            commit_with_breaks(store, profile)

        with monkeypatch.context() as held:
            held.setattr(module, "commit_with_breaks", hold)
            world.reconcile(now=OVER + HOUR, **options)
        assert [books(other)] == left

    of_each = "SELECT profile, state, times_seen FROM ropo.reconciliation_break ORDER BY profile"
    held_up_for(world, scope="full")
    assert world.store(of_each) == [("default", "open", 3), ("other", "open", 1)]
    held_up_for(other, profile=msgspec.structs.replace(world.profile, start_date=DAY))
    assert world.store(of_each) == [("default", "resolved", 3), ("other", "open", 2)]


def test_what_a_full_comparison_left_pending_is_looked_at_by_its_own_rechecks_and_at_their_own_dates(
    neighbours: tuple[World, World],
) -> None:
    world, other = neighbours

    def rechecked(each: World) -> list[tuple[object, ...]]:
        done = each.recheck(DAY + 5 * ONE, now=NOW + 5 * ONE)
        found = [changed.reconciliation for changed in done.changed]
        return [(result.business_date, result.breaks) for result in found if result.population]

    # Neither ERP says what it changed, so that no date's run sees the invoice.
    long_ago = at("2026-02-01 08:00")
    for each in neighbours:
        each.row("1", "cancelled", sent_at=long_ago, changed_at=None)
        each.comment("1", "98", "2026-02-01 09:00", seen=long_ago)
        each.reconcile()
    assert world.reconcile(NEXT, scope="full").pending == 1
    # Of this date the other one alone has a comparison yet.
    other.reconcile(NEXT)
    assert other.reconcile(scope="full").pending == 1

    assert rechecked(world) == []
    assert rechecked(world) == [(NEXT, 1)]
    assert rechecked(other) == [(DAY, 1)]


def test_a_cut_answer_is_shown_complete_by_its_own_profiles_questions(neighbours: tuple[World, World]) -> None:
    world, other = neighbours
    for billnum in "123":
        world.row(billnum, "paid", paid="100")
        world.payment(billnum, "100")

    def asked_about_in_vain(first: World, then: World) -> None:
        first.know_all(possibly_cut=True, shown_complete=False, completeness="it was cut")
        for billnum in "123":
            then.poll("billnum", "landed", filter_value=billnum, closed_at=NOW)

    def asks(reread_poll_id: int) -> list[str]:
        source = KnowingSource()
        source.queue = ("ropo.example", world.profile.name)
        with asking(world, source) as inquiries:
            world.reconcile(reread_poll_id=reread_poll_id, inquiries=inquiries)
        return source.asked

    of_the_other = other.know_all(possibly_cut=True)
    assert asks(of_the_other) == []
    assert world.store("SELECT shown_complete FROM ropo.status_poll WHERE poll_id = %s", (of_the_other,)) == [(None,)]
    asked_about_in_vain(other, world)
    asked_about_in_vain(world, other)
    assert asks(world.know_all(possibly_cut=True)) == ["1", "2", "3"]


def test_a_settled_invoice_is_left_out_though_the_other_has_a_break_of_it(neighbours: tuple[World, World]) -> None:
    world, other = neighbours
    behind(other)
    assert other.reconcile(now=OVER).breaks == 1
    world.row("1", "paid", paid="100")
    # In letters that are not plain, so that the rules are applied to the invoice.
    world.event("1", "2026-03-10", statustype="Payment", statustext="1", amount="100")
    assert world.reconcile(scope="full").population == 0


def test_nor_is_it_compared_because_the_other_has_a_break_of_its_former_name(neighbours: tuple[World, World]) -> None:
    world, other = neighbours
    for each in neighbours:
        each.row("1", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
        each.reconcile()
    other.reconcile(now=OVER)
    world.event("1", "2026-03-10", statustype="Payment", statustext="1", amount="100")
    # A break of its own.
    world.payment("2", "100", kind="77")
    world.row("2")
    found = [world.reconcile(now=OVER, scope="full") for _ in range(2)]
    assert [list(world.items(each)) for each in found] == [["b:2"], ["b:2"]]
    query = "SELECT profile, invoice_key FROM ropo.reconciliation_break ORDER BY 1"
    assert world.store(query) == [("default", "b:2"), ("other", "j:J1")]


def test_a_full_comparison_looks_for_nothing_that_the_other_alone_has_known(neighbours: tuple[World, World]) -> None:
    world, other = neighbours
    other.row("1", changed_at=at("2026-03-10 08:00"))
    other.row("2", "paid", paid="100", changed_at=at("2026-03-10 08:00"))
    behind(other, "3")
    found = [other.reconcile(now=moment) for moment in (NOW, OVER)]
    assert [(each.matched, each.pending, each.breaks) for each in found] == [(1, 2, 0), (1, 0, 2)]
    assert world.reconcile(scope="full").population == 0


def test_a_name_that_an_invoice_loses_is_lost_by_its_own_profiles_breaks_alone(
    neighbours: tuple[World, World],
) -> None:
    world, other = neighbours
    for each in neighbours:
        each.row("1", "paid", paid="100", jobid=None, changed_at=at("2026-03-10 08:00"))
        if each is other:
            each.row("2", "paid", paid="100", jobid="J1", changed_at=at("2026-03-10 08:00"))
        for moment in (NOW, OVER):
            each.reconcile(now=moment)
    accept(world, "1")
    world.store(
        "UPDATE ropo.reconciliation_break SET business_date = '2026-02-27', renamed_to = 'b:1' WHERE profile = 'other'"
    )
    left = books(other)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")

    again = world.reconcile(now=OVER + HOUR)

    assert (again.accepted, again.breaks) == (1, 0)
    dates = "SELECT invoice_key, business_date FROM ropo.reconciliation_break WHERE profile = 'default' ORDER BY 1"
    assert world.store(dates) == [("b:1", DAY), ("j:J1", DAY)]
    assert books(other) == left
    assert other.reconcile(now=OVER + HOUR).accepted == 1


def test_what_the_other_has_accepted_is_not_accepted_by_whatever_name(neighbours: tuple[World, World]) -> None:
    world, other = neighbours
    for each in (other, world):
        each.row("1", "paid", paid="100", jobid=None, changed_at=at("2026-03-10 08:00"))
        for moment in (NOW, OVER):
            each.reconcile(now=moment)
        if each is other:
            accept(other)
    assert (world.reconcile(now=OVER + HOUR).accepted, other.reconcile(now=OVER + HOUR).accepted) == (0, 1)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1' WHERE billnum = '1'")
    again = world.reconcile(now=OVER + 2 * HOUR)
    assert (again.accepted, again.breaks) == (0, 1)


def test_what_a_dismissed_row_has_named_was_not_known_because_the_other_knew_it(
    neighbours: tuple[World, World],
) -> None:
    world, other = neighbours
    other.comment("1", "98")
    other.row("1")
    other.reconcile()
    world.quarantine(b'{"billnum": "1"}', at("2026-03-10 10:00"))
    world.reconcile()
    world.store("UPDATE ropo.status_quarantine SET resolved_at = now()")
    assert world.judged() == ("matched", "never_known")


def test_a_row_in_quarantine_is_no_other_invoices_because_the_other_knows_its_job(
    neighbours: tuple[World, World],
) -> None:
    world, other = neighbours
    other.comment("9", "98")
    world.comment("1", "98")
    world.row("1")
    world.quarantine(b'{"jobid": "J9", "billnum": "1"}', at("2026-03-10 10:00"))
    assert world.judged() == ("unparseable", "row_in_quarantine")


def test_an_invoice_that_the_ledger_lacks_has_no_currency_of_the_others_invoice(
    neighbours: tuple[World, World],
) -> None:
    world, other = neighbours
    other.row("1", currency="SEK")
    for each in neighbours:
        each.payment("1", "100")
    other.reconcile()
    item = world.only_item()
    assert (item["category"], item["currency"]) == ("missing_in_ledger", "EUR")


def test_a_ledger_is_checked_by_the_invoices_of_its_own_profile(neighbours: tuple[World, World]) -> None:
    world, other = neighbours
    world.comment("1", "98")
    other.comment("2", "98")
    with closing(connect(world.store_dsn)) as store:
        assert known_invoices(store, world.profile, 5) == [("J1", "1")]
