"""A red verdict is told with its reasons, its totals, and the breaks that matter most."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec

from include.watch.spans import Span
from include.watch.verdicts import RedVerdicts, latest_verdicts
from tests.include.watch.records import broken, keep_break, record, stood_accepted, told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session

DAY = datetime.date(2026, 10, 5)
NOW = datetime.datetime(2026, 10, 6, 3, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)


def accept_as_incomplete(store: Connection, reconciliation_id: int) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.incompleteness_acceptance "
            "(reconciliation_id, profile, business_date, scope, reasons, accepted_by, note) "
            "SELECT reconciliation_id, profile, business_date, scope, reasons, 'Anna', 'known' "
            "FROM ropo.reconciliation WHERE reconciliation_id = %s",
            (reconciliation_id,),
        )


def test_the_ledgers_money_is_that_of_all_its_rows(session: Session, store: Connection, profile: Profile) -> None:
    record(store, DAY, "breaks", breaks=(broken("1", "10.00"),))
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation SET totals = jsonb_set("
            "jsonb_set(totals, '{currencies, 0, extra_paid}', '\"100\"'), '{currencies, 0, extra_discount}', '\"2\"')"
        )
    (alert,) = told(session, RedVerdicts(profile, NOW))
    assert "ledger 1\u202f234.50 paid and 3.00 discount" in alert.text


def test_a_near_miss_and_states_are_told_in_words(session: Session, store: Connection, profile: Profile) -> None:
    missing = broken("0012", "10.00", "missing_in_ledger", reason="no_row", hint="the ledger has INV-12")
    partly = broken("13", "5.00", ropo_status="partly_paid")
    record(store, DAY, "breaks", breaks=(missing, partly))
    (alert,) = told(session, RedVerdicts(profile, NOW))
    assert "the ledger has no row for it (the ledger has INV-12); " in alert.text
    assert "Ropo One partly paid, " in alert.text


def test_it_says_profile_date_reasons_totals_the_five_largest_breaks_and_where_to_look(
    session: Session, store: Connection, profile: Profile
) -> None:
    amounts = ("10.00", "20.00", "5000.00", "30.00", "40.00", "1000.005")
    items = tuple(broken(f"INV{number}", amount) for number, amount in enumerate(amounts))
    pending = broken("LATE", "9000.00", pending_until=NOW)
    record(store, DAY, "breaks", breaks=(*items, pending), break_count=None, reasons=("breaks",), run_id="scheduled__1")

    (alert,) = told(session, RedVerdicts(profile, NOW))

    assert alert.subject == "[Ropo One] default: 2026-10-05 is red: 6 breaks"
    lines = alert.text.splitlines()
    assert "- because of breaks" in lines
    assert (
        "- EUR, 9 invoices: Ropo One 1\u202f234.50 paid and 1.00 discount; ledger 1\u202f134.50 paid and 1.00 discount"
        in lines
    )
    assert "- SEK, 1 invoice: Ropo One 10.005 paid and 0.00 discount; ledger 0.00 paid and 0.00 discount" in lines
    assert [line.split(":")[0] for line in lines if line.startswith("- Invoice")] == [
        "- Invoice INV2", "- Invoice INV5", "- Invoice INV4", "- Invoice INV3", "- Invoice INV1",
    ]  # fmt: skip
    assert (
        "- Invoice INV2: ledger behind, Ropo is further in payment; Ropo One paid, ledger unpaid; "
        "5\u202f000.00 EUR at stake" in lines
    )
    assert "- Run: https://airflow.example.com/dags/ropo_reconciliation/runs/scheduled__1" in lines
    assert lines[-1] == "Reconciliation: https://airflow.example.com/reconciliation/"


def test_the_subject_of_an_incomplete_date_says_what_is_missing(
    session: Session, store: Connection, profile: Profile
) -> None:
    """Mails of one date are told apart by it: another thing may be missing than an hour before."""
    record(store, DAY, "incomplete", reasons=("reread_missing", "no_drain_since", "breaks", "pending"), break_count=2)

    (alert,) = told(session, RedVerdicts(profile, NOW))

    assert alert.subject == (
        "[Ropo One] default: 2026-10-05 is red: incomplete (reread missing, no drain since), 2 breaks"
    )


def test_breaks_that_were_accepted_or_resolved_since_are_not_among_the_largest(
    session: Session, store: Connection, profile: Profile
) -> None:
    items = (broken("ACCEPTED", "900.00"), broken("RESOLVED", "800.00"), broken("OPEN", "700.00"))
    reconciliation_id = record(store, DAY, "breaks", breaks=items)
    others = record(store, DAY, "breaks", breaks=items, profile="other")
    for billnum, state in (("ACCEPTED", "accepted"), ("RESOLVED", "resolved"), ("OPEN", "open")):
        keep_break(store, reconciliation_id, f"b:{billnum}", "ledger_behind", state)
        keep_break(store, others, f"b:{billnum}", "ledger_behind", "open")

    (alert,) = told(session, RedVerdicts(profile, NOW))

    lines = [line.split(":")[0] for line in alert.text.splitlines() if line.startswith("- Invoice")]
    assert lines == ["- Invoice OPEN"]


def test_a_break_without_a_difference_of_payments_stands_by_its_total(
    session: Session, store: Connection, profile: Profile
) -> None:
    item = broken("N1", "0", "missing_in_ropo", reason="end", ledger_total="77.00", currency="SEK", ropo_paid=None)
    record(store, DAY, "breaks", breaks=(item,))

    (alert,) = told(session, RedVerdicts(profile, NOW))

    assert "77.00 SEK at stake" in alert.text


def test_more_breaks_than_the_cap_are_one_systemic_alert_instead_of_a_list(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, DAY, "breaks", breaks=(broken("INV1", "10.00"),), break_count=201)

    (alert,) = told(session, RedVerdicts(profile, NOW))

    assert (
        alert.subject == "[Ropo One] default: 2026-10-05 has 201 breaks, more than 200: look for one cause of them all"
    )
    assert "201 missing in the ledger" in alert.text
    assert "INV1" not in alert.text
    as_many = msgspec.structs.replace(profile, break_cap=201)
    with session.transaction() as cursor:
        topic = RedVerdicts(as_many, NOW)
        (matter,) = topic.describe(cursor, list(topic.found(cursor)))
    assert matter.title == "2026-10-05 is red: 201 breaks"


def test_what_the_profile_does_not_call_red_is_not_told(session: Session, store: Connection, profile: Profile) -> None:
    record(store, DAY, "pending")
    record(store, DAY + datetime.timedelta(days=1), "incomplete")
    lenient = msgspec.structs.replace(profile, fail_on=("breaks",))

    assert told(session, RedVerdicts(lenient, NOW + datetime.timedelta(days=1))) == []
    record(store, DAY, "incomplete", break_count=1)
    (alert,) = told(session, RedVerdicts(lenient, NOW + datetime.timedelta(days=1)))
    assert alert.subject.endswith("2026-10-05 is red: incomplete, 1 break"), "it has breaks, whatever it lacks"


def test_the_latest_reconciliation_of_a_date_counts(session: Session, store: Connection, profile: Profile) -> None:
    record(store, DAY, "breaks", break_count=1)
    record(store, DAY, "reconciled")

    assert told(session, RedVerdicts(profile, NOW)) == []


def test_the_same_result_again_is_not_told_twice_and_another_one_is(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, DAY - datetime.timedelta(days=1), "breaks", break_count=1, reasons=("breaks",))
    assert told(session, RedVerdicts(profile, NOW, date=DAY)) == []
    told(session, RedVerdicts(profile, NOW))
    record(store, DAY, "breaks", break_count=1, reasons=("breaks",))
    told(session, RedVerdicts(profile, NOW, date=DAY))
    record(store, DAY, "breaks", break_count=1, reasons=("breaks",))
    assert told(session, RedVerdicts(profile, NOW + MINUTE)) == []
    record(store, DAY, "breaks", break_count=2, reasons=("breaks",))
    assert len(told(session, RedVerdicts(profile, NOW + 2 * MINUTE))) == 1


def test_a_date_that_lacks_something_else_than_before_is_told_anew(
    session: Session, store: Connection, profile: Profile
) -> None:
    for reason in ("doubt", "quarantine"):
        record(store, DAY, "incomplete", reasons=(reason,))
        assert len(told(session, RedVerdicts(profile, NOW))) == 1


def test_a_date_that_turned_green_and_red_again_is_told_anew(
    session: Session, store: Connection, profile: Profile
) -> None:
    for verdict, alerts in (("breaks", 1), ("reconciled", 0), ("breaks", 1)):
        record(store, DAY, verdict, break_count=int(verdict == "breaks"))
        assert len(told(session, RedVerdicts(profile, NOW))) == alerts


def test_the_dates_of_a_backfill_are_one_message(session: Session, store: Connection, profile: Profile) -> None:
    for number in range(10):
        record(store, DAY - datetime.timedelta(days=number), "breaks", breaks=(broken("INV1", "10.00"),))

    (alert,) = told(session, RedVerdicts(profile, NOW))

    assert alert.subject == "[Ropo One] default: 10 business dates are red"
    assert "2026-09-30 is red: 1 break" in alert.text


def test_dates_out_of_reach_of_a_recheck_are_left_alone(session: Session, store: Connection, profile: Profile) -> None:
    record(store, DAY - datetime.timedelta(days=61), "breaks", break_count=1)

    assert told(session, RedVerdicts(profile, NOW)) == []


def test_a_red_date_of_a_backfill_of_old_dates_is_told_once_by_when_it_was_recorded(
    session: Session, store: Connection, profile: Profile
) -> None:
    old = DAY - datetime.timedelta(days=100)
    number = record(store, old, "breaks", breaks=(broken("1", "10.00"),), started_at=NOW)
    record(store, old - datetime.timedelta(days=1), "breaks", break_count=1, started_at=NOW)
    record(store, old - datetime.timedelta(days=1), "reconciled", started_at=NOW + MINUTE)

    (alert,) = told(session, RedVerdicts(profile, NOW + MINUTE))

    assert alert.subject == f"[Ropo One] default: {old} is red: 1 break"
    assert told(session, RedVerdicts(profile, NOW + 2 * MINUTE)) == []
    with session.transaction() as cursor:
        for other in (DAY, old - datetime.timedelta(days=2)):
            assert RedVerdicts(profile, NOW + MINUTE, date=other).found(cursor) == {}, "where one date is asked for"
        assert list(RedVerdicts(profile, NOW + datetime.timedelta(days=60)).found(cursor)) == [str(old)]
        assert RedVerdicts(profile, NOW + datetime.timedelta(days=61)).found(cursor) == {}
        # What was settled since is red no more, though no recheck makes the date anew.
        keep_break(store, number, "b:1", "ledger_behind", "accepted")
    with session.transaction() as cursor:
        assert RedVerdicts(profile, NOW + MINUTE).found(cursor) == {}


def test_what_was_accepted_as_incomplete_is_told_no_more(session: Session, store: Connection, profile: Profile) -> None:
    number = record(store, DAY, "incomplete", reasons=("doubt",))
    accept_as_incomplete(store, number)

    assert told(session, RedVerdicts(profile, NOW)) == []

    record(store, DAY, "incomplete", reasons=("doubt", "breaks"))
    assert told(session, RedVerdicts(profile, NOW)) == [], "for the same reasons"

    record(store, DAY, "incomplete", reasons=("doubt", "quarantine"))
    assert len(told(session, RedVerdicts(profile, NOW))) == 1, "for another reason"


def test_breaks_of_a_date_that_was_accepted_as_incomplete_are_told(
    session: Session, store: Connection, profile: Profile
) -> None:
    number = record(store, DAY, "incomplete", breaks=(broken("INV1", "10.00"),), reasons=("doubt",))
    told(session, RedVerdicts(profile, NOW))
    accept_as_incomplete(store, number)

    (alert,) = told(session, RedVerdicts(profile, NOW + MINUTE))

    assert alert.subject == "[Ropo One] default: 2026-10-05 is red: 1 break"


def test_a_red_full_comparison_is_a_matter_of_its_own(session: Session, store: Connection, profile: Profile) -> None:
    record(store, DAY, "reconciled")
    record(store, DAY, "breaks", breaks=(broken("INV1", "10.00"),), scope="full")

    (alert,) = told(session, RedVerdicts(profile, NOW, date=DAY, scope="full"))

    assert alert.subject == "[Ropo One] default: the full comparison of 2026-10-05 is red: 1 break"
    assert told(session, RedVerdicts(profile, NOW)) == [], "the date itself is not red"
    assert told(session, RedVerdicts(profile, NOW, date=DAY, scope="full")) == []


def test_a_date_that_was_accepted_as_incomplete_and_has_something_pending_is_pending(
    session: Session, store: Connection, profile: Profile
) -> None:
    pending = broken("1", "10.00", pending_until=NOW)
    accept_as_incomplete(store, record(store, DAY, "incomplete", breaks=(pending,), reasons=("doubt",)))

    with session.transaction() as cursor:
        [verdict] = latest_verdicts(cursor, [Span(profile, DAY, DAY)], NOW)[profile.name]

    assert (verdict.verdict, verdict.breaks) == ("pending", 0)


def test_several_profiles_are_asked_at_once_and_verdicts_that_tell_nothing_are_left_out(
    session: Session, store: Connection, profile: Profile
) -> None:
    other = msgspec.structs.replace(profile, name="other", recheck_days=0, late_days=0)
    before = DAY - datetime.timedelta(days=1)
    for name in ("default", "other"):
        record(store, before, "breaks", break_count=1, profile=name)
        record(store, DAY, "pending", profile=name)
    record(store, before, profile="default")
    accepted = record(store, DAY, "incomplete", reasons=("doubt",), profile="default")
    accept_as_incomplete(store, accepted)
    earlier = before - datetime.timedelta(days=1)
    reopened = record(store, earlier, "breaks", breaks=(broken("1", "10.00"),), profile="other")
    stood_accepted(store, reopened)
    keep_break(store, reopened, "b:1", "ledger_behind", "open")
    spans = [Span(profile, before, DAY), Span(other, earlier, before)]

    def found(*quiet: str) -> dict[str, list[tuple[datetime.date, str]]]:
        with session.transaction() as cursor:
            verdicts = latest_verdicts(cursor, spans, NOW, quiet=quiet)
        return {name: [(each.business_date, each.verdict) for each in every] for name, every in verdicts.items()}

    assert found() == {
        "default": [(before, "reconciled"), (DAY, "reconciled")],
        # No recheck reaches these: one's break was opened again, of the other's none is open.
        "other": [(earlier, "breaks"), (before, "reconciled")],
    }
    assert found("reconciled", "pending") == {
        "default": [(DAY, "reconciled")],  # it was recorded as incomplete
        "other": [(earlier, "breaks"), (before, "reconciled")],
    }
