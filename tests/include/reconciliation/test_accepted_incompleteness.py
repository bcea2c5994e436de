"""A date that somebody accepted as incomplete: for how long that holds, and what it covers."""

from __future__ import annotations

import datetime
import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from include.reconciliation.signing import SignOffError, accept_incompleteness
from tests.include.reconciliation.asking import payment, reread
from tests.include.reconciliation.month import (
    APRIL,
    CUT,
    FIRST,
    HOUR,
    LAST,
    NOW,
    accepts_incompleteness,
    alerts,
    countersigns,
    flags,
    is_paid,
    night,
    owe,
    recheck,
    run,
    run_all,
    sends,
    signs,
    status,
    transaction,
    unmet,
)
from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from include.config.profiles import Scope
    from tests.include.reconciliation.world import World


def test_an_accepted_incompleteness_holds_while_its_date_has_no_other_reason(march: World) -> None:
    sends(march, "3", "4")
    run_all(march)
    march.reconcile(FIRST, now=NOW, reread_poll_id=march.know_all(FIRST, **CUT))
    accepted = accepts_incompleteness(march)
    signs(march)
    for day, billnum in ((datetime.date(2026, 4, 15), "3"), (datetime.date(2026, 4, 20), "4")):
        is_paid(march, billnum, day)
        assert recheck(march, day) == [(FIRST, "incomplete", "incomplete")]
        assert (flags(march), unmet(march), alerts(march, night(day))) == ([], [], [])
    countersigns(march)
    [acceptance] = march.store("SELECT DISTINCT acceptance_id, accepted_by FROM ropo.incompleteness_accepted")
    assert acceptance == (1, "Anna")
    assert march.store("SELECT reconciliation_id FROM ropo.incompleteness_acceptance") == [(accepted,)]


def test_an_accepted_incompleteness_holds_for_a_date_that_is_cut_again(march: World) -> None:
    run_all(march)
    march.reconcile(FIRST, now=NOW, reread_poll_id=march.know_all(FIRST, **CUT))
    accepts_incompleteness(march)
    signs(march)
    again = {**CUT, "completeness": "the date has 301 invoice numbers"}
    march.reconcile(FIRST, now=NOW + HOUR, reread_poll_id=march.know_all(FIRST, **again))
    assert (flags(march), unmet(march)) == ([], [])


def test_of_two_people_who_accept_a_date_at_once_one_is_told_of_the_other(march: World) -> None:
    run_all(march)
    march.reconcile(LAST, now=NOW)  # without a re-read
    refused = []

    def anna() -> None:
        with pytest.raises(SignOffError) as error:
            accepts_incompleteness(march, LAST)
        refused.append(str(error.value))

    thread = threading.Thread(target=anna)
    with transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, LAST, by="Pia", note="Ropo was down")
        thread.start()
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        while thread.is_alive() and march.store(waiting) == [(0,)]:
            thread.join(timeout=0.05)
    thread.join(timeout=240)
    assert refused == ["Profile default, business date 2026-03-31: reconciliation 4 was accepted by Pia already"]


def _doubt(world: World) -> int:
    return world.poll("drain", "in_doubt", recovery="unproven", recovery_reason="lost", window_to=APRIL, closed_at=NOW)


def test_another_doubt_is_another_reason_than_the_one_that_was_accepted(march: World) -> None:
    run_all(march)
    doubt = _doubt(march)
    run(march, LAST)
    accepts_incompleteness(march, LAST)
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
    accepts_incompleteness(march, LAST)
    signs(march)
    march.store("UPDATE ropo.status_poll SET recovery = 'recovered' WHERE poll_id = %s", (doubt,))
    run(march, LAST, now=NOW + HOUR)
    assert (flags(march), unmet(march)) == ([], [])


def test_what_became_incomplete_anew_was_not_accepted(march: World) -> None:
    run_all(march)
    cut = march.know_all(LAST, **CUT)
    march.reconcile(LAST, now=NOW, reread_poll_id=cut)
    accepts_incompleteness(march, LAST)
    signs(march)
    run(march, LAST, now=NOW + HOUR)
    assert (flags(march), unmet(march)) == ([], []), "mended"
    march.reconcile(LAST, now=NOW + 2 * HOUR, reread_poll_id=cut)
    assert (flags(march), unmet(march)) == ([("result_changed", LAST)], [(LAST, "incomplete")])


@pytest.mark.parametrize("scope", ["date", "full"])
def test_an_accepted_incompleteness_covers_no_break_that_it_did_not_have(march: World, scope: Scope) -> None:
    run_all(march)
    _doubt(march)
    sends(march, "3")
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
    accepts_incompleteness(march)
    march.reconcile(FIRST, now=NOW + HOUR, reread_poll_id=march.know_all(FIRST, **CUT))
    assert unmet(march) == [(FIRST, "open_breaks")]
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '1'")
    march.reconcile(FIRST, now=NOW + 2 * HOUR, reread_poll_id=march.know_all(FIRST, **CUT))
    assert unmet(march) == [(FIRST, "open_breaks"), (FIRST, "incomplete")]


def test_another_doubt_is_found_by_the_nights_recheck(march: World) -> None:
    run_all(march)
    doubt = _doubt(march)
    run(march, LAST)
    accepts_incompleteness(march, LAST)
    signs(march)
    march.store("UPDATE ropo.status_poll SET recovery = 'recovered' WHERE poll_id = %s", (doubt,))
    _doubt(march)

    assert recheck(march, datetime.date(2026, 4, 8)) == [(LAST, "incomplete", "incomplete")]

    assert unmet(march) == [(LAST, "incomplete")]
    assert flags(march) == [("result_changed", LAST)]


@pytest.mark.parametrize("what", ["a doubt", "a row in quarantine"])
def test_what_a_night_finds_is_not_known_instead_is_shown_before_anybody_accepts_it(march: World, what: str) -> None:
    def is_unknown() -> None:
        if what == "a doubt":
            march.store("UPDATE ropo.status_poll SET recovery = 'recovered' WHERE recovery = 'unproven'")
            _doubt(march)
        else:
            march.store("UPDATE ropo.status_quarantine SET resolved_at = now(), resolution = 'dismissed'")
            march.quarantine(f'{{"a": {next(numbers)}}}'.encode(), at("2026-03-31 10:00"))

    numbers = itertools.count()
    run_all(march)
    is_unknown()
    shown = run(march, LAST).reconciliation_id
    is_unknown()

    assert recheck(march, datetime.date(2026, 4, 8)) == [(LAST, "incomplete", "incomplete")]

    with pytest.raises(SignOffError, match="was shown, and"), transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="seen", shown=shown)
    accepts_incompleteness(march, LAST)
    assert recheck(march, datetime.date(2026, 4, 9)) == []


def test_another_row_in_quarantine_is_found_by_the_nights_recheck(march: World) -> None:
    run_all(march)
    march.quarantine(b'{"a": 1}', at("2026-03-31 10:00"))
    run(march, LAST)
    accepts_incompleteness(march, LAST)
    signs(march)
    march.quarantine(b'{"a": 2}', at("2026-03-31 11:00"))

    recheck(march, datetime.date(2026, 4, 8))

    assert unmet(march) == [(LAST, "incomplete")]
    assert flags(march) == [("result_changed", LAST)]


def test_the_same_doubt_is_no_news_of_the_night(march: World) -> None:
    run_all(march)
    _doubt(march)
    run(march, LAST)
    accepts_incompleteness(march, LAST)

    assert recheck(march, datetime.date(2026, 4, 8)) == []


def test_another_event_that_a_reread_does_not_show_is_another_reason(march: World) -> None:
    parts = [payment("1", amount, "2026-03-30", statusid=key) for amount, key in (("60", "A"), ("40", "B"))]
    march.store("DELETE FROM ropo.status_event WHERE billnum = '1'")
    for row in parts:
        march.payment("1", row["amount"], "2026-03-30", statusid=row["statusid"], seen=at("2026-03-30 09:00"))
    run_all(march)
    march.reconcile(FIRST, now=NOW, reread_poll_id=reread(march, FIRST, parts[0]))
    accepts_incompleteness(march)
    march.reconcile(FIRST, now=NOW, reread_poll_id=reread(march, FIRST, parts[0]))
    assert unmet(march) == []

    march.reconcile(FIRST, now=NOW + HOUR, reread_poll_id=reread(march, FIRST, parts[1]))

    assert unmet(march) == [(FIRST, "incomplete")]


def test_nothing_is_accepted_of_a_date_that_was_not_over(march: World) -> None:
    march.reconcile(LAST, now=at("2026-03-31 09:00"))
    with pytest.raises(SignOffError, match="it was not over when it was compared; run it again"):
        accepts_incompleteness(march, LAST)


def test_of_a_date_and_a_full_comparison_of_that_date_the_one_is_accepted_that_was_asked_for(march: World) -> None:
    of_date = march.reconcile(LAST, now=NOW)
    of_all = march.reconcile(LAST, now=NOW, scope="full")
    assert (of_date.verdict, of_all.verdict) == ("incomplete", "incomplete")
    accepted = accepts_incompleteness(march, LAST)
    assert accepted == of_date.reconciliation_id
