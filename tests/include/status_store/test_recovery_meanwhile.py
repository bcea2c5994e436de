"""What happens while doubts are recovered: another doubt, another recovery, somebody who accepts one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.status_store.attention import accept_doubt
from include.status_store.database import connect
from include.status_store.journal import Journal
from include.status_store.recovery import Recovery
from include.status_store.session import Session
from include.status_store.source import PollInDoubtError, PollRefusedError
from local_airflow.waiting import until
from tests.include.status_store.recovering import DAY, DatedSource, doubt, held_on, profile, recover, today
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page
from tests.include.status_store.views import column, doubts, drain, events, query
from tests.include.status_store.waiting import meanwhile, others, terminate, waiting_for_a_lock

if TYPE_CHECKING:
    import datetime

    import pytest
    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.source import Answer

__all__ = ["profile", "today"]


def test_a_poll_that_ends_in_doubt_after_it_was_recovered_is_recovered_again(
    session: Session, store: Connection, store_dsn: str, profile: Profile, today: datetime.date
) -> None:
    """A drain that lost its session in a long request: the next one judged its poll, and its dates were re-read.

    What the request then takes out of the queue was recorded after that.
    """
    recorded_since = DatedSource({today: page(held_on(today, 7))})

    def judged_meanwhile() -> Answer:
        terminate(store, others(store))
        with Session(lambda: connect(store_dsn)) as other:
            drain(other, profile, ScriptedSource())
            assert recover(other, profile, DatedSource()).recovered == 1
        raise PollInDoubtError("reset", http_status=502)

    drain(session, profile, ScriptedSource(judged_meanwhile))
    judged = query(store, "SELECT recovery, error, http_status FROM ropo.status_poll WHERE poll_id = 1")
    summary = recover(session, profile, recorded_since)

    assert judged == [("pending", "reset", 502)]
    assert (summary.dates, summary.new, summary.recovered) == (5, 1, 1)
    assert (doubts(store), events(store)) == ([("recovered", None)], ["P7"])


def test_a_reread_under_way_does_not_tick_a_poll_that_ends_in_doubt_meanwhile(
    session: Session, store_dsn: str, profile: Profile, today: datetime.date
) -> None:
    """The poll was judged while it was under way; it may have taken its page after the answer was written."""
    doubt(session, profile)

    def ends_in_doubt() -> Answer:
        with Session(lambda: connect(store_dsn)) as other, other.transaction() as cursor:
            Journal(profile).doubt(cursor, 1, error="reset")
        return EMPTY

    summary = recover(session, profile, DatedSource({today: ends_in_doubt}))
    again = DatedSource({today: page(held_on(today, 7))})

    assert (summary.recovered, summary.unproven, summary.pending) == (0, 0, 1)
    assert recover(session, profile, again).recovered == 1
    assert len(again.asked) == 5


def test_a_poll_that_ends_in_doubt_while_a_date_is_ticked_is_not_ticked(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubt(session, profile)
    tick = Recovery._tick

    with Session(lambda: connect(store_dsn)) as other:

        def meanwhile_in_doubt(recovery: Recovery, *of_the_date: Any) -> None:
            monkeypatch.undo()
            with other.connection.cursor() as beside:
                Journal(profile).doubt(beside, 1, error="reset")

            def commit() -> None:
                try:
                    until(lambda: waiting_for_a_lock(store), seconds=10)
                finally:
                    other.connection.commit()

            with meanwhile(commit):
                tick(recovery, *of_the_date)

        monkeypatch.setattr(Recovery, "_tick", meanwhile_in_doubt)
        assert recover(session, profile, DatedSource()).pending == 1

    assert column(store, "SELECT business_date FROM ropo.status_poll_window_date WHERE ticked_at IS NOT NULL") == []


def test_a_poll_that_ends_in_doubt_while_its_recovery_is_concluded_is_not_recovered(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubt(session, profile)
    conclude = Recovery._conclude

    with Session(lambda: connect(store_dsn)) as other:

        def meanwhile_in_doubt(recovery: Recovery, cursor: Cursor) -> None:
            with other.connection.cursor() as beside:
                Journal(profile).doubt(beside, 1, error="reset")

            def commit() -> None:
                until(lambda: waiting_for_a_lock(store))
                other.connection.commit()

            with meanwhile(commit):
                conclude(recovery, cursor)

        monkeypatch.setattr(Recovery, "_conclude", meanwhile_in_doubt)
        assert recover(session, profile, DatedSource()).recovered == 0

    monkeypatch.undo()
    source = DatedSource()
    assert recover(session, profile, source).recovered == 1
    assert len(source.asked) == 5


def test_a_doubt_noticed_during_a_reread_is_not_ticked_by_it(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    """What it lost may have left the queue after the answer was written."""
    doubt(session, profile)

    def another_doubt() -> Answer:
        with session.transaction() as cursor:
            journal = Journal(profile)
            journal.doubt(cursor, journal.open(cursor, "drain"), error="noticed meanwhile")
        return EMPTY

    summary = recover(session, profile, DatedSource({today: another_doubt}))

    assert (summary.recovered, summary.pending) == (1, 1)
    source = DatedSource()
    assert recover(session, profile, source).recovered == 2
    assert len(source.polls) == 5


def test_a_date_that_another_recovery_has_seen_whole_meanwhile_stays_ticked(
    session: Session, store: Connection, store_dsn: str, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)

    def cut_here_and_whole_there() -> Answer:
        with Session(lambda: connect(store_dsn)) as other:
            recover(other, profile, DatedSource({today - DAY: PollRefusedError("not now", http_status=400)}))
        ticked = "SELECT business_date FROM ropo.status_poll_window_date WHERE ticked_at IS NOT NULL"
        assert (today,) in query(store, ticked)
        return page(*(held_on(today, number) for number in range(3)))

    assert recover(session, profile, DatedSource({today: cut_here_and_whole_there})).recovered == 1
    assert doubts(store) == [("recovered", None)]


def test_a_date_that_is_answered_after_its_doubt_was_accepted_is_not_on_its_record(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    """The doubt says how many of its dates had been asked when it was accepted."""
    doubt(session, profile)

    def accepted_meanwhile() -> Answer:
        with session.transaction() as cursor:
            accept_doubt(cursor, 1, by="finance", note="the ledger has them", not_asked=True)
        return EMPTY

    recover(session, profile, DatedSource({today: accepted_meanwhile}))

    assert doubts(store) == [("accepted", "accepted when 1 of its 5 dates had been asked")]
    assert column(store, "SELECT business_date FROM ropo.status_poll_window_date") == [today + DAY]


def test_a_tick_whose_commit_took_effect_before_it_was_tried_again_counts_what_it_brought_once(
    session: Session, store: Connection, profile: Profile, today: datetime.date, monkeypatch: pytest.MonkeyPatch
) -> None:
    tick = Recovery._tick

    def twice(recovery: Recovery, *of_the_date: Any) -> None:
        tick(recovery, *of_the_date)
        tick(recovery, *of_the_date)

    monkeypatch.setattr(Recovery, "_tick", twice)
    doubt(session, profile)
    recover(session, profile, DatedSource({today: page(held_on(today, 1), held_on(today, 2))}))

    assert column(store, "SELECT recovered_count FROM ropo.status_poll WHERE recovery IS NOT NULL") == [2]
