"""Of what no recheck makes anew the breaks count that are open now: how many, which, and which of them are news."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Literal

import msgspec
import pytest

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


def test_of_full_comparisons_the_newest_is_told_with_the_breaks_that_are_open_still(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, DAY - datetime.timedelta(days=30), "breaks", breaks=(broken("OLD", "10.00"),), scope="full")
    number = record(store, DAY, "breaks", breaks=(broken("1", "10.00"), broken("2", "5.00")), scope="full")
    keep_break(store, number, "b:1", "ledger_behind", "accepted")

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert alert.subject == "[Ropo One] default: the full comparison of 2026-10-05 is red: 1 break"
    # The last one is settled too: no run makes the comparison anew, and the alert ends.
    keep_break(store, number, "b:2", "ledger_behind", "resolved")
    with session.transaction() as cursor:
        assert RedVerdicts(profile, NOW, scope="full").found(cursor) == {}


def test_neither_what_is_within_its_grace_nor_another_profiles_break_of_the_same_invoice_is_open_now(
    session: Session, store: Connection, profile: Profile
) -> None:
    waiting = broken("2", "5.00", pending_until=NOW + MINUTE)
    number = record(store, DAY, "breaks", breaks=(broken("1", "10.00"), waiting), scope="full")
    keep_break(store, number, "b:1", "ledger_behind", "accepted")
    others = record(store, DAY, "breaks", breaks=(broken("1", "10.00"),), scope="full", profile="other")
    keep_break(store, others, "b:1", "ledger_behind", "open")

    keep_break(store, number, "b:2", "ledger_behind", "open")
    keep_break(store, others, "b:3", "ambiguous_match", "open")
    happened(store, "b:2", "opened", "open")
    happened(store, "b:3", "reopened", "open")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET renamed_to = 'b:3' WHERE profile = 'default'")

    with session.transaction() as cursor:
        (found,) = latest_verdicts(cursor, [Span(profile, DAY, DAY)], NOW, scope="full")[profile.name]
    assert (found.breaks, found.pending, found.open_categories) == (0, 1, {})
    assert found.newest_opening is None


def test_a_full_comparison_of_an_earlier_date_takes_no_others_place(
    session: Session, store: Connection, profile: Profile
) -> None:
    """What is not known of the newer date is not known though one of an old month, made after it, is green."""
    # One between them is not told beside the newer one that came after it: that looked at all invoices.
    between = DAY - datetime.timedelta(days=15)
    record(store, between, "breaks", breaks=(broken("1", "10.00"),), scope="full", started_at=NOW - 2 * MINUTE)
    record(store, DAY, "incomplete", scope="full", reasons=("doubt",), started_at=NOW - MINUTE)
    record(store, DAY - datetime.timedelta(days=30), "reconciled", scope="full", started_at=NOW)

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert alert.subject == "[Ropo One] default: the full comparison of 2026-10-05 is red: incomplete (doubt)"


def test_a_red_full_comparison_of_an_old_date_is_told_by_when_it_was_recorded(
    session: Session, store: Connection, profile: Profile
) -> None:
    """As a backfill of old months makes it, or somebody by hand; the newest one looked at all invoices last."""
    old = DAY - datetime.timedelta(days=100)
    record(store, DAY, "reconciled", scope="full", started_at=NOW - MINUTE)
    record(
        store, old - datetime.timedelta(days=30), "breaks", breaks=(broken("1", "10.00"),), scope="full", started_at=NOW
    )
    number = record(store, old, "breaks", breaks=(broken("1", "10.00"),), scope="full", started_at=NOW)

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert alert.subject == f"[Ropo One] default: the full comparison of {old} is red: 1 break"
    with session.transaction() as cursor:
        assert list(RedVerdicts(profile, NOW + datetime.timedelta(days=60), scope="full").found(cursor)) == [str(old)]
        # Long after it the newest of the watched days is looked at: there is none.
        assert RedVerdicts(profile, NOW + datetime.timedelta(days=61), scope="full").found(cursor) == {}
        keep_break(store, number, "b:1", "ledger_behind", "accepted")
    with session.transaction() as cursor:
        assert RedVerdicts(profile, NOW + MINUTE, scope="full").found(cursor) == {}


def test_of_an_old_date_that_was_recorded_lately_what_its_own_profile_and_scope_found_is_told_alone(
    session: Session, store: Connection, profile: Profile
) -> None:
    old, found = DAY - datetime.timedelta(days=200), (broken("1", "10.00"),)
    record(store, old, "breaks", breaks=found, started_at=NOW, profile="other")
    record(store, old, "breaks", breaks=found, started_at=NOW, scope="full")

    with session.transaction() as cursor:
        assert RedVerdicts(profile, NOW).found(cursor) == {}
    record(store, old, "breaks", breaks=found, started_at=NOW)
    with session.transaction() as cursor:
        assert [*RedVerdicts(profile, NOW).found(cursor)] == [str(old)]


def test_of_full_comparisons_of_one_date_the_newest_counts(
    session: Session, store: Connection, profile: Profile
) -> None:
    record(store, DAY, "breaks", breaks=(broken("1", "10.00"),), scope="full", started_at=NOW - MINUTE)
    record(store, DAY, "reconciled", scope="full", started_at=NOW)

    with session.transaction() as cursor:
        assert RedVerdicts(profile, NOW, scope="full").found(cursor) == {}


def test_a_date_that_no_recheck_reaches_any_more_counts_the_breaks_that_are_open_still(
    session: Session, store: Connection, profile: Profile
) -> None:
    old = DAY - datetime.timedelta(days=100)
    number = record(store, old, "breaks", breaks=(broken("1", "10.00"), broken("2", "5.00")))
    keep_break(store, number, "b:1", "ledger_behind", "accepted")

    def red() -> list[tuple[str, int]]:
        with session.transaction() as cursor:
            found = latest_verdicts(cursor, [Span(profile, old, DAY)], NOW)
        return [(verdict.verdict, verdict.breaks) for verdict in found[profile.name]]

    assert red() == [("breaks", 1)]
    keep_break(store, number, "b:2", "ledger_behind", "resolved")
    assert red() == [("reconciled", 0)]


def test_an_old_date_counts_an_invoice_that_breaks_in_another_category_or_under_another_name_now(
    session: Session, store: Connection, profile: Profile
) -> None:
    old = DAY - datetime.timedelta(days=100)
    number = record(store, old, "breaks", breaks=(broken("1", "10.00"), broken("2", "5.00")))
    for key in ("b:1", "b:2"):
        keep_break(store, number, key, "ledger_behind", "resolved")
    assert told(session, RedVerdicts(profile, NOW)) == []
    keep_break(store, number, "b:1", "amount_mismatch", "open")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET renamed_to = 'b:3' WHERE invoice_key = 'b:2'")
    keep_break(store, number, "b:3", "ambiguous_match", "open")

    with session.transaction() as cursor:
        [verdict] = latest_verdicts(cursor, [Span(profile, old, DAY)], NOW)[profile.name]

    assert (verdict.business_date, verdict.verdict, verdict.breaks) == (old, "breaks", 2)


def test_what_is_open_again_counts_where_no_recheck_makes_the_date_anew(
    session: Session, store: Connection, profile: Profile
) -> None:
    old = DAY - datetime.timedelta(days=100)
    items = (broken("1", "10.00"), broken("2", "5.00"), broken("3", "1.00"))
    numbers = [record(store, date, "breaks", breaks=items, started_at=NOW) for date in (old, DAY)]
    for number in numbers:
        stood_accepted(store, number)
    assert told(session, RedVerdicts(profile, NOW)) == []
    # Of these dates' invoices one is open again, the others are accepted still.
    keep_break(store, numbers[0], "b:1", "ledger_behind", "open")
    keep_break(store, numbers[0], "b:2", "ledger_behind", "accepted")

    (alert,) = told(session, RedVerdicts(profile, NOW))

    assert alert.subject == f"[Ropo One] default: {old} is red: 1 break", "the other date's next night finds it"
    lines = [line.split(":")[0] for line in alert.text.splitlines() if line.startswith("- Invoice")]
    assert lines == ["- Invoice 1"]


def test_where_as_many_are_open_now_and_others_what_was_found_is_told_as_of_its_day(
    session: Session, store: Connection, profile: Profile
) -> None:
    old = DAY - datetime.timedelta(days=100)
    items = (broken("1", "10.00"), broken("2", "5.00", "amount_mismatch", reason="payments"))
    number = record(store, old, "breaks", breaks=items, reasons=("breaks",), started_at=NOW)
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_item SET is_accepted = true WHERE billnum = '2'")
        cursor.execute(
            "UPDATE ropo.reconciliation SET breaks = 1, accepted = 1, "
            """categories = '{"ledger_behind": {"breaks": 1}, "amount_mismatch": {"accepted": 1}}'"""
        )
    keep_break(store, number, "b:1", "ledger_behind", "resolved")
    keep_break(store, number, "b:2", "amount_mismatch", "open")

    (alert,) = told(session, RedVerdicts(profile, NOW))

    assert f"- as recorded on {profile.business_date(NOW)}: because of breaks" in alert.text
    assert "- of these breaks, open now: 1 with amounts that differ" in alert.text


def test_what_is_open_again_counts_in_the_newest_full_comparison(
    session: Session, store: Connection, profile: Profile
) -> None:
    number = record(store, DAY, "breaks", breaks=(broken("1", "10.00"),), scope="full")
    stood_accepted(store, number)
    assert told(session, RedVerdicts(profile, NOW, scope="full")) == []
    keep_break(store, number, "b:1", "ledger_behind", "open")

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert alert.subject == "[Ropo One] default: the full comparison of 2026-10-05 is red: 1 break"


def test_where_open_breaks_count_the_mail_tells_of_them_and_says_what_it_has_from_the_day_of_the_comparison(
    session: Session, store: Connection, profile: Profile
) -> None:
    items = (broken("1", "10.00"), broken("2", "5.00"), broken("3", "1.00", "amount_mismatch"))
    number = record(store, DAY, "incomplete", breaks=items, scope="full", reasons=("doubt", "breaks", "pending"))
    keep_break(store, number, "b:1", "ledger_behind", "accepted")
    keep_break(store, number, "b:3", "amount_mismatch", "resolved")

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert alert.subject.endswith("is red: incomplete (doubt), 1 break")
    lines = alert.text.splitlines()
    assert lines[1:5] == [
        "- because of doubt",
        "- as recorded on 2026-10-06: because of breaks",
        "- as recorded on 2026-10-06: because of pending",
        "- of these breaks, open now: 1 behind in the ledger",
    ]
    few = msgspec.structs.replace(profile, break_cap=0, name="default")
    with session.transaction() as cursor:
        topic = RedVerdicts(few, NOW, scope="full")
        [matter] = topic.describe(cursor, list(topic.found(cursor)))
    assert matter.title.startswith("the full comparison of 2026-10-05 has 1 breaks, more than 0")
    assert "By category: 1 behind in the ledger. " in "".join(matter.lines)
    keep_break(store, number, "b:2", "ledger_behind", "resolved")
    with session.transaction() as cursor:
        [matter] = topic.describe(cursor, list(topic.found(cursor)))
    assert "open now" not in "".join(matter.lines), "none of these is"


def test_what_is_open_as_it_was_recorded_is_told_in_the_words_of_the_comparison(
    session: Session, store: Connection, profile: Profile
) -> None:
    number = record(store, DAY, "breaks", breaks=(broken("1", "10.00"),), scope="full", reasons=("breaks",))
    keep_break(store, number, "b:1", "ledger_behind", "open")

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert "- because of breaks" in alert.text
    assert "recorded" not in alert.text
    assert "open now" not in alert.text


def test_an_invoice_that_breaks_in_another_category_or_under_another_name_now_is_listed_as_it_is_counted(
    session: Session, store: Connection, profile: Profile
) -> None:
    number = record(store, DAY, "breaks", breaks=(broken("1", "10.00"), broken("2", "5.00")), scope="full")
    for key in ("b:1", "b:2"):
        keep_break(store, number, key, "ledger_behind", "resolved")
    keep_break(store, number, "b:1", "amount_mismatch", "open")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET renamed_to = 'b:3' WHERE invoice_key = 'b:2'")
    keep_break(store, number, "b:3", "ambiguous_match", "open")

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert alert.subject.endswith("is red: 2 breaks")
    lines = [line.split(":")[0] for line in alert.text.splitlines() if line.startswith("- Invoice")]
    assert lines == ["- Invoice 1", "- Invoice 2"]
    for minutes, kind in ((1, "opened"), (2, "reopened")):
        happened(store, "b:3", kind, "open")
        assert told(session, RedVerdicts(profile, NOW + minutes * MINUTE, scope="full")), "news of its former name"


def test_what_agreed_in_a_comparison_and_broke_since_is_no_break_of_that_comparison(
    session: Session, store: Connection, profile: Profile
) -> None:
    items = (broken("1", "10.00"), broken("2", "5.00", "matched", reason=None))
    number = record(store, DAY, "breaks", breaks=items, scope="full")
    for key in ("b:1", "b:2"):
        keep_break(store, number, key, "ledger_behind", "open")

    (alert,) = told(session, RedVerdicts(profile, NOW, scope="full"))

    assert alert.subject.endswith("is red: 1 break")
    assert [line.split(":")[0] for line in alert.text.splitlines() if line.startswith("- Invoice")] == ["- Invoice 1"]
    happened(store, "b:2", "opened", "open")
    assert told(session, RedVerdicts(profile, NOW + MINUTE, scope="full")) == []


def happened(store: Connection, invoice_key: str, kind: str, state: str, *, found_by: int | None = None) -> None:
    """A break comes into a state, by a person or by a comparison."""
    with store.cursor() as cursor:
        cursor.execute(
            "WITH changed AS ("
            "UPDATE ropo.reconciliation_break SET state = %(state)s, "
            "accepted_at = CASE %(state)s WHEN 'accepted' THEN now() END, "
            "accepted_by = CASE %(state)s WHEN 'accepted' THEN 'Anna' END, "
            "accepted_note = CASE %(state)s WHEN 'accepted' THEN 'known' END, "
            "accepted_evidence = CASE %(state)s WHEN 'accepted' THEN '{}'::jsonb END, "
            "resolved_at = CASE %(state)s WHEN 'resolved' THEN now() END "
            "WHERE invoice_key = %(key)s RETURNING break_id"
            ") INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note, reconciliation_id) "
            "SELECT break_id, 'Anna', %(kind)s, 'known', %(found_by)s FROM changed",
            {"key": invoice_key, "kind": kind, "state": state, "found_by": found_by},
        )


@pytest.mark.parametrize("scope", ["full", "date"])
def test_a_break_that_is_opened_again_is_news_of_a_comparison_that_was_red_already_and_one_that_is_settled_is_none(
    session: Session, store: Connection, profile: Profile, scope: Literal["full", "date"]
) -> None:
    date = DAY if scope == "full" else DAY - datetime.timedelta(days=100)
    items = (broken("1", "10.00"), broken("2", "5.00"), broken("3", "1.00"))
    number = record(store, date, "breaks", breaks=items, scope=scope, started_at=NOW)
    for key in ("b:1", "b:2", "b:3"):
        keep_break(store, number, key, "ledger_behind", "open")
    sent = 0

    def told_again() -> bool:
        nonlocal sent
        sent += 1
        return bool(told(session, RedVerdicts(profile, NOW + sent * MINUTE, scope=scope)))

    assert told_again()
    for key in ("b:1", "b:2", "b:3"):  # of a large one they are written after it
        happened(store, key, "opened", "open", found_by=number)
    assert not told_again()
    happened(store, "b:1", "accepted", "accepted")
    happened(store, "b:2", "resolved", "resolved")
    assert not told_again()
    happened(store, "b:1", "reopened", "open")
    assert told_again()
    assert not told_again()
    happened(store, "b:1", "accepted", "accepted")
    assert not told_again()
    later = record(store, DAY, "breaks", breaks=(broken("2", "5.00"), broken("4", "2.00")), started_at=NOW)
    keep_break(store, later, "b:4", "ledger_behind", "open")
    told(session, RedVerdicts(profile, NOW + 30 * MINUTE))
    happened(store, "b:4", "reopened", "open")
    sent = 30
    assert not told_again(), "it is another comparison's, and that one's date is compared again by itself"
    happened(store, "b:2", "reopened", "open", found_by=later)
    assert told_again(), "a night found it back"


def test_a_break_that_is_opened_again_is_no_news_of_a_date_that_the_nights_compare_again(
    session: Session, store: Connection, profile: Profile
) -> None:
    """The next night says what has become of it."""
    keep_break(store, record(store, DAY, "breaks", breaks=(broken("1", "10.00"),)), "b:1", "ledger_behind", "open")
    assert told(session, RedVerdicts(profile, NOW))
    happened(store, "b:1", "reopened", "open")

    assert told(session, RedVerdicts(profile, NOW + MINUTE)) == []


def test_where_start_date_was_moved_on_the_dates_before_it_count_the_breaks_that_are_open_still(
    session: Session, store: Connection, profile: Profile
) -> None:
    """No recheck makes them anew, though it reaches as far; what a full comparison leaves out, it closes."""
    number = record(store, DAY, "breaks", breaks=(broken("1", "10.00"), broken("2", "5.00")))
    record(store, DAY + datetime.timedelta(days=1), "breaks", breaks=(broken("1", "10.00"),))
    keep_break(store, number, "b:1", "ledger_behind", "resolved")
    moved = msgspec.structs.replace(profile, start_date=DAY + datetime.timedelta(days=1))
    later = NOW + datetime.timedelta(days=1)

    def red() -> dict[str, int]:
        with session.transaction() as cursor:
            found = latest_verdicts(cursor, [Span(moved, DAY, later.date())], later)[moved.name]
            assert set(RedVerdicts(moved, later).found(cursor)) == {
                str(each.business_date) for each in found if each.breaks
            }
        return {str(each.business_date): each.breaks for each in found}

    assert red() == {"2026-10-05": 1, "2026-10-06": 1}, "the later one is compared again by itself"
    keep_break(store, number, "b:2", "ledger_behind", "resolved")
    assert red() == {"2026-10-05": 0, "2026-10-06": 1}
