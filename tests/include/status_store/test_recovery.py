"""Doubts are recovered date by date, and a date counts only where it was shown whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError, PollRefusedError, PollUnsentError
from tests.include.status_store.recovering import DAY, DatedSource, doubt, held_on, profile, recover, today
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page
from tests.include.status_store.views import column, doubts, drain, events, execute, query

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import connection as Connection

    from include.status_store.session import Session
    from include.status_store.source import Answer

__all__ = ["profile", "today"]


class Sparing(DatedSource):
    """Answers so many polls, and then asks for an hour's pause."""

    def __init__(self, dates: dict[datetime.date, Answer], most: int) -> None:
        super().__init__({**dates})
        self.most = most

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        if len(self.polls) >= self.most:
            raise PollRefusedError("too many", http_status=429, go_on_after=3600.0)
        return super().poll(date=date, billnum=billnum)


def let_an_hour_pass(store: Connection) -> None:
    execute(store, "UPDATE ropo.status_poll_window_date SET asked_at = asked_at - interval '61 minutes'")


def test_without_a_doubt_nothing_is_asked(session: Session, profile: Profile) -> None:
    source = DatedSource()

    summary = recover(session, profile, source)

    assert (source.polls, summary.dates, summary.pending) == ([], 0, 0)


def test_every_date_of_the_window_is_asked_the_newest_first_and_what_was_lost_is_found(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)
    source = DatedSource(
        {today: page(held_on(today, 1), held_on(today, 2)), today - DAY: page(held_on(today - DAY, 3))}
    )

    summary = recover(session, profile, source)

    assert source.asked == [today + number * DAY for number in (1, 0, -1, -2, -3)]
    assert (summary.dates, summary.whole, summary.new) == (5, 5, 3)
    assert (summary.pending, summary.unproven, summary.recovered) == (0, 0, 1)
    assert doubts(store) == [("recovered", None)]
    assert query(store, "SELECT recovered_count, recovered_at IS NOT NULL FROM ropo.status_poll WHERE poll_id = 1") == [
        (3, True)
    ]
    assert events(store) == ["P1", "P2", "P3"]


def test_a_recovered_doubt_is_not_asked_again(session: Session, store: Connection, profile: Profile) -> None:
    doubt(session, profile)
    recover(session, profile, DatedSource())
    let_an_hour_pass(store)
    source = DatedSource()

    assert recover(session, profile, source).recovered == 1
    assert source.polls == []


def test_a_run_without_time_leaves_the_doubt_pending_for_the_next(
    session: Session, store: Connection, profile: Profile
) -> None:
    doubt(session, profile)

    assert recover(session, profile, DatedSource(), max_seconds=0).pending == 1
    assert recover(session, profile, DatedSource()).recovered == 1


@pytest.mark.parametrize("end", [PollUnsentError("unreachable"), PollRefusedError("forbidden", http_status=403)])
def test_a_run_that_is_broken_off_is_resumed_where_it_stopped(
    session: Session, store: Connection, profile: Profile, today: datetime.date, end: Exception
) -> None:
    doubt(session, profile)
    with pytest.raises(type(end)):
        recover(session, profile, DatedSource({today: end}))
    assert doubts(store) == [("pending", None)]
    source = DatedSource()

    summary = recover(session, profile, source)

    assert source.asked == [today, today - DAY, today - 2 * DAY, today - 3 * DAY]
    assert (summary.recovered, doubts(store)) == (1, [("recovered", None)])


class Stopped(BaseException):
    """What Airflow raises in a task that it ends."""


def test_a_date_at_which_each_task_is_ended_does_not_hold_up_the_others(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    """As where its answers take longer than a task may."""
    doubt(session, profile)
    with pytest.raises(Stopped):
        recover(session, profile, DatedSource({today: Stopped()}))
    assert doubts(store) == [("pending", None)]
    source = DatedSource()

    summary = recover(session, profile, source)

    assert source.asked == [today - DAY, today - 2 * DAY, today - 3 * DAY, today]
    assert (summary.recovered, doubts(store)) == (1, [("recovered", None)])


def test_dates_that_are_never_whole_do_not_hold_up_those_that_nobody_has_come_to(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    """As where Ropo One serves so many polls an hour and no more."""
    doubt(session, profile)
    cut = {today + number * DAY: page(*(held_on(today, each) for each in range(3))) for number in (1, 0, -1)}
    asked = []
    for most in (4, 3, 3):  # what may be cut is asked twice
        source = Sparing(cut, most)
        recover(session, profile, source)
        asked.append(list(dict.fromkeys(source.asked)))
        execute(store, "UPDATE ropo.profile_pin SET not_before = NULL")
        let_an_hour_pass(store)

    assert asked == [[today + DAY, today], [today - DAY, today - 2 * DAY], [today - 3 * DAY, today + DAY]]


def test_of_dates_without_an_answer_the_one_that_was_asked_longest_ago_goes_first(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)
    lost = PollInDoubtError("HTTP 500")
    for ending in (today + DAY, today, today + DAY):
        with pytest.raises(PollInDoubtError):
            recover(session, profile, DatedSource({ending: lost}))
    mended = DatedSource()

    assert recover(session, profile, mended).recovered == 1

    assert mended.asked == [today, today + DAY]


def test_a_date_that_is_possibly_cut_leaves_the_doubt_unproven_until_it_is_shown_whole(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)
    cut = page(*(held_on(today, number) for number in range(3)))

    assert recover(session, profile, DatedSource({today: cut})).unproven == 1
    assert doubts(store) == [
        ("unproven", f"{today}: the answer had 3 rows, the most that one may have: it was possibly cut")
    ]

    at_once = DatedSource()
    assert (recover(session, profile, at_once).unproven, at_once.polls) == (1, [])

    let_an_hour_pass(store)
    whole = DatedSource({today: page(*(held_on(today, number) for number in range(4)))})
    assert recover(session, profile, whole).recovered == 1
    assert whole.asked == [today]
    assert doubts(store) == [("recovered", None)]
    assert column(store, "SELECT recovered_count FROM ropo.status_poll WHERE poll_id = 1") == [4]


def test_the_reason_says_how_many_rows_the_answer_had_that_may_have_been_cut(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)
    answers = iter([page(*(held_on(today, number) for number in range(3))), page(held_on(today, 0))])

    recover(session, profile, DatedSource({today: lambda: next(answers)}))

    assert doubts(store) == [
        ("unproven", f"{today}: the answer had 3 rows, the most that one may have: it was possibly cut")
    ]


@pytest.mark.parametrize("answer", ["204", "another"])
def test_a_date_that_does_not_show_what_is_held_for_it_does_not_count(
    session: Session, store: Connection, profile: Profile, today: datetime.date, answer: str
) -> None:
    drain(session, profile, ScriptedSource(page(held_on(today, 1)), PollInDoubtError("lost")))

    recover(session, profile, DatedSource({today: EMPTY if answer == "204" else page(held_on(today, 2))}))

    assert doubts(store) == [("unproven", f"{today}: 1 events that are held for this date were not shown")]


def test_a_day_that_has_not_begun_may_be_refused_and_is_asked_again(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)
    refused = PollRefusedError("the date lies ahead", http_status=400)

    assert recover(session, profile, DatedSource({today + DAY: refused})).unproven == 1
    assert doubts(store) == [("unproven", f"{today + DAY}: the date lies ahead")]

    let_an_hour_pass(store)
    source = DatedSource()
    assert recover(session, profile, source).recovered == 1
    assert source.asked == [today + DAY]


def test_a_date_that_is_never_answered_does_not_hold_up_the_others_for_good(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)
    broken = DatedSource({today + DAY: PollInDoubtError("HTTP 500")})

    with pytest.raises(PollInDoubtError):
        recover(session, profile, broken)
    assert doubts(store) == [("pending", f"{today + DAY}: HTTP 500")]

    with pytest.raises(PollInDoubtError):
        recover(session, profile, broken)
    assert broken.asked[-1] == today + DAY, "the others go first now"
    assert doubts(store) == [("unproven", f"{today + DAY}: HTTP 500")]

    # The next run, a quarter of an hour later.
    answering = DatedSource()
    assert recover(session, profile, answering).recovered == 1
    assert answering.asked == [today + DAY]


def test_a_date_beyond_the_window_does_not_count(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    """As where a clock that ran ahead wrote a doubt first, and the poll that ended late wrote it anew."""
    doubt(session, profile)
    execute(
        store,
        "INSERT INTO ropo.status_poll_window_date (poll_id, business_date, asked_at, brought, reason) "
        "VALUES (1, %s, now(), 0, 'beyond')",
        (today + 9 * DAY,),
    )
    cut = page(*(held_on(today, number) for number in range(3)))

    assert recover(session, profile, DatedSource({today: cut})).unproven == 1
    assert "beyond" not in str(doubts(store))


def test_two_doubts_share_a_reread(session: Session, store: Connection, profile: Profile) -> None:
    doubt(session, profile)
    doubt(session, profile)
    source = DatedSource()

    assert recover(session, profile, source).recovered == 2
    assert len(source.polls) == 5


def test_a_later_doubt_is_asked_for_even_where_an_earlier_one_was_ticked(
    session: Session, store: Connection, profile: Profile
) -> None:
    doubt(session, profile)
    recover(session, profile, DatedSource())
    doubt(session, profile)
    source = DatedSource()

    assert recover(session, profile, source).recovered == 2
    assert len(source.polls) == 5


def test_a_clock_that_was_put_back_does_not_stop_a_recovery(
    session: Session, store: Connection, profile: Profile
) -> None:
    doubt(session, profile)
    execute(
        store,
        "UPDATE ropo.status_poll SET opened_at = opened_at + interval '5 h', closed_at = closed_at + interval '5 h'",
    )

    assert recover(session, profile, DatedSource()).recovered == 1


def test_a_date_that_was_asked_by_a_clock_ahead_is_asked_again(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    doubt(session, profile)
    recover(session, profile, DatedSource({today: page(*(held_on(today, number) for number in range(3)))}))
    execute(store, "UPDATE ropo.status_poll_window_date SET asked_at = asked_at + interval '5 h'")
    source = DatedSource()

    recover(session, profile, source)

    assert source.asked == [today]


def test_another_profiles_doubt_is_left_alone(session: Session, store: Connection, profile: Profile) -> None:
    doubt(session, profile)
    source = DatedSource()
    source.queue = ("other", "2")

    assert recover(session, Profile(name="other"), source).pending == 0
    assert source.polls == []


def test_a_doubt_whose_page_landed_after_all_is_done(session: Session, store: Connection, profile: Profile) -> None:
    doubt(session, profile)
    execute(
        store, "UPDATE ropo.status_poll SET outcome = 'landed', recovery = NULL, window_to = NULL WHERE poll_id = 1"
    )
    source = DatedSource()

    assert recover(session, profile, source).pending == 0
    assert source.polls == []


def test_a_reread_that_nobody_ticked_is_only_asked_again(
    session: Session, store: Connection, profile: Profile, today: datetime.date
) -> None:
    """As where the process died between the answer and the tick: the events are in."""
    doubt(session, profile)
    answer = page(held_on(today, 1))
    Reread(session, DatedSource({today: answer}), Journal(profile)).by_date(today)

    assert recover(session, profile, DatedSource({today: answer})).recovered == 1
    assert events(store) == ["P1"]
