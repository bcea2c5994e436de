"""Re-reads may be repeated; each says whether its answer was whole."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.status_store import page_events, reread
from include.status_store.journal import Journal
from include.status_store.parsing import parse_rows
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError, PollRefusedError, PollUnsentError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import drain, events, execute, note_days, outcomes, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.reread import RereadSummary
    from include.status_store.session import Session
    from include.status_store.source import Answer

DATE = datetime.date(2026, 11, 13)


@pytest.fixture
def capped(profile: Profile) -> Profile:
    """A profile whose date answers may be cut at three rows."""
    return msgspec.structs.replace(profile, date_cap=3)


def by_date(session: Session, profile: Profile, source: ScriptedSource) -> RereadSummary:
    return Reread(session, source, Journal(profile)).by_date(DATE)


def test_it_asks_for_the_date_and_brings_what_no_drain_brought(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))
    source = ScriptedSource(page(row(1), row(2), row(3, amount="a lot")))

    summary = by_date(session, profile, source)

    assert source.polls == [{"date": DATE, "billnum": None}]
    assert (summary.rows, summary.new, summary.quarantined, summary.whole) == (3, 1, 1, True)
    assert query(store, "SELECT source FROM ropo.status_event ORDER BY statusid") == [("drain",), ("date",)]
    assert query(
        store, "SELECT filter_value, possibly_cut, absent_count FROM ropo.status_poll WHERE kind = 'date'"
    ) == [("2026-11-13", False, 0)]


def test_it_asks_for_one_invoice(session: Session, store: Connection, profile: Profile) -> None:
    source = ScriptedSource(page(row(1)))

    summary = Reread(session, source, Journal(profile)).by_billnum("10001")

    assert (source.polls, summary.new) == ([{"date": None, "billnum": "10001"}], 1)
    assert query(store, "SELECT kind, filter_value FROM ropo.status_poll") == [("billnum", "10001")]


def test_each_try_is_a_poll_of_its_own_in_the_journal(session: Session, store: Connection, profile: Profile) -> None:
    broken = PollInDoubtError("broke off", http_status=503, body=b"<html>")
    token = PollRefusedError("token", http_status=401, go_on_after=0.0)

    summary = by_date(session, profile, ScriptedSource(broken, token, page(row(1))))

    assert (outcomes(store), summary.polls) == (["in_doubt", "refused", "landed"], 3)
    assert query(store, "SELECT recovery, window_from FROM ropo.status_poll WHERE poll_id = 1") == [(None, None)]
    assert query(store, "SELECT complete FROM ropo.status_page ORDER BY poll_id") == [(False,), (True,)]


def test_tries_are_bounded(session: Session, store: Connection, profile: Profile) -> None:
    with pytest.raises(PollInDoubtError):
        by_date(session, profile, ScriptedSource(*(PollInDoubtError("broke off") for _ in range(9))))

    assert outcomes(store) == ["in_doubt"] * 3


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (PollUnsentError("unreachable"), "unsent"),
        (PollRefusedError("forbidden", http_status=403), "refused"),
        (PollRefusedError("too many", http_status=429, go_on_after=86400.0), "refused"),
    ],
    ids=["unsent", "refused for good", "a pause of a day"],
)
def test_what_would_not_get_better_is_not_tried_again(
    session: Session, store: Connection, profile: Profile, error: Exception, outcome: str
) -> None:
    with pytest.raises(type(error)):
        by_date(session, profile, ScriptedSource(error))

    assert outcomes(store) == [outcome]


def test_an_answer_of_exactly_the_cap_is_asked_again_until_nothing_new_comes(
    session: Session, store: Connection, capped: Profile
) -> None:
    first, second = page(row(1), row(2), row(3)), page(row(2), row(3), row(4))
    source = ScriptedSource(first, second, second, page(row(5)))

    summary = by_date(session, capped, source)

    assert (len(source.polls), summary.polls, summary.new) == (3, 3, 4)
    assert (summary.possibly_cut, summary.whole) == (True, False)
    assert query(store, "SELECT possibly_cut, absent_count FROM ropo.status_poll WHERE poll_id = 3") == [(True, 0)]


def test_asking_again_is_bounded(session: Session, capped: Profile) -> None:
    source = ScriptedSource(*(page(row(3 * turn), row(3 * turn + 1), row(3 * turn + 2)) for turn in range(50)))

    summary = by_date(session, capped, source)

    assert len(source.polls) == 1 + reread.MAX_ASKS
    assert summary.possibly_cut


def test_pages_of_a_date_that_are_handed_over_bit_by_bit_are_all_kept(
    session: Session, store: Connection, capped: Profile
) -> None:
    drain(session, capped, ScriptedSource(page(row(1), row(5))))
    source = ScriptedSource(page(row(1), row(2), row(3)), page(row(4), row(5)), EMPTY)

    summary = by_date(session, capped, source)

    assert events(store) == ["P1", "P2", "P3", "P4", "P5"]
    assert (summary.absent, summary.possibly_cut, summary.whole) == (0, True, True)
    columns = "possibly_cut, shown_complete, completeness"
    assert query(
        store, f"SELECT {columns} FROM ropo.status_poll WHERE kind = 'date' ORDER BY poll_id DESC LIMIT 1"
    ) == [(True, True, "the last of several answers was not full")]


def test_a_lost_answer_on_the_way_leaves_a_date_that_is_handed_over_bit_by_bit_open(
    session: Session, capped: Profile
) -> None:
    source = ScriptedSource(page(row(1), row(2), row(3)), PollInDoubtError("cut"), page(row(7)), EMPTY)

    assert not by_date(session, capped, source).whole


def test_a_shorter_repeat_of_a_cut_answer_does_not_make_it_whole(session: Session, capped: Profile) -> None:
    """What shows a row twice hands nothing over, so that the end of its answers is no end of the date's changes."""
    source = ScriptedSource(page(row(1), row(2), row(3)), page(row(1), row(2)))

    assert not by_date(session, capped, source).whole


def test_a_shorter_answer_that_shows_a_row_again_beside_another_is_no_way_to_an_end(
    session: Session, capped: Profile
) -> None:
    source = ScriptedSource(page(row(1), row(2), row(3)), page(row(1), row(4)), EMPTY, EMPTY)

    assert not by_date(session, capped, source).whole


NOTHING = pytest.mark.parametrize("nothing", [EMPTY, page()], ids=["204", "empty list"])


@NOTHING
@pytest.mark.parametrize(
    "before",
    [(page(row(1), row(2), row(3)),), (page(row(1), row(2), row(3)), page(row(4)))],
    ids=["of one answer", "of two"],
)
def test_one_answer_without_rows_is_no_end_of_a_date_that_shows_a_row_again_after_it(
    session: Session, capped: Profile, before: tuple[Answer, ...], nothing: Answer
) -> None:
    source = ScriptedSource(*before, nothing, page(row(1), row(2), row(3)), EMPTY)

    summary = by_date(session, capped, source)

    assert (summary.whole, len(source.polls)) == (False, len(before) + 2)


@NOTHING
def test_what_comes_after_an_answer_without_rows_belongs_to_the_date_too(
    session: Session, store: Connection, capped: Profile, nothing: Answer
) -> None:
    source = ScriptedSource(page(row(1), row(2), row(3)), nothing, page(row(4)), nothing, nothing, page(row(5)))

    summary = by_date(session, capped, source)

    assert (summary.whole, len(source.polls)) == (True, 5)
    assert events(store) == ["P1", "P2", "P3", "P4"]


def test_rows_of_which_nobody_can_tell_whether_they_were_shown_before_are_no_end(
    session: Session, capped: Profile
) -> None:
    bad = row(3, amount="a lot")
    source = ScriptedSource(page(row(1), row(2), bad), page(bad), EMPTY)

    assert not by_date(session, capped, source).whole


def test_a_date_of_as_many_answers_as_are_asked_for_is_followed_to_its_end(session: Session, capped: Profile) -> None:
    full = [page(row(3 * turn), row(3 * turn + 1), row(3 * turn + 2)) for turn in range(reread.MAX_ASKS)]
    source = ScriptedSource(*full, page(row(100)))

    summary = by_date(session, capped, source)

    assert (summary.whole, len(source.polls)) == (True, len(full) + 3)


def test_answers_that_are_never_full_nor_without_rows_are_bounded_too(session: Session, capped: Profile) -> None:
    source = ScriptedSource(page(row(1), row(2), row(3)), *(page(row(number)) for number in range(100, 200)))

    summary = by_date(session, capped, source)

    assert (summary.whole, len(source.polls)) == (False, reread.MAX_ASKS + 3)


@pytest.mark.parametrize("told", ["the last of several answers was not full", "poll 1 was, and nothing has come since"])
def test_that_a_date_was_handed_over_bit_by_bit_proves_nothing_once_it_is_shown_again(
    session: Session, store: Connection, capped: Profile, told: str
) -> None:
    """A later answer that is full and brings nothing new shows rows twice, and so contradicts it."""
    full = page(row(1), row(2), row(3))
    assert by_date(session, capped, ScriptedSource(full)).whole
    execute(store, f"UPDATE ropo.status_poll SET completeness = '{told}' WHERE shown_complete")

    reread_of_it = Reread(session, ScriptedSource(full, full), Journal(capped))
    summary = reread_of_it.by_date(DATE)

    assert (summary.shown_complete, summary.whole, reread_of_it.completeness) == (False, False, None)


@pytest.mark.parametrize("rows", [2, 4])
def test_any_other_number_of_rows_is_not_cut(session: Session, capped: Profile, rows: int) -> None:
    summary = by_date(session, capped, ScriptedSource(page(*(row(number) for number in range(rows)))))

    assert (summary.polls, summary.whole) == (1, True)


@pytest.mark.parametrize("answer", [EMPTY, page(), page(row(2))], ids=["204", "empty list", "other rows"])
def test_held_events_that_are_not_shown_are_absent(session: Session, profile: Profile, answer: Answer) -> None:
    drain(session, profile, ScriptedSource(page(row(1), row(9, statustime="2026-11-14 00:00:00"))))

    summary = by_date(session, profile, ScriptedSource(answer))

    assert (summary.absent, summary.whole) == (1, False)


def test_an_event_that_a_drain_brings_meanwhile_is_not_absent(
    session: Session, store: Connection, profile: Profile
) -> None:
    def answered_before_it_came() -> Answer:
        with session.another() as beside:
            drain(beside, profile, ScriptedSource(page(row(1))))
        return EMPTY

    assert by_date(session, profile, ScriptedSource(answered_before_it_came)).whole
    assert events(store) == ["P1"]


def test_an_event_that_was_stored_while_the_clock_was_ahead_is_absent_once_it_is_put_back(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))
    execute(store, "UPDATE ropo.status_event SET first_seen_at = clock_timestamp() + interval '2 days'")
    note_days(store)

    summary = by_date(session, profile, ScriptedSource(EMPTY))

    assert (summary.absent, summary.whole) == (1, False)
    assert by_date(session, profile, ScriptedSource(page(row(1)))).whole


def test_an_event_of_a_date_is_known_by_its_statustime_in_the_market(session: Session, profile: Profile) -> None:
    edges = [row(1, statustime="2026-11-13 00:00:00"), row(2, statustime="2026-11-13 23:59:59")]
    outside = [row(3, statustime="2026-11-12 23:59:59"), row(4, statustime="2026-11-14 00:00:00")]
    drain(session, profile, ScriptedSource(page(*edges, *outside)))

    assert by_date(session, profile, ScriptedSource(EMPTY)).absent == 2


def test_an_answer_that_could_not_be_parsed_is_not_whole(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse_rows(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(page_events, "parse_rows", parse_rows)

    summary = by_date(session, profile, ScriptedSource(page(row(1))))

    assert (summary.unparsed, summary.whole, outcomes(store)) == (True, False, ["landed"])


def test_of_a_date_that_is_handed_over_bit_by_bit_one_answer_that_could_not_be_parsed_leaves_it_open(
    session: Session, store: Connection, capped: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = [KeyError("once")]

    def parse_or_fail(*arguments: Any) -> object:
        if broken:
            raise broken.pop()
        return parse_rows(*arguments)

    monkeypatch.setattr(page_events, "parse_rows", parse_or_fail)
    source = ScriptedSource(page(row(1), row(2), row(3)), page(row(4)), EMPTY)

    summary = by_date(session, capped, source)

    assert (events(store), summary.unparsed, summary.whole) == (["P4"], True, False)
    assert query(store, "SELECT shown_complete FROM ropo.status_poll") == [(None,)] * 3
