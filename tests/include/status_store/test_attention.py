"""What waits for a person is listed, and settled with a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from include.status_store import attention
from include.status_store.journal import Journal
from include.status_store.recovery import Recovery
from include.status_store.source import PollInDoubtError, PollRefusedError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import doubts, drain, execute, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session


@pytest.fixture
def _unproven(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))
    execute(store, "UPDATE ropo.status_poll SET recovery = 'unproven', recovery_reason = 'possibly cut'")


@pytest.mark.usefixtures("_unproven")
def test_a_doubt_is_listed_until_it_is_accepted(session: Session, store: Connection, profile: Profile) -> None:
    with session.transaction() as cursor:
        (doubt,) = attention.doubts(cursor, profile.name)
        assert (doubt.poll_id, doubt.recovery, doubt.error, doubt.recovery_reason) == (
            1,
            "unproven",
            "lost",
            "possibly cut",
        )
        attention.accept_doubt(cursor, 1, by="Anna", note="compared with Ropo's own list")
        assert attention.doubts(cursor, profile.name) == []

    assert query(store, "SELECT recovery, recovery_reason, accepted_by, accepted_note FROM ropo.status_poll") == [
        ("accepted", "possibly cut", "Anna", "compared with Ropo's own list")
    ]


@pytest.mark.usefixtures("_unproven")
def test_an_accepted_doubt_is_asked_for_no_more(session: Session, store: Connection, profile: Profile) -> None:
    with session.transaction() as cursor:
        attention.accept_doubt(cursor, 1, by="Anna", note="seen")
    source = ScriptedSource()

    Recovery(session, source, Journal(profile), max_seconds=60).run()

    assert (source.polls, doubts(store)) == ([], [("accepted", "possibly cut")])


@pytest.mark.usefixtures("_unproven")
def test_what_waits_in_another_profile_is_not_settled_from_this_one(
    session: Session, store: Connection, profile: Profile
) -> None:
    for settle in (attention.accept_doubt, attention.dismiss_row):
        with pytest.raises(attention.NothingToSettleError), session.transaction() as cursor:
            settle(cursor, 1, by="Anna", note="seen", profile="other")
    assert doubts(store) == [("unproven", "possibly cut")]
    with session.transaction() as cursor:
        attention.accept_doubt(cursor, 1, by="Anna", note="seen", profile=profile.name)
    assert doubts(store) == [("accepted", "possibly cut")]


def test_a_doubt_that_is_still_being_reread_is_accepted_only_where_that_is_said(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))

    with (
        pytest.raises(attention.NothingToSettleError, match=r"Poll 1 is no unproven doubt.* with --not-asked"),
        session.transaction() as cursor,
    ):
        attention.accept_doubt(cursor, 1, by="Anna", note="seen")
    assert doubts(store) == [("pending", None)]


def test_a_doubt_that_cannot_be_asked_about_is_accepted_as_such(
    session: Session, store: Connection, profile: Profile
) -> None:
    """Ropo One refuses to be asked by date for good: the third date is never answered."""
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))
    execute(store, "UPDATE ropo.status_poll SET window_from = '2026-11-01', window_to = '2026-11-10'")
    forbidden = PollRefusedError("forbidden", http_status=403)
    source = ScriptedSource(EMPTY, PollRefusedError("no such date", http_status=400), forbidden)
    with pytest.raises(PollRefusedError, match="forbidden"):
        Recovery(session, source, Journal(profile), max_seconds=60).run()

    with session.transaction() as cursor:
        attention.accept_doubt(cursor, 1, by="Anna", note="compared with Ropo's own list", not_asked=True)
        assert attention.doubts(cursor, profile.name) == []

    accepted = "accepted when 2 of its 10 dates had been asked"
    columns = "recovery, recovery_reason, accepted_by, accepted_note"
    assert query(store, f"SELECT {columns} FROM ropo.status_poll WHERE poll_id = 1") == [
        ("accepted", f"2026-11-09: no such date; {accepted}", "Anna", "compared with Ropo's own list")
    ]


@pytest.mark.usefixtures("_unproven")
def test_a_doubt_that_was_asked_about_is_accepted_with_its_reason_whatever_is_said(
    session: Session, store: Connection
) -> None:
    with session.transaction() as cursor:
        attention.accept_doubt(cursor, 1, by="Anna", note="seen", not_asked=True)

    assert doubts(store) == [("accepted", "possibly cut")]


def test_what_is_recovered_is_not_accepted_as_not_asked_about(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))
    execute(store, "UPDATE ropo.status_poll SET recovery = 'recovered'")

    with (
        pytest.raises(attention.NothingToSettleError, match="Poll 1 is no doubt that waits"),
        session.transaction() as cursor,
    ):
        attention.accept_doubt(cursor, 1, by="Anna", note="seen", not_asked=True)


@pytest.mark.usefixtures("_unproven")
@pytest.mark.parametrize("texts", [{"by": "Anna", "note": " "}, {"by": "", "note": "seen"}])
def test_nothing_is_settled_without_a_name_and_a_note(
    session: Session, store: Connection, texts: dict[str, str]
) -> None:
    for settle in (attention.accept_doubt, attention.dismiss_row):
        with pytest.raises(ValueError, match="it is empty"), session.transaction() as cursor:
            settle(cursor, 1, by=texts["by"], note=texts["note"])

    assert doubts(store) == [("unproven", "possibly cut")]


def test_a_row_in_quarantine_is_listed_until_it_is_dismissed(session: Session, profile: Profile) -> None:
    drain(
        session, profile, ScriptedSource(page(row(1, amount="a lot")), page(row(1, amount="a lot"), row(2, billnum=[])))
    )

    with session.transaction() as cursor:
        first, second = attention.quarantined_rows(cursor, profile.name)
        assert (first.poll_id, first.ordinal, first.times_seen) == (1, 0, 2)
        expected = "a number such as 96.72, of at most 15 digits and 6 decimals"
        assert first.error == f"amount: expected {expected}, got another"
        assert second.ordinal == 1

        attention.dismiss_row(cursor, first.quarantine_id, by=" Anna ", note=" a test row of Ropo's\n")
        cursor.execute("SELECT resolution FROM ropo.status_quarantine WHERE quarantine_id = %s", (first.quarantine_id,))
        assert cursor.fetchone() == ("dismissed by Anna: a test row of Ropo's",)
        assert [each.quarantine_id for each in attention.quarantined_rows(cursor, profile.name)] == [
            second.quarantine_id
        ]
        with pytest.raises(attention.NothingToSettleError, match="No row 1 waits"):
            attention.dismiss_row(cursor, first.quarantine_id, by="Anna", note="again")


@pytest.mark.usefixtures("_unproven")
@pytest.mark.parametrize("not_asked", [True, False])
def test_what_is_no_doubt_says_why(session: Session, store: Connection, profile: Profile, not_asked: bool) -> None:
    drain(session, profile, ScriptedSource(EMPTY))
    ((drained,),) = query(store, "SELECT max(poll_id) FROM ropo.status_poll WHERE recovery IS NULL")
    with session.transaction() as cursor:
        attention.accept_doubt(cursor, 1, by="Anna", note="seen")
        still_open = Journal(profile).open(cursor, "drain")
        reread = Journal(profile).open(cursor, "date", "2026-11-10")

    for poll_id, told in (
        (
            still_open,
            f"Poll {still_open} is under way, or was left open by a process that died: the next drain of its "
            "profile judges it before its first poll. Where no drain comes so far, its newest run says why",
        ),
        (reread, f"Poll {reread} is a re-read, which takes no acceptance: where it failed it is only asked again"),
        (9999, "There is no poll 9999"),
        (drained, f"Poll {drained} was never in doubt: nothing of it is to be accepted"),
        (1, "Poll 1 is no doubt that waits: it is accepted already"),
    ):
        with pytest.raises(attention.NothingToSettleError) as caught, session.transaction() as cursor:
            attention.accept_doubt(cursor, poll_id, by="Anna", note="seen", not_asked=not_asked)
        assert str(caught.value) == told
