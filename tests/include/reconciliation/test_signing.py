"""A month is signed by one person and countersigned by another."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import pytest

from include.reconciliation import reconcile as module
from include.reconciliation import signing
from include.reconciliation.break_states import work_in
from include.reconciliation.categories import reason_in_words
from include.reconciliation.decisions import comment_breaks
from include.reconciliation.signing import SignOffError
from tests.include.reconciliation.month import (
    APRIL,
    FIRST,
    HOUR,
    LAST,
    NOW,
    accepts,
    countersigns,
    owe,
    reopens,
    run,
    run_all,
    signs,
    status,
    transaction,
)
from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from tests.include.reconciliation.world import World


@pytest.mark.parametrize("by", ["Anna", "anna ", "ＡＮＮＡ"])
def test_nobody_countersigns_what_they_signed(march: World, by: str) -> None:
    run_all(march)
    signs(march)
    with pytest.raises(SignOffError, match="was signed by Anna; another person countersigns it"):
        countersigns(march, by)


def test_each_signs_once_and_in_order(march: World) -> None:
    run_all(march)
    with pytest.raises(SignOffError, match="2026-03 is not signed yet"):
        countersigns(march)
    signs(march)
    with pytest.raises(SignOffError, match="was signed by Anna already"):
        signs(march, "Pia")
    countersigns(march)
    with pytest.raises(SignOffError, match="was countersigned by Otto already"):
        countersigns(march, "Pia")
    with pytest.raises(ValueError, match="by: expected a text"):
        signs(march, " ")


def test_of_signatures_beside_each_other_each_is_read_by_its_id_with_those_before_it(march: World) -> None:
    run_all(march)
    first = signs(march)
    owe(march)
    run(march, FIRST, now=NOW + HOUR)
    changes = status(march).flags
    accepts(march)
    run(march, LAST, now=NOW + HOUR, scope="full")
    second = signs(march, "Pia")
    with transaction(march) as cursor:
        read = [signing.read_sign_off(cursor, march.profile, FIRST.replace(day=1), each) for each in (first, second)]
        one, other = (each for each in read if each is not None)
        assert (one.sign_off_id, one.signed_by, other.sign_off_id, other.signed_by) == (first, "Anna", second, "Pia")
        assert signing.earlier_sign_offs(cursor, one) == []
        assert signing.earlier_sign_offs(cursor, other) == [(one, changes)]
        assert changes


def test_a_change_is_told_in_words_and_what_a_person_wrote_of_it_as_it_stands(march: World) -> None:
    owe(march)
    run_all(march)
    [break_id] = accepts(march)
    signs(march)
    note = "reason from payment to closed_in_ropo, status in the ledger from unpaid to partly_paid"
    for reconciliation_id, text in ((1, f"invoice 1: behind, {note}"), (None, f"opened again by Anna: {note}")):
        march.store(
            "INSERT INTO ropo.period_sign_off_flag "
            "(sign_off_id, kind, business_date, reconciliation_id, break_id, note) "
            "SELECT sign_off_id, 'break_reopened', period, %s, %s, %s FROM ropo.period_sign_off",
            (reconciliation_id, break_id, text),
        )
    before, after = (reason_in_words("ledger_behind", reason) for reason in ("payment", "closed_in_ropo"))
    assert [flag.told for flag in status(march).flags] == [
        f"invoice 1: behind, reason from “{before}” to “{after}”, status in the ledger from unpaid to partly paid",
        f"opened again by Anna: {note}",
    ]


def test_a_note_of_blanks_is_none_and_of_others_the_blanks_around_are_not_kept(march: World) -> None:
    run_all(march)
    with transaction(march) as cursor:
        signing.sign(cursor, march.profile, FIRST.replace(day=1), by=" Anna ", note="  ", now=NOW)
        signing.countersign(cursor, march.profile, FIRST.replace(day=1), by="Otto", note=" seen\n", now=NOW)
    signed = status(march).sign_off
    assert signed is not None
    assert (signed.signed_by, signed.note, signed.countersigned_note) == ("Anna", None, "seen")


def test_a_month_is_not_signed_with_figures_that_nobody_was_shown(march: World) -> None:
    run_all(march)
    shown = status(march).fingerprint
    run(march, LAST)
    with pytest.raises(SignOffError, match=r"2026-03: it is not as it was shown; .*look at it again"):
        signs(march, shown=shown)
    assert march.store("SELECT count(*) FROM ropo.period_sign_off") == [(0,)]

    signs(march, shown=status(march).fingerprint)


def test_a_change_or_a_signature_since_it_was_shown_makes_it_another_status(march: World) -> None:
    run_all(march)
    signs(march)
    shown = status(march)
    change = signing.Flag(
        flag_id=1,
        at=NOW,
        kind="result_changed",
        business_date=LAST,
        reconciliation_id=2,
        break_id=None,
        category=None,
        note="other",
    )
    others = [msgspec.structs.replace(shown, flags=[change]), msgspec.structs.replace(shown, sign_off=None)]
    assert len({shown.fingerprint, *(other.fingerprint for other in others)}) == 3


def test_a_month_is_not_signed_with_what_was_accepted_since_it_was_shown(march: World) -> None:
    run(march, FIRST)
    owe(march)
    run(march, LAST)
    run(march, LAST, scope="full")
    shown = status(march).fingerprint
    accepts(march)
    with pytest.raises(SignOffError, match="it is not as it was shown"):
        signs(march, shown=shown)


def test_a_break_that_was_shown_accepted_is_not_signed_with_another_amount(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    shown = status(march).fingerprint
    march.ledger("UPDATE ropo_ledger SET total = 9100, open = 9100 WHERE billnum = '1'")
    march.payment("1", "5000", "2026-04-02", seen=at("2026-04-02 09:00"))
    run(march, APRIL, now=NOW + HOUR)
    accepts(march, by="Otto", note="all of it")
    assert march.store("SELECT state, amount FROM ropo.reconciliation_break") == [("accepted", 5100)]

    with pytest.raises(SignOffError, match="it is not as it was shown"):
        signs(march, shown=shown, now=NOW + HOUR)
    signs(march, shown=status(march).fingerprint, now=NOW + HOUR)


def test_a_break_that_was_shown_accepted_is_not_signed_as_another_person_accepted_it_since(march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    shown = status(march).fingerprint
    reopens(march)
    accepts(march, by="Pia", note="for another reason")

    with pytest.raises(SignOffError, match="it is not as it was shown"):
        signs(march, shown=shown)


def test_a_mere_comment_on_what_was_accepted_keeps_nobody_from_signing(march: World) -> None:
    owe(march)
    run_all(march)
    accepted = accepts(march)
    shown = status(march).fingerprint
    with transaction(march) as cursor:
        comment_breaks(cursor, accepted, by="Pia", note="the customer knows")

    signs(march, shown=shown)


def test_a_month_is_not_countersigned_with_figures_that_nobody_was_shown(march: World) -> None:
    run_all(march)
    signs(march)
    shown = status(march).fingerprint
    run(march, FIRST)
    with pytest.raises(SignOffError, match="it is not as it was shown"):
        countersigns(march, shown=shown)
    countersigns(march, shown=status(march).fingerprint)


def test_what_happens_to_other_months_keeps_nobody_from_signing_this_one(march: World) -> None:
    run_all(march)
    shown = status(march).fingerprint
    run(march, APRIL)
    signs(march, shown=shown)


def test_the_store_itself_refuses_a_second_signature_of_the_same_person(march: World) -> None:
    run_all(march)
    signs(march)
    with pytest.raises(psycopg2.errors.CheckViolation):
        march.store("UPDATE ropo.period_sign_off SET countersigned_by = 'anna', countersigned_at = now()")


def test_what_is_recorded_and_not_worked_in_yet_is_seen_before_signing(
    march: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_all(march)
    owe(march)
    with monkeypatch.context() as fault:
        fault.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        run(march, LAST, scope="full")
    with pytest.raises(SignOffError, match="1 invoice of the full comparison of 2026-03-31 differs"):
        signs(march)


def test_what_is_recorded_while_the_month_is_looked_at_is_signed_and_no_change_since(
    march: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A payment of the month comes late; the date that has it is recorded just before the signature's look."""
    run_all(march)
    march.payment("2", "5", "2026-03-31", seen=at("2026-04-07 12:00"))
    march.ledger("UPDATE ropo_ledger SET paid = 105, total = 105 WHERE billnum = '2'")

    def work_in_and_record(cursor: Any, profile: Any) -> None:
        work_in(cursor, profile)
        monkeypatch.undo()
        with monkeypatch.context() as held:
            held.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
            run(march, LAST, now=NOW + HOUR)

    monkeypatch.setattr(signing, "work_in", work_in_and_record)
    signs(march)

    with transaction(march) as cursor:
        work_in(cursor, march.profile)
    newest = march.store("SELECT max(reconciliation_id) FROM ropo.reconciliation WHERE business_date = %s", (LAST,))
    signed = (
        "SELECT max(each::bigint) FROM ropo.period_sign_off, "
        "jsonb_path_query(evidence, '$.dates[*].reconciliation_id') AS each"
    )
    assert march.store(signed) == newest
    assert status(march).flags == []


def test_a_month_whose_conditions_hold_no_more_is_not_countersigned_though_nothing_in_it_changed(march: World) -> None:
    run_all(march)
    signs(march)
    friday = FIRST - datetime.timedelta(days=3)
    march.profile = msgspec.structs.replace(march.profile, start_date=friday)

    with pytest.raises(SignOffError, match=rf"2026-03 cannot be signed: .*{friday}") as refused:
        countersigns(march)

    assert friday in [each.date for each in refused.value.unmet]
    assert march.store("SELECT countersigned_by FROM ropo.period_sign_off") == [(None,)]
