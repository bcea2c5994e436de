"""A month that was signed lives on: what is its invoices' ordinary life, and what is a change of what was signed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.reconciliation.signing import accept_incompleteness
from include.watch.signed import ChangedPeriods
from include.watch.verdicts import RedVerdicts
from tests.include.reconciliation.month import (
    APRIL,
    FIRST,
    HOUR,
    LAST,
    NOW,
    accepts,
    countersigns,
    flags,
    owe,
    run,
    run_all,
    signs,
    status,
    transaction,
    unmet,
)
from tests.include.reconciliation.world import STATUS_MAP, at

if TYPE_CHECKING:
    from include.reconciliation.recheck import Rechecked
    from tests.include.reconciliation.world import World

DAY = datetime.timedelta(days=1)
CUT = {"possibly_cut": True, "shown_complete": False, "completeness": "the date has 300 invoice numbers"}


def _night(day: datetime.date) -> datetime.datetime:
    """Half past one after a business date, in Helsinki."""
    return at(f"{day} 22:30")


def _sends(world: World, *billnums: str) -> None:
    """Invoices of the first date that Ropo One has had nothing to say of."""
    for billnum in billnums:
        world.row(billnum, sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))


def _is_paid(world: World, billnum: str, day: datetime.date) -> None:
    """It is paid in full, and booked an hour later."""
    world.payment(billnum, "100", str(day), seen=at(f"{day} 10:00"))
    world.ledger(
        "UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0, changed_at = %s WHERE billnum = %s",
        (at(f"{day} 11:00"), billnum),
    )


def _recheck(world: World, day: datetime.date, **options: Any) -> list[tuple[datetime.date, str | None, str]]:
    """The night after a business date: the dates of March that it records anew, what they were and what they are."""
    found: Rechecked = world.recheck(day, now=_night(day), **options)
    return [
        (each.reconciliation.business_date, each.before, each.reconciliation.verdict)
        for each in found.changed
        if each.reconciliation.business_date <= LAST
    ]


def _alerts(world: World, now: datetime.datetime = NOW) -> list[str]:
    """What the watch has to tell of signed months and of red dates of March."""
    with transaction(world) as cursor:
        topics = (ChangedPeriods(world.profile, now), RedVerdicts(world.profile, now))
        return [subject for topic in topics for subject in topic.found(cursor) if subject.startswith("2026-03")]


def _accepts_incompleteness(world: World, day: datetime.date = FIRST) -> int:
    with transaction(world) as cursor:
        return accept_incompleteness(cursor, world.profile, day, by="Anna", note="Ropo says that it was all")


def test_ordinary_payments_after_the_signature_change_nothing_of_a_green_month(march: World) -> None:
    billnums = ("3", "4", "5", "6", "7", "8")
    _sends(march, *billnums)
    run(march, FIRST, now=_night(FIRST))
    run(march, LAST, now=_night(LAST))
    run(march, LAST, scope="full", now=_night(LAST))
    recorded = []
    for number, billnum in enumerate(billnums):
        day = datetime.date(2026, 4, 1) + number * DAY
        if day == APRIL:
            signs(march, now=at("2026-04-02 08:00"))
        _is_paid(march, billnum, day)
        run(march, day, now=_night(day))
        recorded += _recheck(march, day)
        if day == datetime.date(2026, 4, 4):
            countersigns(march)
    assert len(recorded) > 3, "what they became is recorded all the same"
    assert (flags(march), unmet(march), _alerts(march)) == ([], [], [])


def test_a_quiet_night_after_a_month_was_signed_with_accepted_breaks_changes_nothing_of_it(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    assert _recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert (flags(march), _alerts(march)) == ([], [])
    countersigns(march)


def test_a_quiet_night_after_a_month_was_signed_with_a_mended_break_changes_nothing_of_it(march: World) -> None:
    owe(march)
    run_all(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    signs(march)
    assert _recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert (flags(march), _alerts(march)) == ([], [])
    countersigns(march)


def test_a_difference_that_was_accepted_in_another_category_than_its_date_has_it_in_changes_nothing(
    march: World,
) -> None:
    owe(march)
    run_all(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', total = 99, paid = 99, open = 0 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    accepts(march)
    assert march.store("SELECT category, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("ledger_behind", "resolved"),
        ("amount_mismatch", "accepted"),
    ]
    signs(march)
    assert _recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    assert (flags(march), _alerts(march)) == ([], [])


def test_an_accepted_break_that_is_mended_after_the_signature_is_a_change(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '1'")
    assert _recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date) == ("result_changed", FIRST)
    assert _alerts(march) == ["2026-03"]


def test_an_accepted_break_makes_no_payment_of_another_invoice_of_its_date_a_change(march: World) -> None:
    _sends(march, "3", "4")
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    for day, billnum in ((datetime.date(2026, 4, 15), "3"), (datetime.date(2026, 4, 20), "4")):
        _is_paid(march, billnum, day)
        assert [date for date, *_ in _recheck(march, day)] == [FIRST]
    assert (flags(march), _alerts(march)) == ([], [])


def test_another_status_map_makes_no_payment_since_the_signature_a_change(march: World) -> None:
    _sends(march, "3")
    run_all(march)
    signs(march)
    _is_paid(march, "3", datetime.date(2026, 4, 20))
    newer = msgspec.structs.replace(STATUS_MAP, version="test2")
    assert [date for date, *_ in _recheck(march, datetime.date(2026, 4, 30), status_map=newer)] == [FIRST]
    assert (flags(march), _alerts(march)) == ([], [])


def test_other_amounts_of_an_accepted_break_are_a_change(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '1'")
    run(march, FIRST, now=NOW + HOUR)
    assert flags(march) == [("result_changed", FIRST), ("break_reopened", FIRST)]


def test_an_invoice_that_differs_within_its_grace_is_a_change_until_it_is_right_again(march: World) -> None:
    _sends(march, "3")
    run_all(march)
    signs(march)
    march.payment("3", "100", "2026-04-08", seen=NOW)
    run(march, FIRST, now=NOW + HOUR)
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date) == ("result_changed", FIRST)


def test_an_invoice_that_came_to_a_signed_date_is_a_change(march: World) -> None:
    run_all(march)
    signs(march)
    _sends(march, "3")
    run(march, FIRST, now=NOW + HOUR)
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date) == ("result_changed", FIRST)


def test_an_accepted_incompleteness_holds_while_its_date_has_no_other_reason(march: World) -> None:
    _sends(march, "3", "4")
    run_all(march)
    march.reconcile(FIRST, now=NOW, reread_poll_id=march.know_all(FIRST, **CUT))
    accepted = _accepts_incompleteness(march)
    signs(march)
    for day, billnum in ((datetime.date(2026, 4, 15), "3"), (datetime.date(2026, 4, 20), "4")):
        _is_paid(march, billnum, day)
        assert _recheck(march, day) == [(FIRST, "incomplete", "incomplete")]
        assert (flags(march), unmet(march), _alerts(march, _night(day))) == ([], [], [])
    countersigns(march)
    [acceptance] = march.store("SELECT DISTINCT acceptance_id, accepted_by FROM ropo.incompleteness_accepted")
    assert acceptance == (1, "Anna")
    assert march.store("SELECT reconciliation_id FROM ropo.incompleteness_acceptance") == [(accepted,)]


def test_an_accepted_incompleteness_holds_for_a_date_that_is_cut_again(march: World) -> None:
    run_all(march)
    march.reconcile(FIRST, now=NOW, reread_poll_id=march.know_all(FIRST, **CUT))
    _accepts_incompleteness(march)
    signs(march)
    again = {**CUT, "completeness": "the date has 301 invoice numbers"}
    march.reconcile(FIRST, now=NOW + HOUR, reread_poll_id=march.know_all(FIRST, **again))
    assert (flags(march), unmet(march)) == ([], [])


def _doubt(world: World) -> int:
    return world.poll("drain", "in_doubt", recovery="unproven", recovery_reason="lost", window_to=APRIL, closed_at=NOW)


def test_another_doubt_is_another_reason_than_the_one_that_was_accepted(march: World) -> None:
    run_all(march)
    doubt = _doubt(march)
    run(march, LAST)
    _accepts_incompleteness(march, LAST)
    signs(march)
    march.store("UPDATE ropo.status_poll SET recovery = 'recovered' WHERE poll_id = %s", (doubt,))
    _doubt(march)
    run(march, LAST, now=NOW + HOUR)
    assert unmet(march) == [(LAST, "incomplete")]
    [flag] = status(march).flags
    assert flag.note.endswith("; for another reason: what was accepted of the earlier one does not hold for this one")


def test_one_of_two_accepted_doubts_that_is_recovered_leaves_the_other_accepted(march: World) -> None:
    run_all(march)
    doubt, _ = _doubt(march), _doubt(march)
    run(march, LAST)
    _accepts_incompleteness(march, LAST)
    signs(march)
    march.store("UPDATE ropo.status_poll SET recovery = 'recovered' WHERE poll_id = %s", (doubt,))
    run(march, LAST, now=NOW + HOUR)
    assert (flags(march), unmet(march)) == ([], [])


def test_what_became_incomplete_anew_was_not_accepted(march: World) -> None:
    run_all(march)
    cut = march.know_all(LAST, **CUT)
    march.reconcile(LAST, now=NOW, reread_poll_id=cut)
    _accepts_incompleteness(march, LAST)
    signs(march)
    run(march, LAST, now=NOW + HOUR)
    assert (flags(march), unmet(march)) == ([], []), "mended"
    march.reconcile(LAST, now=NOW + 2 * HOUR, reread_poll_id=cut)
    assert (flags(march), unmet(march)) == ([("result_changed", LAST)], [(LAST, "incomplete")])


@pytest.mark.parametrize("scope", ["date", "full"])
def test_an_accepted_incompleteness_covers_no_break_that_it_did_not_have(march: World, scope: str) -> None:
    run_all(march)
    _doubt(march)
    _sends(march, "3")
    run(march, LAST, scope=scope)
    with transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="seen", scope=scope)
    covered = "SELECT count(*) FROM ropo.incompleteness_accepted"
    run(march, LAST, scope=scope, now=NOW + HOUR)
    assert march.store(covered) == [(2,)]
    owe(march, "2")
    run(march, LAST, scope=scope, now=NOW + 2 * HOUR)
    assert march.store(covered) == [(2,)]


def test_an_accepted_incompleteness_holds_with_the_very_breaks_that_it_had(march: World) -> None:
    run_all(march)
    owe(march)
    march.reconcile(FIRST, now=NOW, reread_poll_id=march.know_all(FIRST, **CUT))
    _accepts_incompleteness(march)
    march.reconcile(FIRST, now=NOW + HOUR, reread_poll_id=march.know_all(FIRST, **CUT))
    assert unmet(march) == [(FIRST, "open_breaks")]
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '1'")
    march.reconcile(FIRST, now=NOW + 2 * HOUR, reread_poll_id=march.know_all(FIRST, **CUT))
    assert unmet(march) == [(FIRST, "open_breaks"), (FIRST, "incomplete")]
