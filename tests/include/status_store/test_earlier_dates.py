"""Earlier dates are re-read each night: the last late_days, and unfinished dates that no re-read has shown whole."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.status_store import earlier_dates
from include.status_store.earlier_dates import reread_earlier
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError, PollRefusedError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import column, drain, events, execute, query
from tests.include.watch.records import record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from include.status_store.source import Answer

DAY = datetime.timedelta(days=1)
BEFORE = datetime.date(2026, 11, 14)
RECONCILED = """
INSERT INTO ropo.reconciled_date
SELECT profile, business_date, scope, reconciliation_id, 'test', started_at FROM ropo.reconciliation
"""


class DatedSource:
    """Answers each date as told, else with 204, and remembers what was asked."""

    queue = ("ropo.example", "1000011")

    def __init__(self, answers: dict[datetime.date, Answer | BaseException] | None = None) -> None:
        self.answers = answers or {}
        self.asked: list[datetime.date] = []

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        assert date is not None
        self.asked.append(date)
        answer = self.answers.get(date, EMPTY)
        if isinstance(answer, BaseException):
            raise answer
        return answer


@pytest.fixture
def short(profile: Profile) -> Profile:
    """Two late days, a recheck of ten."""
    return msgspec.structs.replace(profile, late_days=2, recheck_days=10)


def _run(session: Session, profile: Profile, source: DatedSource, seconds: float = 60) -> earlier_dates.EarlierDates:
    return reread_earlier(session, source, Journal(profile), BEFORE, max_seconds=seconds)


def test_the_last_days_are_asked_each_on_its_own_and_one_that_fails_does_not_stop_the_others(
    session: Session, store: Connection, short: Profile
) -> None:
    source = DatedSource({BEFORE - DAY: PollInDoubtError("cut"), BEFORE - 2 * DAY: page(row(1), row(2))})

    done = _run(session, short, source)

    assert source.asked == [BEFORE - DAY] * 2 + [BEFORE - 2 * DAY]
    assert (done.dates, done.failed, done.rows, done.new, done.left) == (2, 1, 2, 2, 0)
    assert events(store) == ["P1", "P2"]
    assert query(store, "SELECT filter_value, outcome FROM ropo.status_poll ORDER BY poll_id") == [
        ("2026-11-13", "in_doubt"),
        ("2026-11-13", "in_doubt"),
        ("2026-11-12", "landed"),
    ]


def test_unfinished_dates_are_asked_until_a_reread_after_their_end_was_whole(
    session: Session, store: Connection, short: Profile
) -> None:
    """From the first date that was ever reconciled: nobody has asked about earlier ones."""
    dates = [BEFORE - number * DAY for number in range(3, 9)]
    for date in dates:
        if date != dates[1]:  # a missing one
            record(store, date, "reconciled" if date == dates[0] else "incomplete")
    execute(store, RECONCILED)
    refused = PollRefusedError("no", http_status=403)
    first = DatedSource({dates[2]: refused, dates[3]: page(row(1), row(2))})
    cut = msgspec.structs.replace(short, date_cap=2)

    assert _run(session, cut, first).failed == 1
    late = [BEFORE - DAY, BEFORE - 2 * DAY]
    assert list(dict.fromkeys(first.asked)) == late + dates[1:]

    again = DatedSource({dates[3]: page(row(1), row(2))})
    _run(session, cut, again)
    assert list(dict.fromkeys(again.asked)) == [*late, dates[2], dates[3]], "refused, and possibly cut"


@pytest.mark.parametrize(
    ("later", "is_asked"),
    [
        ({"absent_count": 1}, True),
        ({"possibly_cut": True}, True),
        ({"possibly_cut": True, "shown_complete": True, "completeness": "as poll 1"}, False),
        ({"outcome": "in_doubt", "possibly_cut": None, "absent_count": None}, True),
        ({"outcome": "open", "closed_at": None, "possibly_cut": None, "absent_count": None}, False),
    ],
    ids=["contradicted", "cut", "cut and proven", "failed", "under way"],
)
def test_what_counts_is_the_newest_reread(
    session: Session, store: Connection, short: Profile, later: dict[str, object], is_asked: bool
) -> None:
    """That an earlier one was whole says nothing of what came since, or of what one that failed may have taken."""
    date = BEFORE - 4 * DAY
    record(store, date, "incomplete")
    moment = f"{BEFORE} 08:00+00"
    for changes in ({}, later):
        values = {
            "profile": short.name, "kind": "date", "outcome": "landed", "filter_value": str(date),
            "opened_at": moment, "closed_at": moment, "possibly_cut": False, "absent_count": 0, **changes,
        }  # fmt: skip
        marks = ", ".join(["%s"] * len(values))
        insert = f"INSERT INTO ropo.status_poll ({', '.join(values)}) VALUES ({marks})"
        execute(store, insert, tuple(values.values()))
    source = DatedSource()

    _run(session, short, source)

    assert (date in source.asked) == is_asked


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"absent_count": 2}, id="it did not show what the store holds"),
        pytest.param({"opened_at": "2026-11-11 12:00+02"}, id="it was asked at noon of the date"),
        pytest.param({"opened_at": "2026-11-11 23:59+02"}, id="it was asked a minute before the date's end"),
    ],
)
def test_an_unfinished_date_is_asked_again_though_its_reread_was_answered(
    session: Session, store: Connection, short: Profile, columns: dict[str, object]
) -> None:
    date, whole = BEFORE - 3 * DAY, BEFORE - 4 * DAY
    for each in (date, whole):
        record(store, each, "incomplete")
        Reread(session, ScriptedSource(page(row(1, statustime=f"{each} 09:00:00"))), Journal(short)).by_date(each)
    names = ", ".join(f"{name} = %({name})s" for name in columns)
    execute(
        store,
        f"UPDATE ropo.status_poll SET {names} WHERE filter_value = %(date)s",
        {**columns, "date": str(date)},
    )
    at_its_end = f"{whole + DAY} 00:00+02"
    execute(store, "UPDATE ropo.status_poll SET opened_at = %s WHERE filter_value = %s", (at_its_end, str(whole)))
    source = DatedSource()

    _run(session, short, source)

    assert source.asked == [BEFORE - DAY, BEFORE - 2 * DAY, date]


@pytest.mark.parametrize(
    ("polls", "is_asked"),
    [
        ("2026-11-12 landed", True),
        ("2026-11-13 landed", False),
        ("2026-11-13 empty", False),
        ("2026-11-13 landed, 2026-11-14 in_doubt", True),
        ("2026-11-13 in_doubt, 2026-11-14 landed", False),
        ("2026-11-13 landed, 2026-11-14 refused, 2026-11-14 unsent", False),
        ("2026-11-13 in_doubt, 2026-11-14 refused", True),
        ("2026-11-12 landed, 2026-11-13 refused", True),
    ],
)
def test_a_reconciled_date_is_asked_until_an_answer_came_after_its_last_late_night_began(
    session: Session, store: Connection, short: Profile, polls: str, is_asked: bool
) -> None:
    """Of what is recorded late until then nobody else asks, and what fails may have taken it out of the queue."""
    date = datetime.date(2026, 11, 10)  # the night of the 13th is the last of two in which it is late
    record(store, date, "reconciled")
    execute(store, RECONCILED)
    for moment, outcome in map(str.split, polls.split(", ")):
        execute(
            store,
            "INSERT INTO ropo.status_poll (profile, kind, filter_value, outcome, opened_at, closed_at, possibly_cut) "
            "VALUES (%s, 'date', %s, %s, %s, %s, false)",
            (short.name, str(date), outcome, f"{moment} 00:00+02", f"{moment} 00:01+02"),
        )
    source = DatedSource()

    _run(session, short, source)

    assert (date in source.asked) == is_asked


def test_what_a_broken_reread_took_of_a_date_in_its_last_late_night_is_found_by_the_next(
    session: Session, store: Connection, short: Profile
) -> None:
    """Where answers by date take what they show out of the queue."""
    oldest = BEFORE - 2 * DAY
    record(store, oldest, "reconciled")
    execute(store, RECONCILED)
    assert _run(session, short, DatedSource({oldest: PollInDoubtError("did not answer in time")})).failed == 1

    answered = DatedSource({oldest: page(row(1, statustime=f"{oldest} 12:00:00"))})
    reread_earlier(session, answered, Journal(short), BEFORE + DAY, max_seconds=60)

    assert events(store) == ["P1"]


def test_each_night_comes_to_those_that_were_asked_longest_ago(
    session: Session, store: Connection, short: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(earlier_dates, "MAX_DATES", 2)
    cut = msgspec.structs.replace(short, date_cap=1)
    dates = [BEFORE - number * DAY for number in range(3, 8)]
    for date in dates:
        record(store, date, "incomplete")
    source = DatedSource({date: page(row(date.toordinal(), statustime=f"{date} 12:00:00")) for date in dates})

    left = [_run(session, cut, source).left for _ in range(3)]

    unfinished = [date for date in dict.fromkeys(source.asked) if date in dates]
    assert (unfinished, left) == (dates, [3, 3, 3])


def test_it_is_bounded_in_dates_and_time(
    session: Session, store: Connection, short: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(session, short, ScriptedSource(EMPTY))
    execute(store, "UPDATE ropo.profile_pin SET pinned_at = '2026-11-01'")
    monkeypatch.setattr(earlier_dates, "MAX_DATES", 3)
    source = DatedSource()

    done = _run(session, short, source)

    assert (done.dates, done.left, len(source.asked)) == (5, 5, 5)
    assert _run(session, short, DatedSource(), seconds=0).dates == 0
    assert column(store, "SELECT count(*) FROM ropo.status_poll WHERE kind = 'date'") == [5]
