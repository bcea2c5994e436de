"""A month is signed off only when it is whole, by two people, and what changes afterwards is flagged."""

from __future__ import annotations

import datetime
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
import psycopg2
import pytest

from include.reconciliation import reconcile as module
from include.reconciliation import sign_off
from include.reconciliation.decisions import accept_breaks
from include.reconciliation.sign_off_conditions import parse_period
from include.reconciliation.signing import (
    PeriodStatus,
    SignOffError,
    accept_incompleteness,
    countersign,
    period_status,
    sign,
)
from include.status_store.database import connect
from tests.include.reconciliation.world import World, at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import cursor as Cursor

MARCH = datetime.date(2026, 3, 1)
# The profile starts on the last Monday of March, so that the month has two dates.
FIRST, LAST = datetime.date(2026, 3, 30), datetime.date(2026, 3, 31)
APRIL = datetime.date(2026, 4, 2)
# After the grace of both.
NOW = at("2026-04-08 08:00")
HOUR = datetime.timedelta(hours=1)


@pytest.fixture
def march(world: World) -> World:
    """A profile that starts on the last two dates of March, each with a matched invoice."""
    world.profile = msgspec.structs.replace(world.profile, start_date=FIRST)
    world.row("1", "paid", paid="100", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
    world.row("2", "paid", paid="100", sent_at=at("2026-03-31 08:00"), changed_at=at("2026-03-31 08:00"))
    world.payment("1", "100", "2026-03-30", seen=at("2026-03-30 09:00"))
    world.payment("2", "100", "2026-03-31", seen=at("2026-03-31 09:00"))
    return world


def run(world: World, day: datetime.date, now: datetime.datetime = NOW, **options: Any) -> Any:
    """Reconcile a date of which everything is known."""
    return world.reconcile(day, now=now, reread_poll_id=world.know_all(day), **options)


def run_all(world: World) -> None:
    """Reconcile both dates, and compare in full after the month's end."""
    run(world, FIRST)
    run(world, LAST)
    run(world, LAST, scope="full")


@contextmanager
def transaction(world: World) -> Iterator[Cursor]:
    with closing(connect(world.store_dsn)) as store, store, store.cursor() as cursor:
        yield cursor


def status(world: World, now: datetime.datetime = NOW) -> PeriodStatus:
    with transaction(world) as cursor:
        return period_status(cursor, world.profile, MARCH, now=now)


def unmet(world: World, now: datetime.datetime = NOW) -> list[tuple[datetime.date | None, str]]:
    return [(each.date, each.what) for each in status(world, now).unmet]


def signs(world: World, by: str = "Anna", now: datetime.datetime = NOW) -> int:
    with transaction(world) as cursor:
        return sign(cursor, world.profile, MARCH, by=by, now=now)


def countersigns(world: World, by: str = "Otto") -> int:
    with transaction(world) as cursor:
        return countersign(cursor, world.profile, MARCH, by=by, now=NOW)


def accepts(world: World) -> list[int]:
    """Accept every open break."""
    ids = [row[0] for row in world.store("SELECT break_id FROM ropo.reconciliation_break WHERE state = 'open'")]
    with transaction(world) as cursor:
        accept_breaks(cursor, ids, by="Anna", note="known")
    return ids


def owe(world: World, billnum: str = "1") -> None:
    """The ledger does not know of the payment."""
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100 WHERE billnum = %s", (billnum,))


def flags(world: World) -> list[tuple[str, datetime.date]]:
    return [(flag.kind, flag.business_date) for flag in status(world).flags]


# ----- the conditions


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
    with transaction(march) as cursor:
        found = period_status(cursor, march.profile, datetime.date(2026, 2, 1), now=NOW)
    assert ([each.what for each in found.unmet], found.dates) == (["before_start"], [])


def test_a_pending_date_must_wait(march: World) -> None:
    owe(march, "2")
    run(march, FIRST)
    run(march, LAST, now=at("2026-04-01 08:00"))
    run(march, LAST, scope="full")
    [pending] = status(march).unmet[:1]
    assert (pending.date, pending.what) == (LAST, "pending")
    assert "1 invoices of 2026-03-31 differ and are within their grace, the last until 2026-04-02 00:00" in pending.why


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
    march.reconcile(LAST, now=NOW)  # without a re-read
    [found] = status(march).unmet
    assert (found.date, found.what, found.reconciliation_id) == (LAST, "incomplete", 4)
    assert found.why.endswith("or accept it with a note: this run has no re-read of 2026-03-31; run the date again")
    with transaction(march) as cursor:
        assert accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="Ropo was down") == 4
    assert unmet(march) == []
    assert march.store(
        "SELECT reconciliation_id, business_date, accepted_by, note, reasons -> 0 ->> 'word' "
        "FROM ropo.incompleteness_acceptance"
    ) == [(4, LAST, "Anna", "Ropo was down", "reread_missing")]
    # What is found later was not accepted.
    march.reconcile(LAST, now=NOW + HOUR)
    assert unmet(march) == [(LAST, "incomplete")]


def test_reasons_that_were_not_shown_are_not_accepted(march: World) -> None:
    run_all(march)
    march.reconcile(LAST, now=NOW)  # without a re-read
    march.reconcile(LAST, now=NOW + HOUR)
    refused = "reconciliation 4 was shown, and 5 is the newest now; look at its reasons"
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
        (APRIL, "seen", "there is no reconciliation"),
        (LAST, " ", "note: expected a text"),
    ],
)
def test_only_what_is_incomplete_is_accepted_as_such(march: World, date: datetime.date, note: str, error: str) -> None:
    run_all(march)
    with pytest.raises((SignOffError, ValueError), match=error), transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, date, by="Anna", note=note)


# ----- the full comparison


def test_a_full_comparison_before_the_months_end_does_not_count(march: World) -> None:
    run(march, FIRST)
    run(march, LAST)
    run(march, LAST, scope="full", now=at("2026-03-31 20:00"))
    run(march, FIRST, scope="full")
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


# ----- two people


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


# ----- what changes afterwards


def test_the_same_result_again_is_no_change(march: World) -> None:
    run_all(march)
    signs(march)
    run(march, LAST, now=NOW + HOUR)
    assert flags(march) == []


def test_a_date_that_is_incomplete_again_is_flagged_since_its_acceptance_was_for_another(march: World) -> None:
    run_all(march)
    march.reconcile(LAST, now=NOW)  # without a re-read
    with transaction(march) as cursor:
        accept_incompleteness(cursor, march.profile, LAST, by="Anna", note="Ropo was down")
    signs(march)
    march.reconcile(LAST, now=NOW + HOUR)
    assert flags(march) == [("result_changed", LAST)]
    assert status(march).flags[0].note.endswith("; what was accepted of the earlier one does not hold for this one")


def test_what_only_a_full_comparison_shows_is_counted_there_and_not_at_a_date_too(march: World) -> None:
    run(march, FIRST)
    run(march, LAST)
    # Neither was there when the dates were compared.
    march.payment("9", "100", "2026-03-30", seen=at("2026-03-30 09:00"))
    march.row("9", sent_at=at("2026-03-30 08:00"), changed_at=at("2026-03-30 08:00"))
    assert run(march, LAST, scope="full").breaks == 1
    assert unmet(march) == [(LAST, "full_open_breaks")]
    stands = {(each.scope, each.business_date): each.unsettled for each in status(march).dates}
    assert stands == {("date", FIRST): 0, ("date", LAST): 0, ("full", LAST): 1}


def test_another_result_of_a_date_is_flagged_and_keeps_the_countersignature_away(march: World) -> None:
    run_all(march)
    signs(march)
    march.ledger("DELETE FROM ropo_ledger WHERE billnum = '2'")
    run(march, LAST, now=NOW + HOUR)
    assert flags(march) == [("result_changed", LAST), ("break_opened", LAST)]
    [changed, opened] = status(march).flags
    assert changed.note == (
        "reconciled (1 invoices: 1 matched, 0 pending, 0 breaks, 0 accepted) → "
        "breaks (1 invoices: 0 matched, 0 pending, 1 breaks, 0 accepted)"
    )
    assert (opened.note, opened.break_id) == ("b:2: missing_in_ledger", 1)
    with pytest.raises(SignOffError, match="2 changes were found since it was signed; look at them and sign it again"):
        countersigns(march)
    # The way back is a change too; then it can be signed again, beside the first.
    march.row("2", "paid", paid="100", sent_at=at("2026-03-31 08:00"), changed_at=at("2026-03-31 08:00"))
    run(march, LAST, now=NOW + 2 * HOUR)
    assert flags(march) == [("result_changed", LAST), ("break_opened", LAST), ("result_changed", LAST)]
    assert signs(march) == 2
    assert flags(march) == []
    assert countersigns(march) == 2
    assert march.store("SELECT count(*) FROM ropo.period_sign_off_flag") == [(3,)]


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


def test_what_is_recorded_and_not_worked_in_yet_is_seen_before_signing(
    march: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_all(march)
    owe(march)
    with monkeypatch.context() as fault:
        fault.setattr(module, "commit_with_breaks", lambda store, profile: store.commit())
        run(march, LAST, scope="full")
    with pytest.raises(SignOffError, match="1 invoices of the full comparison of 2026-03-31 differ"):
        signs(march)


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


# ----- the command


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = sign_off.main(arguments)
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def _environment(march: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", march.store_dsn)
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text("profiles:\n  - name: default\n    start_date: 2026-03-30\n")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(profiles))


@pytest.mark.usefixtures("_environment")
def test_the_command_shows_what_is_unmet_and_signs_what_is_met(
    march: World, capsys: pytest.CaptureFixture[str]
) -> None:
    at_march = ("2026-03", "--profile", "default")
    code, said, _ = command(capsys, "status", *at_march)
    assert (code, said.splitlines()) == (
        0,
        [
            "default 2026-03: not signed",
            "  not_reconciled: 2026-03-30 has no reconciliation; run the date",
            "  not_reconciled: 2026-03-31 has no reconciliation; run the date",
            "  full_missing: no full comparison of 2026-03-31 or later was made after the month's end; "
            "run one (scope: full)",
        ],
    )
    assert command(capsys, "sign", *at_march, "--by", "Anna")[0] == 1
    run(march, FIRST)
    march.reconcile(LAST, now=NOW)
    run(march, LAST, scope="full")
    accepting = ("accept-incomplete", "2026-03-31", "--profile", "default", "--note", "ok", "--by", "Anna")
    assert command(capsys, *accepting) == (
        0, "default 2026-03-31: reconciliation 2 is accepted as incomplete.\n", "",
    )  # fmt: skip
    assert command(capsys, "status", *at_march)[1].splitlines()[-1] == "  every condition holds: it can be signed"
    assert command(capsys, "sign", *at_march, "--by", "Anna", "--note", "March") == (
        0, "default 2026-03 is signed by Anna (sign-off 1); another person countersigns it.\n", "",
    )  # fmt: skip
    assert command(capsys, "countersign", *at_march, "--by", "Otto")[0] == 0
    march.ledger("DELETE FROM ropo_ledger WHERE billnum = '2'")
    run(march, LAST)
    said = command(capsys, "status", *at_march)[1]
    assert "default 2026-03: signed by Anna at " in said
    assert ": March\n" in said
    assert "default 2026-03: countersigned by Otto at " in said
    assert ": result_changed of 2026-03-31 (reconciliation 4): incomplete (" in said
    assert ": break_opened of 2026-03-31, break 1 (reconciliation 4): b:2: missing_in_ledger\n" in said
    assert "  open_breaks: 1 invoices of 2026-03-31 differ; " in said


@pytest.mark.usefixtures("_environment")
@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("status", "2026-13", "--profile", "default"), "period: expected a month as YYYY-MM, got '2026-13'"),
        (("sign", "2026-03", "--profile", "nobody", "--by", "Anna"), "profile 'nobody': is not there"),
        (("countersign", "2026-03", "--profile", "default", "--by", "Anna"), "2026-03 is not signed yet"),
    ],
)
def test_a_mistake_is_one_clear_error(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], error: str
) -> None:
    code, said, failed = command(capsys, *arguments)
    assert (code, said) == (1, "")
    assert error in failed
    assert "Traceback" not in failed


@pytest.mark.parametrize("text", ["2026-3", "2026-00", "0000-01", "2026-03-01", "march", ""])
def test_a_period_is_a_month(text: str) -> None:
    with pytest.raises(ValueError, match="expected a month as YYYY-MM"):
        parse_period(text)


def test_the_store_itself_refuses_a_second_signature_of_the_same_person(march: World) -> None:
    run_all(march)
    signs(march)
    with pytest.raises(psycopg2.errors.CheckViolation):
        march.store("UPDATE ropo.period_sign_off SET countersigned_by = 'anna', countersigned_at = now()")
