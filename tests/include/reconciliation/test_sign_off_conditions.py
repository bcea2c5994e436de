"""What a month must be before it can be signed: whole, settled, and compared in full after its end."""

from __future__ import annotations

import dataclasses
import datetime
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.reconciliation.decisions import accept_breaks, reopen_breaks
from include.reconciliation.sign_off_conditions import parse_period
from include.reconciliation.signing import SignOffError, accept_incompleteness, period_status
from tests.include.reconciliation.month import (
    APRIL,
    FIRST,
    HOUR,
    LAST,
    MARCH,
    NOW,
    accepts,
    books_wrongly,
    countersigns,
    flags,
    found_by_full,
    owe,
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
    from tests.include.reconciliation.world import World


def test_a_whole_month_is_signed_by_one_and_countersigned_by_another(march: World) -> None:
    run_all(march)
    assert unmet(march) == []
    number = signs(march, " Anna ")
    assert countersigns(march) == number
    signed = status(march).sign_off
    assert signed is not None
    assert (signed.signed_by, signed.countersigned_by, signed.period) == ("Anna", "Otto", MARCH)
    [(evidence,)] = march.store("SELECT evidence FROM ropo.period_sign_off")
    assert [(date["business_date"], date["verdict"]) for date in evidence["dates"]] == [
        ("2026-03-30", "reconciled"),
        ("2026-03-31", "reconciled"),
    ]
    assert [date["reconciliation_id"] for date in evidence["dates"]] == [1, 2]
    assert evidence["full"]["reconciliation_id"] == 3
    assert evidence["dates"][0]["currencies"][0]["ropo_paid"] == "100"
    assert flags(march) == []


def test_a_month_of_which_nothing_is_known_names_each_date(march: World) -> None:
    assert unmet(march) == [(FIRST, "not_reconciled"), (LAST, "not_reconciled"), (None, "full_missing")]
    with pytest.raises(SignOffError, match="2026-03 cannot be signed: 2026-03-30 has no reconciliation") as refused:
        signs(march)
    assert [each.what for each in refused.value.unmet] == ["not_reconciled", "not_reconciled", "full_missing"]


def test_a_month_that_is_not_over_cannot_be_signed(march: World) -> None:
    run_all(march)
    # Helsinki is at UTC+3 by then.
    assert unmet(march, at("2026-03-31 20:59")) == [(None, "period_not_over")]
    assert unmet(march, at("2026-03-31 21:00")) == []


def test_a_month_before_the_start_date_is_nobodys(march: World) -> None:
    run_all(march)
    with transaction(march) as cursor:
        found = period_status(cursor, march.profile, datetime.date(2026, 2, 1), now=NOW)
    assert ([each.what for each in found.unmet], found.dates) == (["before_start"], [])


def test_breaks_are_to_be_accepted_or_resolved(march: World) -> None:
    owe(march)
    run_all(march)
    assert unmet(march) == [(FIRST, "open_breaks"), (LAST, "full_open_breaks")]
    [identity] = accepts(march)
    # Their dates' verdicts stay what they were.
    assert march.store("SELECT verdict FROM ropo.reconciliation WHERE reconciliation_id = 1") == [("breaks",)]
    assert unmet(march) == []
    signs(march)
    assert march.store("SELECT evidence -> 'breaks' FROM ropo.period_sign_off") == [([identity],)]


def test_another_profiles_breaks_and_dates_are_none_of_a_months(march: World) -> None:
    owe(march)
    other = dataclasses.replace(march, profile=msgspec.structs.replace(march.profile, name="other"))
    other.payment("1", "100", "2026-03-30", seen=at("2026-03-30 09:00"))
    assert run(other, FIRST).breaks == 1
    assert unmet(march)[0] == (FIRST, "not_reconciled")
    run_all(march)
    ours = "SELECT break_id FROM ropo.reconciliation_break WHERE profile = %s"
    with transaction(march) as cursor:
        [number] = march.store(ours, (march.profile.name,))
        accept_breaks(cursor, number, by="Anna", note="known")
    assert run(other, FIRST).breaks == 1
    assert (status(march).accepted_breaks, unmet(march)) == ([*number], [])


def test_a_break_that_another_dates_run_has_resolved_hinders_no_more(march: World) -> None:
    owe(march)
    run_all(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    run(march, APRIL, scope="full")
    assert unmet(march) == []


def test_an_accepted_break_that_was_reopened_hinders_again(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    run(march, FIRST)
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    assert unmet(march) == [(FIRST, "open_breaks"), (APRIL, "full_open_breaks")]


def test_an_incomplete_date_is_accepted_with_a_note_for_the_reasons_that_it_had(march: World) -> None:
    run_all(march)
    owe(march, "2")
    run(march, LAST)
    accepts(march)
    march.reconcile(LAST, now=NOW)  # without a re-read
    [found] = status(march).unmet
    assert (found.date, found.what, found.reconciliation_id) == (LAST, "incomplete", 5)
    assert "or accept it with a note: this run has no re-read of 2026-03-31; the log of its task reread" in found.why
    assert found.why.endswith("Mend that, then run the date again")
    with transaction(march) as cursor:
        assert accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="Ropo was down") == 5
    assert unmet(march) == []
    assert march.store(
        "SELECT reconciliation_id, business_date, accepted_by, note, reasons -> 0 ->> 'word' "
        "FROM ropo.incompleteness_acceptance"
    ) == [(5, LAST, "Anna", "Ropo was down", "reread_missing")]
    march.reconcile(LAST, now=NOW + HOUR)
    assert unmet(march) == []
    # What is not known besides was not accepted.
    march.quarantine(b"{}", at("2026-03-31 10:00"))
    march.reconcile(LAST, now=NOW + 2 * HOUR)
    assert unmet(march) == [(LAST, "incomplete")]


def test_reasons_that_were_not_shown_are_not_accepted(march: World) -> None:
    run_all(march)
    march.reconcile(LAST, now=NOW)  # without a re-read
    march.reconcile(LAST, now=NOW + HOUR)
    run(march, LAST, scope="full")
    refused = (
        "Profile default, business date 2026-03-31: reconciliation 4 was shown, and 5 is the newest now; "
        "look at its reasons"
    )
    with pytest.raises(SignOffError, match=refused), transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="seen", shown=4)
    with transaction(march) as cursor:
        assert accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="seen", shown=5) == 5


def test_a_ledger_that_showed_nothing_leaves_its_invoices_unsettled(march: World) -> None:
    run_all(march)
    march.ledger("TRUNCATE ropo_ledger")
    run(march, LAST)
    with transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="the ERP was down")
    assert unmet(march) == [(LAST, "open_breaks")]


@pytest.mark.parametrize(
    ("date", "note", "error"),
    [
        (FIRST, "seen", "its newest reconciliation \\(1\\) is reconciled, not incomplete"),
        (APRIL, "seen", "Profile default, business date .*: there is no reconciliation"),
        (LAST, " ", "note: expected a text"),
    ],
)
def test_only_what_is_incomplete_is_accepted_as_such(march: World, date: datetime.date, note: str, error: str) -> None:
    run_all(march)
    with pytest.raises((SignOffError, ValueError), match=error), transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, date, by="Anna", note=note)


def test_a_full_comparison_before_the_months_end_or_of_another_profile_does_not_count(march: World) -> None:
    run(march, FIRST)
    run(march, LAST)
    run(march, LAST, scope="full", now=at("2026-03-31 20:00"))
    run(march, FIRST, scope="full")
    run(march, LAST, scope="full", profile=msgspec.structs.replace(march.profile, name="other"))
    assert unmet(march) == [(None, "full_missing")]


def test_a_full_comparison_is_held_to_what_the_dates_are(march: World) -> None:
    run_all(march)
    march.row("1", "paid", paid="100", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-01-30 08:00"))
    march.reconcile(APRIL, now=NOW, scope="full")
    march.reconcile(APRIL, now=NOW + 72 * HOUR, scope="full")
    assert unmet(march) == [(APRIL, "full_open_breaks"), (APRIL, "full_incomplete")]
    accepts(march)
    with transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, APRIL, by="Anna", note="seen", scope="full")
    assert unmet(march) == []


def test_what_only_later_dates_show_is_not_the_months_to_settle(march: World) -> None:
    run(march, FIRST)
    run(march, LAST)
    march.payment("3", "100", "2026-04-02", seen=at("2026-04-02 09:00"))
    march.row("3", sent_at=at("2026-04-01 08:00"), changed_at=at("2026-04-01 08:00"))
    march.payment("4", "100", "2026-04-07", seen=at("2026-04-07 09:00"))
    march.row("4", sent_at=at("2026-04-01 08:00"), changed_at=at("2026-04-01 08:00"))
    assert run(march, APRIL).breaks == 1
    full = run(march, APRIL, scope="full")
    assert (full.breaks, full.pending) == (1, 1)
    assert unmet(march) == []


def test_what_only_later_dates_show_is_not_the_months_to_accept_either(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    own = status(march).accepted_breaks
    assert own
    march.payment("3", "100", "2026-04-02", seen=at("2026-04-02 09:00"))
    march.row("3", sent_at=at("2026-04-01 08:00"), changed_at=at("2026-04-01 08:00"))
    run(march, APRIL)
    run(march, APRIL, scope="full")
    accepts(march)
    assert (status(march).accepted_breaks, unmet(march)) == (own, [])
    signs(march)
    reopened = march.store("SELECT break_id FROM ropo.reconciliation_break WHERE business_date = %s", (APRIL,))
    with transaction(march) as cursor:
        reopen_breaks(cursor, [break_id for (break_id,) in reopened], by="Otto", note="the wrong customer")
    assert (len(reopened), flags(march)) == (1, [])


def test_what_only_a_full_comparison_shows_is_counted_there_and_not_at_a_date_too(march: World) -> None:
    found_by_full(march)
    assert unmet(march) == [(LAST, "full_open_breaks")]
    stands = {(each.scope, each.business_date): each.unsettled for each in status(march).dates}
    assert stands == {("date", FIRST): 0, ("date", LAST): 0, ("full", LAST): 1}


def test_a_difference_of_the_month_is_not_settled_by_differing_otherwise_on_a_later_date(march: World) -> None:
    found_by_full(march)
    books_wrongly(march, "9")
    assert march.store("SELECT category, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("ledger_behind", "resolved"),
        ("amount_mismatch", "open"),
    ]
    assert unmet(march) == [(LAST, "full_open_breaks")]
    accepts(march)
    assert unmet(march) == []


def test_a_later_difference_of_an_invoice_that_was_right_by_the_months_end_is_not_the_months(march: World) -> None:
    before = at("2026-03-31 20:00")  # Helsinki is at UTC+3 by then
    march.payment("9", "100", "2026-03-27", seen=at("2026-03-27 09:00"))
    march.row("9", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
    run(march, FIRST, now=before - HOUR)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '9'")
    run(march, FIRST, now=before)
    run(march, LAST)
    assert march.store("SELECT state FROM ropo.reconciliation_break") == [("resolved",)]
    books_wrongly(march, "9")
    run(march, LAST, scope="full", now=NOW + HOUR)
    assert march.store("SELECT state FROM ropo.reconciliation_break ORDER BY break_id") == [("resolved",), ("open",)]
    assert unmet(march) == []


def test_a_sign_off_rests_on_an_accepted_break_whatever_the_category_was_when_the_date_was_compared(
    march: World,
) -> None:
    owe(march)
    run_all(march)
    books_wrongly(march, "1")
    [identity] = accepts(march)
    signs(march)
    assert march.store("SELECT evidence -> 'breaks' FROM ropo.period_sign_off") == [([identity],)]


def test_what_keeps_a_month_from_being_signed_is_named(march: World) -> None:
    for number in range(1, 8):
        march.payment(f"1{number}", "100", "2026-03-30", seen=at("2026-03-30 10:00"))
        sends(march, f"1{number}")
    run_all(march)
    [of_date, of_full] = [each.why for each in status(march).unmet]
    for why, what in ((of_date, "2026-03-30"), (of_full, "the full comparison of 2026-03-31")):
        told = re.fullmatch(rf"7 invoices of {what} differ: (.*) and 2 more; mend what differs.*", why)
        assert told
        named = told[1].split(", ")
        assert len({*named} & {f"invoice 1{number}" for number in range(1, 8)}) == 5
        assert named == sorted(named)


@pytest.mark.parametrize("text", ["2026-3", "2026-00", "0000-01", "2026-03-01", "2026-03\n", "٢٠٢٦-٠٣", "march", ""])
def test_a_period_is_a_month(text: str) -> None:
    with pytest.raises(ValueError, match="expected a month as YYYY-MM"):
        parse_period(text)


def test_a_break_that_goes_by_another_name_and_category_since_is_no_later_ones(march: World) -> None:
    sent = at("2026-03-30 08:00")
    march.row("3", "paid", paid="100", jobid="J9", sent_at=sent, changed_at=sent)
    run(march, FIRST, now=NOW - 24 * HOUR)
    run(march, FIRST)
    run(march, LAST)
    assert unmet(march)[0] == (FIRST, "open_breaks")
    # Of April, and under another job than the ledger has: the break of J9 is over, an ambiguous match is open.
    march.payment("3", "50", "2026-04-02", jobid="J1", seen=at("2026-04-02 09:00"))
    run(march, APRIL, now=NOW + HOUR)
    run(march, APRIL, now=NOW + 48 * HOUR)

    run(march, LAST, scope="full", now=NOW + 49 * HOUR)

    assert unmet(march) == [(FIRST, "open_breaks"), (LAST, "full_open_breaks")]


def test_a_break_of_the_month_that_is_renamed_in_its_category_is_open_still(march: World) -> None:
    sent = at("2026-03-30 08:00")
    march.row("3", "paid", paid="100", jobid=None, sent_at=sent, changed_at=sent)
    run(march, FIRST, now=NOW - 24 * HOUR)
    run(march, FIRST)
    run(march, LAST)
    run(march, LAST, scope="full")
    march.store("UPDATE ropo.reconciliation_break SET business_date = '2026-02-27'")
    assert [what for _, what in unmet(march)] == ["open_breaks", "full_open_breaks"]
    march.ledger("UPDATE ropo_ledger SET jobid = 'J3', changed_at = '2026-04-02 08:00Z' WHERE billnum = '3'")

    run(march, APRIL, now=NOW + HOUR)

    assert [what for _, what in unmet(march)] == ["open_breaks", "full_open_breaks"]
