"""A break lives across days: in one row, with an event for every change of it."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.include.reconciliation.differing import HOUR, OVER, accept, behind, breaks, history, mend, states
from tests.include.reconciliation.world import DAY, at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


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
    # Until it is shown again it may be what another row, or an earlier version, had made of it.
    world.store("UPDATE ropo.reconciliation_break SET billnum = '0', jobid = 'J0', reason = NULL, currency = 'EUR'")
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


def test_by_a_clock_that_was_set_back_a_break_is_neither_seen_last_nor_over_before_it_was_seen(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER + HOUR)
    world.reconcile(now=OVER)
    assert breaks(world)[0]["last_seen"] == OVER + HOUR
    mend(world)
    world.reconcile(now=OVER)
    assert breaks(world)[0]["resolved_at"] == OVER + HOUR


def test_another_category_is_another_break(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    world.ledger("UPDATE ropo_ledger SET billnum = '2', jobid = 'J2'")
    world.reconcile(now=OVER + HOUR)
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("b:1", "missing_in_ledger", "open")]
    assert history(world) == [("opened", None), ("opened", None), ("resolved", "it is missing_in_ledger now")]
    world.row("1", "paid", paid="60", discount="40")
    world.reconcile(now=OVER + 2 * HOUR)
    assert [found["resolved_at"] for found in breaks(world)] == [OVER + HOUR, OVER + 2 * HOUR, None]
    assert (breaks(world)[2]["category"], breaks(world)[2]["amount"]) == ("amount_mismatch", Decimal(40))


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
    assert history(world) == [("opened", None), ("changed", "paid at Ropo One from 30.00 to 45.20")]
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
        (
            "UPDATE ropo_ledger SET total = 5000, open = 5000",
            "open in the ledger from 100.00 to 5000.00, total in the ledger from 100.00 to 5000.00",
        ),
        (
            "UPDATE ropo_ledger SET status = 'due'",
            "stage in the ledger from none to due, status in the ledger from unpaid to due, "
            "word in the ledger from open to due",
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


@pytest.mark.parametrize(
    ("category", "jobid"),
    [("duplicate_in_ledger", "J1"), ("ambiguous_match", None), ("unparseable", "J1"), ("unparseable", None)],
)
def test_an_accepted_break_of_several_rows_is_open_again_when_another_row_grows(
    world: World, category: str, jobid: str | None
) -> None:
    world.comment("1", "98")
    world.row("1", total="10")
    world.row("1", total="20", jobid=jobid)
    if category == "unparseable":
        world.quarantine(b'{"billnum": "1", "jobid": "J1"}', at("2026-03-10 10:00"))
    world.reconcile(now=OVER)
    world.reconcile(now=at("2026-03-16 08:00"))  # its grace began with the first run that saw it
    assert states(world) == [("b:1", category, "open")]
    accept(world)
    world.ledger("UPDATE ropo_ledger SET total = 90000, open = 90000 WHERE total = 20")
    assert world.reconcile(now=at("2026-03-16 09:00")).breaks == 1
    assert history(world)[-1] == (
        "reopened",
        "further from open, total 20, paid 0, discount 0, credited 0, open 20 to "
        "open, total 90000, paid 0, discount 0, credited 0, open 90000",
    )


def test_an_accepted_duplicate_stays_so_in_whatever_order_the_ledger_returns_its_rows(world: World) -> None:
    world.comment("1", "98")
    world.row("1")
    world.row("1", "due")
    world.reconcile(now=OVER)
    world.reconcile(now=at("2026-03-16 08:00"))  # its grace began with the first run that saw it
    accept(world)
    for _ in range(2):
        # What is written anew comes last.
        world.ledger("UPDATE ropo_ledger SET status = status WHERE ctid = (SELECT min(ctid) FROM ropo_ledger)")
        assert world.reconcile(now=at("2026-03-16 09:00")).accepted == 1
    assert [kind for kind, _ in history(world)] == ["opened"]


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
    said = r"further from 1 (rows with codes not in the map \([0-9a-f]{8}\)), 5 in all to 2 \1, 90005 in all"
    assert re.fullmatch(said, note or "")  # a digest of the code, and no text of it
    accept(world)
    assert world.reconcile(now=OVER).accepted == 1
    world.payment("1", "0", kind="77")
    assert world.reconcile(now=OVER).breaks == 1


@pytest.mark.parametrize(
    ("category", "jobids"),
    [
        ("missing_in_ledger", []),
        ("duplicate_in_ledger", ["J1", "J1"]),
        ("ambiguous_match", ["J1", None]),
        ("unparseable", ["J1"]),
    ],
)
def test_another_accepted_break_is_open_again_when_an_unknown_payment_comes(
    world: World, category: str, jobids: list[str | None]
) -> None:
    world.comment("1", "98")
    world.row("2", sent_at=at("2026-03-01 08:00"), changed_at=None)  # an empty ledger opens no break
    for jobid in jobids:
        world.row("1", jobid=jobid)
    if category == "unparseable":
        world.quarantine(b'{"billnum": "1", "jobid": "J1"}', at("2026-03-10 10:00"))
    world.reconcile(now=OVER)
    world.reconcile(now=at("2026-03-16 08:00"))  # where its grace began with the first run that saw it
    assert states(world) == [("b:1", category, "open")]
    accept(world)
    # A code that brings no money is nothing that it rests on.
    world.comment("1", "66")
    assert world.reconcile(now=at("2026-03-16 09:00")).accepted == 1
    world.payment("1", "1000", kind="5")
    assert world.reconcile(now=at("2026-03-16 09:00")).breaks == 1
    [(_, note)] = history(world)[-1:]
    assert (note or "").endswith("), 1000 in all")


def test_an_accepted_unknown_code_is_open_again_when_another_comes_and_not_when_a_known_one_does(world: World) -> None:
    world.comment("1", "66")
    world.row("1")
    world.reconcile(now=OVER)
    assert states(world) == [("b:1", "unknown_status", "open")]
    accept(world)
    world.comment("1", "98")
    assert world.reconcile(now=OVER).accepted == 1
    world.comment("1", "67")
    assert world.reconcile(now=OVER).breaks == 1


def test_an_acceptance_by_a_version_that_knew_less_of_it_stands(world: World) -> None:
    behind(world)
    world.reconcile(now=OVER)
    accept(world)
    world.store("UPDATE ropo.reconciliation_break SET accepted_evidence = accepted_evidence - 'ledger_word'")
    assert world.reconcile(now=OVER + HOUR).accepted == 1
    assert (states(world)[0][2], history(world)) == ("accepted", [("opened", None)])


@pytest.mark.parametrize("state", ["accepted", "resolved"])
def test_what_is_within_a_grace_again_is_pending_whatever_its_break_is_and_changes_nothing_of_it(
    world: World, state: str
) -> None:
    behind(world)
    world.reconcile(now=OVER)
    accept(world)
    if state == "resolved":
        mend(world)
        world.reconcile(now=OVER)
        world.ledger("UPDATE ropo_ledger SET paid = 0, open = 100")
    before = breaks(world), history(world)
    longer = msgspec.structs.replace(world.profile, grace_business_days=20)
    again = world.reconcile(now=OVER + HOUR, profile=longer)
    assert (again.pending, again.accepted, again.breaks) == (1, 0, 0)
    assert (states(world)[0][2], (breaks(world), history(world))) == (state, before)


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


def use_again(world: World) -> None:
    """The ledger gets another row of the number 1: what went by the number goes by its job now."""
    behind(world)
    world.reconcile(now=OVER)
    accept(world)
    world.row("1", jobid="NEW", changed_at=at("2026-03-12 08:00"))


def test_an_acceptance_is_kept_where_nothing_but_the_invoices_name_changed(world: World) -> None:
    use_again(world)
    again = world.reconcile(now=OVER + HOUR)
    assert (again.accepted, again.breaks) == (1, 0)
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("j:J1", "ledger_behind", "accepted")]
    assert [found["accepted_by"] for found in breaks(world)] == ["Anna", "Anna"]
    assert history(world, "j:J1") == [("opened", None), ("accepted", "as b:1 by Anna: known")]
    assert history(world)[-1] == ("resolved", "the invoice is known as j:J1 now")
    assert world.store(
        "SELECT accepted_note, accepted_evidence = evidence FROM ropo.reconciliation_break WHERE invoice_key = 'j:J1'"
    ) == [("known", True)]
    world.ledger("DELETE FROM ropo_ledger WHERE jobid = 'NEW'")  # and back again, in the row that there was
    back = world.reconcile(now=OVER + 2 * HOUR)
    assert (back.accepted, back.breaks) == (1, 0)
    assert states(world) == [("b:1", "ledger_behind", "accepted"), ("j:J1", "ledger_behind", "resolved")]
    assert world.store("SELECT renamed_to FROM ropo.reconciliation_break ORDER BY break_id") == [(None,), ("b:1",)]
    assert history(world)[-2:] == [("reopened", "it is back"), ("accepted", "as j:J1 by Anna: known")]
    assert world.reconcile(now=OVER + 3 * HOUR).accepted == 1


def test_an_acceptance_ends_where_an_amount_changes_together_with_the_name(world: World) -> None:
    use_again(world)
    world.ledger("UPDATE ropo_ledger SET total = 5000, open = 5000 WHERE jobid = 'J1'")
    again = world.reconcile(now=OVER + HOUR)
    assert (again.accepted, again.breaks) == (0, 1)
    assert states(world) == [("b:1", "ledger_behind", "resolved"), ("j:J1", "ledger_behind", "open")]


def test_an_acceptance_is_not_anothers_whose_row_has_the_same_jobid(world: World) -> None:
    """Ropo One has named the job of neither, so that it is no sign that the one goes by the other's name."""
    day_before = DAY - datetime.timedelta(days=1)
    for billnum, day in (("1", DAY), ("2", day_before)):
        world.payment(billnum, "100", str(day), jobid=None, seen=at(f"{day} 10:00"))
        world.row(billnum, jobid="X", sent_at=None, changed_at=None)
    world.reconcile(day_before, now=OVER)
    accept(world)
    assert (world.reconcile(now=OVER).accepted, states(world)[1:]) == (0, [("b:1", "ledger_behind", "open")])
    assert states(world)[:1] == [("b:2", "ledger_behind", "accepted")]


# ----- several at once (of one date they come one after the other; here an invoice is of two)


def test_of_two_invoices_with_one_jobid_in_the_ledger_each_keeps_its_break(world: World) -> None:
    """Ropo One has named the job of neither, so that it is no sign that the one goes by the other's name."""
    day_before = DAY - datetime.timedelta(days=1)
    for billnum, day in (("1", DAY), ("2", day_before)):
        world.payment(billnum, "100", str(day), jobid=None, seen=at(f"{day} 10:00"))
        world.row(billnum, jobid="X")
    world.reconcile(day_before, now=OVER)
    world.reconcile(now=OVER)
    assert sorted((key, state) for key, _, state in states(world)) == [("b:1", "open"), ("b:2", "open")]
