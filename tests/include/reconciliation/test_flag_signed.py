"""What changes after a month was signed is flagged."""

from __future__ import annotations

import dataclasses
import datetime
import threading
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.reconciliation.decisions import accept_breaks, reopen_breaks
from include.reconciliation.signing import SignOffError, accept_incompleteness, sign
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
    renames_what_was_signed,
    reopens,
    run,
    run_all,
    signs,
    signs_for,
    signs_over_one_without_a_jobid,
    status,
    transaction,
    unmet,
)
from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


def test_the_same_result_again_is_no_change(march: World) -> None:
    run_all(march)
    signs(march)
    profile = msgspec.structs.replace(march.profile, name="other", grace_business_days=0)
    other = dataclasses.replace(march, profile=profile)
    other.payment("2", "50", "2026-03-31", seen=at("2026-03-31 09:00"))
    assert run(other, LAST, now=NOW + HOUR).breaks == 1
    run(march, LAST, now=NOW + HOUR)
    run(march, LAST, now=NOW + HOUR, scope="full")
    assert flags(march) == []


def test_what_differs_on_the_first_date_after_the_month_is_a_change_of_the_next_one_alone(march: World) -> None:
    run_all(march)
    signs(march)
    march.payment("9", "100", "2026-04-01", seen=at("2026-04-01 09:00"))
    march.row("9", sent_at=at("2026-04-01 08:00"), changed_at=at("2026-04-01 08:00"))
    for name in ("other", march.profile.name):
        signs_for(march, name, datetime.date(2026, 4, 1))
    assert run(march, datetime.date(2026, 4, 1), now=NOW + HOUR).breaks == 1
    assert flags(march) == []
    assert march.store(
        "SELECT profile, period, kind FROM ropo.period_sign_off_flag JOIN ropo.period_sign_off USING (sign_off_id)"
    ) == [
        ("default", datetime.date(2026, 4, 1), "result_changed"),
        ("default", datetime.date(2026, 4, 1), "break_opened"),
    ]


def test_another_currency_of_an_invoice_on_which_both_sides_agree_is_another_result(march: World) -> None:
    run_all(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET currency = 'SEK' WHERE billnum = '2'")
    run(march, LAST, now=NOW + HOUR)
    assert flags(march) == [("result_changed", LAST)]


def test_a_date_that_is_incomplete_for_a_reason_that_was_not_accepted_is_flagged(march: World) -> None:
    run_all(march)
    march.reconcile(LAST, now=NOW)  # without a re-read
    with transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="Ropo was down")
    signs(march)
    march.reconcile(LAST, now=NOW + HOUR)
    assert flags(march) == []
    march.page(complete=True)
    march.reconcile(LAST, now=NOW + 2 * HOUR)
    assert flags(march) == [("result_changed", LAST)]
    [flag] = status(march).flags
    assert flag.note.endswith("; for another reason: what was accepted of the earlier one does not hold for this one")


def test_a_date_that_is_incomplete_now_had_nothing_accepted_before(march: World) -> None:
    run_all(march)
    signs(march)
    march.reconcile(LAST, now=NOW + HOUR)  # without a re-read
    [flag] = status(march).flags
    assert flag.note == (
        "reconciled (invoices 1: matched 1, pending 0, breaks 0, accepted 0), now "
        "incomplete (invoices 1: matched 1, pending 0, breaks 0, accepted 0)"
    )


def test_another_result_of_a_date_is_flagged_and_keeps_the_countersignature_away(march: World) -> None:
    run_all(march)
    signs(march)
    march.ledger("DELETE FROM ropo_ledger WHERE billnum = '2'")
    run(march, LAST, now=NOW + HOUR)
    assert flags(march) == [("result_changed", LAST), ("break_opened", LAST)]
    [changed, opened] = status(march).flags
    assert changed.note == (
        "reconciled (invoices 1: matched 1, pending 0, breaks 0, accepted 0), now "
        "breaks (invoices 1: matched 0, pending 0, breaks 1, accepted 0)"
    )
    assert (opened.note, opened.break_id) == ("invoice 2: missing in the ledger", 1)
    with pytest.raises(SignOffError, match="2 changes were found since it was signed; look at what changed and sign"):
        countersigns(march)
    # The way back is a change too; then it can be signed again, beside the first.
    march.row("2", "paid", paid="100", sent_at=at("2026-03-31 08:00"), changed_at=at("2026-03-31 08:00"))
    run(march, LAST, now=NOW + 2 * HOUR)
    assert flags(march) == [("result_changed", LAST), ("break_opened", LAST), ("result_changed", LAST)]
    assert signs(march) == 2
    assert flags(march) == []
    assert countersigns(march) == 2
    assert march.store("SELECT count(*) FROM ropo.period_sign_off_flag") == [(3,)]
    # What changes from now on is a change of the newer one.
    march.ledger("DELETE FROM ropo_ledger WHERE billnum = '2'")
    run(march, LAST, now=NOW + 3 * HOUR)
    assert flags(march) == [("result_changed", LAST), ("break_reopened", LAST)]


def test_a_payment_that_moves_from_one_invoice_to_another_is_another_result_though_the_sums_are_the_same(
    march: World,
) -> None:
    march.row("5", sent_at=at("2026-03-31 08:00"), changed_at=at("2026-03-31 08:00"))
    march.comment("5", "98", "2026-03-31 09:00", seen=at("2026-03-31 09:00"))
    run_all(march)
    signs(march)
    countersigns(march)
    march.payment("2", "-100", "2026-03-31", seen=at("2026-04-08 09:00"))
    march.payment("5", "100", "2026-03-31", seen=at("2026-04-08 09:00"))
    march.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE billnum = '2'")
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '5'")
    march.recheck(APRIL, now=NOW + HOUR)
    assert flags(march) == [("result_changed", LAST)]
    assert status(march).flags[0].note == (
        "reconciled (invoices 2: matched 2, pending 0, breaks 0, accepted 0), now "
        "reconciled (invoices 2: matched 2, pending 0, breaks 0, accepted 0); not as they were: invoice 2, invoice 5"
    )


def test_a_flag_names_three_of_the_invoices_that_are_not_as_they_were_and_counts_them(march: World) -> None:
    billnums = ("3", "4", "5", "6")
    for billnum in billnums:
        march.row(billnum, "due", sent_at=at("2026-03-31 08:00"), changed_at=at("2026-03-31 08:00"))
        march.comment(billnum, "120", "2026-03-31 09:00", seen=at("2026-03-31 09:00"))
    run_all(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET status = 'reminded' WHERE status = 'due'")
    for billnum in billnums:
        march.comment(billnum, "130", "2026-03-31 10:00", seen=at("2026-04-07 09:00"))
    run(march, LAST, now=NOW + HOUR)
    [flag] = status(march).flags
    assert flag.note.endswith("; not as they were: invoice 3, invoice 4, invoice 5 and 1 more")


def test_a_break_that_is_reopened_is_flagged_whichever_run_finds_it(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    countersigns(march)
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    assert flags(march) == [("break_reopened", FIRST)]


def test_a_sign_off_is_flagged_where_an_older_break_that_it_rests_on_is_reopened(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    march.store("UPDATE ropo.reconciliation_break SET business_date = '2026-02-27'")
    signs(march)
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    assert [kind for kind, _ in flags(march)] == ["break_reopened"]


def test_a_sign_off_is_flagged_where_an_invoice_whose_accepted_break_it_rests_on_differs_otherwise(
    march: World,
) -> None:
    found_by_full(march)
    accepts(march)
    signs(march)
    countersigns(march)
    books_wrongly(march, "9")
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date, flag.note) == ("break_opened", APRIL, "invoice 9: amounts differ")
    assert unmet(march) == [(LAST, "full_open_breaks")]


def test_what_differs_otherwise_since_the_signature_is_another_result_of_its_date_though_that_is_accepted(
    march: World,
) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    books_wrongly(march, "1")
    accepts(march)
    assert run(march, FIRST, now=NOW + 2 * HOUR).accepted == 1
    assert flags(march) == [("break_opened", APRIL), ("result_changed", FIRST)]


def test_a_sign_off_is_flagged_where_an_invoice_it_rests_on_goes_by_another_name_and_differs_otherwise(
    march: World,
) -> None:
    march.payment(None, "100", "2026-03-30", jobid="J9", seen=at("2026-03-30 09:00"))
    run_all(march)
    accepts(march)
    march.store("UPDATE ropo.reconciliation_break SET business_date = '2026-02-27'")
    signs(march)
    march.row("9", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-04-02 08:00"))
    run(march, APRIL, now=NOW + HOUR)
    assert march.store("SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("j:J9", "resolved"),
        ("b:9", "open"),
    ]
    assert flags(march) == [("break_opened", APRIL)]


def test_a_sign_off_is_flagged_where_an_invoice_it_rests_on_gets_its_jobid_and_differs_otherwise(march: World) -> None:
    signs_over_one_without_a_jobid(march)
    march.ledger(
        "UPDATE ropo_ledger SET jobid = 'J9', paid = 50, total = 50, changed_at = '2026-04-02 08:00Z' "
        "WHERE billnum = '9'"
    )
    run(march, APRIL, now=NOW + HOUR)
    assert march.store("SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("b:9", "resolved"),
        ("j:J9", "open"),
    ]
    assert [kind for kind, _ in flags(march)] == ["break_opened"]


def test_a_sign_off_rests_on_an_accepted_break_under_whatever_name_its_invoice_goes(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    march.row("1", jobid="NEW", sent_at=at("2026-04-01 08:00"), changed_at=at("2026-04-01 08:00"))
    full = run(march, APRIL, scope="full")
    assert (full.accepted, full.breaks) == (1, 0)
    assert (flags(march), unmet(march)) == ([], [])
    march.store("UPDATE ropo.reconciliation_break SET business_date = '2026-02-27'")
    march.ledger("UPDATE ropo_ledger SET paid = 1, open = 99 WHERE jobid = 'J1'")
    run(march, APRIL, scope="full")
    assert [kind for kind, _ in flags(march)] == ["break_reopened"]


def test_a_break_that_a_person_opens_again_is_flagged_at_once_and_the_month_is_not_signed_over_it(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    run_all(march)
    signs(march)
    before = status(march).fingerprint
    reopens(march)
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date, flag.break_id, flag.reconciliation_id) == ("break_reopened", FIRST, 1, None)
    assert flag.note == "invoice 1: ledger behind, opened again by Otto: the wrong customer"
    # The newest reconciliations have recorded it as accepted, and it is open now.
    assert unmet(march) == [(FIRST, "open_breaks"), (LAST, "full_open_breaks")]
    with pytest.raises(SignOffError, match="1 change was found since it was signed; look at what changed and sign"):
        countersigns(march)
    with pytest.raises(SignOffError, match="cannot be signed: 1 invoice of 2026-03-30 differs"):
        signs(march)
    # Accepted anew it can be signed again, beside the first; nobody signs what was shown before.
    accepts(march)
    with pytest.raises(SignOffError, match="it is not as it was shown"):
        signs(march, shown=before)
    assert signs(march) == 2
    assert (flags(march), unmet(march)) == ([], [])
    assert countersigns(march) == 2


def test_a_sign_off_is_flagged_where_a_person_opens_an_older_break_again_that_it_rests_on(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    march.store("UPDATE ropo.reconciliation_break SET business_date = '2026-02-27'")
    signs(march)
    reopens(march)
    assert [kind for kind, _ in flags(march)] == ["break_reopened"]


@pytest.mark.parametrize("by", ["a person", "a change of an amount"])
def test_a_sign_off_is_flagged_where_a_break_is_opened_again_whose_acceptance_had_another_name_when_it_was_signed(
    march: World, by: str
) -> None:
    renames_what_was_signed(march)
    assert march.store("SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("b:9", "resolved"),
        ("j:J9", "accepted"),
    ]
    assert flags(march) == []
    if by == "a person":
        reopens(march)
    else:
        march.ledger("UPDATE ropo_ledger SET paid = 50, total = 50 WHERE billnum = '9'")
        run(march, APRIL, now=NOW + 2 * HOUR)
    assert [kind for kind, _ in flags(march)] == ["break_reopened"]


def test_a_sign_off_is_flagged_where_a_break_opens_under_the_second_name_after_the_one_that_it_rests_on(
    march: World,
) -> None:
    """The ERP corrects the jobid that it filled in, and the amounts with it: no comparison knows both old names."""
    renames_what_was_signed(march)
    march.ledger(
        "UPDATE ropo_ledger SET jobid = 'J90', paid = 50, total = 50, changed_at = '2026-04-02 09:00Z' "
        "WHERE billnum = '9'"
    )
    run(march, APRIL, now=NOW + 2 * HOUR)
    assert march.store("SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("b:9", "resolved"),
        ("j:J9", "resolved"),
        ("j:J90", "open"),
    ]
    assert [kind for kind, _ in flags(march)] == ["break_opened"]


def test_what_a_person_opens_again_is_no_change_of_a_month_that_rests_on_none_of_it(march: World) -> None:
    run_all(march)
    signs(march)
    march.payment("9", "100", str(APRIL), seen=at("2026-04-02 09:00"))
    march.row("9", sent_at=at("2026-04-02 08:00"), changed_at=at("2026-04-02 08:00"))
    run(march, APRIL, now=NOW + HOUR)
    accepts(march)
    reopens(march)
    assert (flags(march), unmet(march)) == ([], [])


def test_a_break_accepted_in_place_of_one_that_was_opened_again_is_another_result_though_the_numbers_are_the_same(
    march: World,
) -> None:
    for billnum in "12":
        owe(march, billnum)
    march.comment("2", "98", "2026-03-30 09:00", seen=at("2026-03-30 09:00"))
    run_all(march)
    ids = accepts(march)
    signs(march)
    reopens(march)
    for accepted, opened in ((ids[:1], []), (ids[1:], ids[:1])):
        with transaction(march) as cursor:
            accept_breaks(cursor, accepted, by="Anna", note="known")
            if opened:
                reopen_breaks(cursor, opened, by="Otto", note="not so")
        run(march, FIRST)
    of_first = [
        flag.note for flag in status(march).flags if (flag.kind, flag.business_date) == ("result_changed", FIRST)
    ]
    assert of_first[-1].endswith("breaks 1, accepted 1); not as they were: invoice 1")


def test_another_difference_of_the_same_invoice_is_no_change_of_a_month_that_rests_on_none_of_it(march: World) -> None:
    run_all(march)
    signs(march)
    books_wrongly(march, "1")
    assert flags(march) == []


def test_a_reconciliation_beside_a_signature_is_flagged(march: World) -> None:
    run_all(march)
    owe(march, "2")
    thread = threading.Thread(target=run, args=(march, LAST))
    with transaction(march) as cursor:
        sign(cursor, march.profile, MARCH, by="Anna", now=NOW)
        thread.start()
        # It is recorded, and waits for the signature to be given before it works its breaks in.
        recorded = "SELECT count(*) FROM ropo.break_backlog"
        while thread.is_alive() and march.store(recorded) == [(0,)]:
            thread.join(timeout=0.05)
    thread.join(timeout=240)
    assert not thread.is_alive()
    assert flags(march) == [("result_changed", LAST), ("break_opened", LAST)]
