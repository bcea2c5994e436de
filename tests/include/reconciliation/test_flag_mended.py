"""What was accepted when a month was signed and is mended since, or was mended and is back, is flagged."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.include.reconciliation.month import (
    APRIL,
    FIRST,
    HOUR,
    LAST,
    NOW,
    accepts,
    alerts,
    books_wrongly,
    flags,
    found_by_full,
    owe,
    recheck,
    renames_what_was_signed,
    run,
    run_all,
    sends,
    signs,
    signs_for,
    signs_over_one_without_a_jobid,
    status,
    unmet,
)

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


@pytest.mark.parametrize("is_signed_before", [False, True], ids=["signed once", "signed again"])
def test_an_accepted_difference_that_a_full_comparison_alone_had_found_is_a_change_when_it_is_mended(
    march: World, *, is_signed_before: bool
) -> None:
    if is_signed_before:
        run_all(march)
        signs(march)
    found_by_full(march)
    accepts(march)
    signs(march)
    # Another profile has signed the month since.
    signs_for(march, "other")
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '9'")
    run(march, APRIL, now=NOW + HOUR, scope="full")
    [flag] = status(march).flags
    assert (flag.kind, flag.business_date) == ("result_changed", LAST)
    assert flag.note == "invoice 9: ledger behind, accepted when it was signed, is mended"
    recheck(march, datetime.date(2026, 4, 9))
    assert alerts(march) == ["2026-03"]
    assert len(flags(march)) == 1


def test_so_is_one_that_its_date_showed_where_a_full_comparison_of_that_date_finds_it_mended(march: World) -> None:
    owe(march)
    owe(march, "2")
    run_all(march)
    accepts(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    run(march, LAST, now=NOW + HOUR, scope="full")
    assert flags(march) == [("result_changed", FIRST), ("result_changed", LAST)]


def test_so_is_one_of_an_invoice_that_its_date_showed_right_before_and_after(march: World) -> None:
    run(march, FIRST)
    run(march, LAST)
    owe(march)
    run(march, LAST, scope="full")
    accepts(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    run(march, FIRST, now=NOW + HOUR)
    assert [flag.note for flag in status(march).flags] == [
        "invoice 1: ledger behind, accepted when it was signed, is mended"
    ]


def test_what_differs_otherwise_than_it_was_accepted_and_is_mended_then_is_told_as_what_it_was(march: World) -> None:
    found_by_full(march)
    accepts(march)
    signs(march)
    books_wrongly(march, "9")
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, discount = 0, open = 0 WHERE billnum = '9'")
    run(march, APRIL, now=NOW + 2 * HOUR, scope="full")
    assert [flag.note for flag in status(march).flags] == ["invoice 9: amounts differ"]


def test_so_is_one_beside_another_invoice_whose_difference_its_date_showed(march: World) -> None:
    owe(march)
    found_by_full(march)
    accepts(march)
    signs(march)
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "reconciled")]
    mended = "invoice 9: ledger behind, accepted when it was signed, is mended"
    assert [flag.note for flag in status(march).flags].count(mended) == 1


@pytest.mark.parametrize("is_at_once", [False, True], ids=["renamed before", "renamed with it"])
def test_so_is_one_whose_invoice_goes_by_another_name_by_then(march: World, *, is_at_once: bool) -> None:
    (signs_over_one_without_a_jobid if is_at_once else renames_what_was_signed)(march)
    assert flags(march) == []
    march.ledger(
        "UPDATE ropo_ledger SET jobid = 'J9', status = 'open', paid = 0, open = 100, changed_at = '2026-04-02 09:00Z' "
        "WHERE billnum = '9'"
    )
    run(march, APRIL, now=NOW + 2 * HOUR)
    [flag] = status(march).flags
    assert (flag.kind, flag.note.endswith(", accepted when it was signed, is mended")) == ("result_changed", True)


@pytest.mark.parametrize("by", ["a full comparison", "its date", "a night"])
@pytest.mark.parametrize("dated", ["in the month", "before it"])
def test_a_sign_off_is_flagged_where_what_its_date_shows_was_mended_then_and_is_back(
    march: World, by: str, dated: str
) -> None:
    owe(march)
    run_all(march)
    if dated == "before it":
        march.store("UPDATE ropo.reconciliation_break SET business_date = '2026-02-27'")
    march.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '1'")
    run(march, APRIL, scope="full")
    signs(march)
    owe(march)
    if by == "a full comparison":
        run(march, APRIL, now=NOW + HOUR, scope="full")
    elif by == "its date":
        run(march, FIRST, now=NOW + HOUR)
    else:
        assert recheck(march, datetime.date(2026, 4, 9)) == [(FIRST, "breaks", "breaks")]
    assert [kind for kind, _ in flags(march)] == ["break_reopened"]
    assert (FIRST, "open_breaks") in unmet(march)


def test_a_sign_off_is_flagged_where_what_the_ledger_alone_made_was_mended_then_and_is_back(march: World) -> None:
    march.profile = msgspec.structs.replace(march.profile, grace_business_days=0)
    sends(march, "3")
    paid = "UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0 WHERE billnum = '3'"
    march.ledger(paid)
    run_all(march)
    owe(march, "3")
    run(march, APRIL, scope="full")
    signs(march)
    march.ledger(paid)
    run(march, datetime.date(2026, 4, 9), now=NOW + 24 * HOUR, scope="full")
    assert [kind for kind, _ in flags(march)] == ["break_reopened"]


def test_a_difference_that_is_back_is_no_change_of_a_month_whose_date_showed_another_one_of_the_invoice(
    march: World,
) -> None:
    mended = "UPDATE ropo_ledger SET status = 'paid', paid = 100, discount = 0, open = 0 WHERE billnum = '1'"
    owe(march)
    run_all(march)
    march.ledger(mended)
    run(march, APRIL, scope="full")
    books_wrongly(march, "1")
    march.ledger(mended)
    run(march, APRIL, now=NOW + HOUR)
    signs(march)
    books_wrongly(march, "1")
    assert march.store("SELECT category, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("ledger_behind", "resolved"),
        ("amount_mismatch", "open"),
    ]
    # The month says that it is not settled by now, until a night compares its date and finds it changed.
    assert (flags(march), unmet(march)) == ([], [(FIRST, "open_breaks")])
    recheck(march, datetime.date(2026, 4, 9))
    assert flags(march) == [("result_changed", FIRST)]
