"""Where Ropo One says when to come back, no task of the profile asks before; and no word of it stops one for good."""

from __future__ import annotations

import datetime
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.status_store.by_billnum import BillnumQuestions
from include.status_store.earlier_dates import reread_earlier
from include.status_store.journal import Journal
from include.status_store.recovery import Recovery
from include.status_store.reread import Reread
from include.status_store.retry_after import LONGEST, LONGEST_WAIT_SECONDS, AskedToWaitError, keep_pause
from include.status_store.source import PollError, PollInDoubtError, PollRefusedError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import column, doubts, drain, execute, outcomes, query

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Connection

    from include.status_store.session import Session
    from include.status_store.source import Answer

DATE = datetime.date(2026, 11, 13)
HOURS = 7200.0
SECONDS_LEFT = "SELECT extract(epoch FROM not_before - clock_timestamp())::float8 FROM ropo.profile_pin"


def busy(seconds: float = HOURS) -> PollRefusedError:
    return PollRefusedError("too many", http_status=429, go_on_after=seconds)


def unavailable(seconds: float = HOURS) -> PollInDoubtError:
    return PollInDoubtError("maintenance", http_status=503, go_on_after=seconds)


def by_date(session: Session, profile: Profile, source: ScriptedSource) -> None:
    Reread(session, source, Journal(profile)).by_date(DATE)


def recover(session: Session, profile: Profile, source: ScriptedSource) -> None:
    Recovery(session, source, Journal(profile), max_seconds=60).run()


def seconds_left(store: Connection) -> float:
    (left,) = column(store, SECONDS_LEFT)
    assert isinstance(left, float)
    return left


def let_it_pass(store: Connection, seconds_left: float = -1.0) -> None:
    moment = "clock_timestamp() + make_interval(secs => %s)"
    execute(store, f"UPDATE ropo.profile_pin SET not_before = {moment}", (seconds_left,))


@pytest.mark.parametrize("error", [busy, unavailable])
@pytest.mark.parametrize("ask", [drain, by_date], ids=["a drain", "a re-read"])
def test_after_a_long_retry_after_neither_the_recovery_nor_the_next_drain_asks_before_its_end(
    session: Session,
    store: Connection,
    profile: Profile,
    ask: Callable[..., object],
    error: Callable[[], PollError],
) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))
    told = ScriptedSource(error())
    with suppress(PollError):
        ask(session, profile, told)

    source = ScriptedSource()
    recover(session, profile, source)
    with pytest.raises(AskedToWaitError):
        drain(session, profile, source)

    assert (len(told.polls), source.polls) == (1, [])
    assert HOURS - 60 < seconds_left(store) <= HOURS
    assert {recovery for recovery, _ in doubts(store)} == {"pending"}

    let_it_pass(store)
    recover(session, profile, source)
    assert drain(session, profile, source).stopped_by == "empty"
    assert {recovery for recovery, _ in doubts(store)} == {"recovered"}


def test_a_recovery_that_is_asked_to_wait_leaves_its_doubts_to_a_later_run(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))
    told = ScriptedSource(busy())

    recover(session, profile, told)
    recover(session, profile, told)

    assert len(told.polls) == 1
    assert {recovery for recovery, _ in doubts(store)} == {"pending"}
    let_it_pass(store)
    recover(session, profile, ScriptedSource())
    assert {recovery for recovery, _ in doubts(store)} == {"recovered"}


def test_what_may_not_be_asked_says_until_when_and_leaves_no_row_in_the_journal(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(busy()))
    execute(
        store, "UPDATE ropo.profile_pin SET not_before = date_trunc('hour', clock_timestamp()) + interval '2 hours'"
    )
    (until,) = column(store, "SELECT to_char(not_before, 'HH24:MI') FROM ropo.profile_pin")
    utc = Profile(name=profile.name, timezone="UTC")
    source = ScriptedSource()

    with pytest.raises(AskedToWaitError, match=rf"Profile default: Ropo One has asked .* before .* {until}:00 UTC"):
        by_date(session, utc, source)
    questions = BillnumQuestions(session, lambda: source, Journal(utc))
    assert f"{until}:00 UTC" in str(questions.ask(["10001", "10002"], max_seconds=60))

    assert (source.polls, outcomes(store)) == ([], ["refused"])


def test_earlier_dates_that_may_not_be_asked_count_as_failed(session: Session, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(busy()))
    source = ScriptedSource()

    done = reread_earlier(session, source, Journal(profile), DATE, max_seconds=60)

    assert (source.polls, done.failed) == ([], done.dates)
    assert done.failed > 0


def test_a_drain_that_may_not_ask_judges_what_a_dead_process_left_open(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(busy()))
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")

    with pytest.raises(AskedToWaitError):
        drain(session, profile, ScriptedSource())

    assert outcomes(store) == ["refused", "in_doubt"]


@pytest.mark.parametrize("ask", [drain, by_date], ids=["a drain", "a re-read"])
def test_a_pause_that_a_run_has_time_for_is_waited_for(
    session: Session, store: Connection, profile: Profile, ask: Callable[..., object]
) -> None:
    drain(session, profile, ScriptedSource(EMPTY))
    let_it_pass(store, 0.2)
    before: list[object] = []

    def answered() -> Answer:
        before.extend(column(store, "SELECT not_before > clock_timestamp() FROM ropo.profile_pin"))
        return page(row(1))

    source = ScriptedSource(answered)
    ask(session, profile, source)

    assert before == [False]


def test_a_reread_is_not_repeated_before_a_503_says_so(session: Session, store: Connection, profile: Profile) -> None:
    by_date(session, profile, ScriptedSource(unavailable(0.1), page(row(1))))
    assert outcomes(store) == ["in_doubt", "landed"]

    with pytest.raises(PollInDoubtError):
        by_date(session, profile, ScriptedSource(unavailable()))
    assert outcomes(store) == ["in_doubt", "landed", "in_doubt"]


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_a_nonsense_retry_after_holds_up_a_profile_for_a_day_at_most(
    session: Session, store: Connection, profile: Profile, seconds: float
) -> None:
    drain(session, profile, ScriptedSource(busy(seconds)))

    assert LONGEST.total_seconds() - 60 < seconds_left(store) <= LONGEST.total_seconds()


def test_a_moment_that_a_clock_put_back_has_left_far_ahead_counts_for_nothing(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(busy()))
    let_it_pass(store, LONGEST.total_seconds() + 3600)

    assert drain(session, profile, ScriptedSource()).stopped_by == "empty"


def test_a_renewed_token_and_a_retry_after_of_nothing_hold_up_nobody(
    session: Session, store: Connection, profile: Profile
) -> None:
    token = PollRefusedError("token", http_status=401, go_on_after=0.0)
    drain(session, profile, ScriptedSource(token, busy(0.0), EMPTY))

    assert query(store, "SELECT not_before FROM ropo.profile_pin") == [(None,)]


def test_another_profile_is_asked_all_the_same(session: Session, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(busy()))

    other = drain(session, Profile(name="other"), ScriptedSource(queue=("ropo.example", "2")))

    assert other.stopped_by == "empty"


def test_a_drain_under_way_stops_where_another_task_is_told_to_wait(
    session: Session, store: Connection, profile: Profile
) -> None:
    def another_task_is_told() -> Answer:
        with session.another() as beside, pytest.raises(PollError):
            by_date(beside, profile, ScriptedSource(busy()))
        return page(row(1))

    source = ScriptedSource(another_task_is_told, page(row(2)))
    summary = drain(session, profile, source)

    assert (summary.stopped_by, summary.new, len(source.polls)) == ("asked_to_wait", 1, 1)
    assert outcomes(store) == ["landed", "refused"]


def test_a_drain_that_waited_for_a_refusal_stops_where_another_task_was_told_to_wait_longer(
    session: Session, profile: Profile
) -> None:
    def another_task_is_told() -> Answer:
        with session.another() as beside, pytest.raises(PollError):
            by_date(beside, profile, ScriptedSource(busy()))
        raise busy(0.1)

    source = ScriptedSource(another_task_is_told)
    assert (drain(session, profile, source).stopped_by, len(source.polls)) == ("asked_to_wait", 1)


def test_a_shorter_word_does_not_cut_a_pause_that_stands(session: Session, store: Connection, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(busy()))
    with session.transaction() as cursor:
        keep_pause(cursor, profile.name, 60.0)

    assert HOURS - 60 < seconds_left(store) <= HOURS

    let_it_pass(store, LONGEST.total_seconds() + 3600)
    with session.transaction() as cursor:
        keep_pause(cursor, profile.name, 60.0)

    assert seconds_left(store) <= 60


def test_a_drain_under_way_waits_for_a_short_pause_of_another_task_and_goes_on(
    session: Session, store: Connection, profile: Profile
) -> None:
    def another_task_is_told() -> Answer:
        let_it_pass(store, 0.2)
        return page(row(1))

    source = ScriptedSource(another_task_is_told, page(row(2)))
    summary = drain(session, profile, source)

    assert (summary.stopped_by, summary.new, outcomes(store)) == ("empty", 2, ["landed", "landed", "empty"])


def test_no_drain_waits_in_its_slot_for_a_long_pause_though_it_has_the_time(
    session: Session, store: Connection, profile: Profile
) -> None:
    an_hour = LONGEST_WAIT_SECONDS * 12
    told = drain(session, profile, ScriptedSource(busy(LONGEST_WAIT_SECONDS + 30)), max_seconds=an_hour)
    assert told.stopped_by == "refused"

    with pytest.raises(AskedToWaitError):
        drain(session, profile, ScriptedSource(), max_seconds=an_hour)
    let_it_pass(store)
    assert drain(session, profile, ScriptedSource()).stopped_by == "empty"
