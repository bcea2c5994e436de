"""Another consumer of the queue: a change that a re-read shows and no drain brings, and that nothing else explains."""

from __future__ import annotations

import datetime
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import pytest

from include.status_store import parsing
from include.status_store.attention import dismiss_row
from include.status_store.consumers import kinds_that_leave, note_undrained, undrained_events
from include.status_store.erasure import TextErasure
from include.status_store.fields import RowError
from include.status_store.journal import Journal
from include.status_store.mark_in_doubt import mark_in_doubt
from include.status_store.replay import replay
from include.status_store.reread import Reread
from include.status_store.source import PollInDoubtError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import drain, execute, query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.event import Event
    from include.status_store.session import Session

DAY = datetime.date(2026, 11, 13)  # of the scripted rows


@pytest.fixture
def live(session: Session, store: Connection, profile: Profile) -> None:
    """The queue was emptied long before the rows' day, and after it."""
    drain(session, profile, ScriptedSource(EMPTY))
    _were_at(store, "2026-10-01 06:00+00")
    drain(session, profile, ScriptedSource(EMPTY))


def _were_at(store: Connection, moment: str, which: str = "true") -> None:
    """Let polls have been sent, and answered, at a moment."""
    execute(store, f"UPDATE ropo.status_poll SET opened_at = %s, closed_at = %s WHERE {which}", (moment, moment))


def _reread(session: Session, profile: Profile, *rows: dict[str, object]) -> None:
    Reread(session, ScriptedSource(page(*rows)), Journal(profile)).by_date(DAY)


def _noted(session: Session, profile: Profile) -> list[str]:
    """Notice what there is, and return what is told."""
    with session.transaction() as cursor:
        note_undrained(cursor, profile)
    with session.transaction() as cursor:
        return [event.statusid for event in undrained_events(cursor, profile.name)]


@contextmanager
def parser_of_then(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A parser that takes no row yet."""

    def refuse(*_: object, **__: object) -> list[Event]:
        raise RowError("amount: a form of its own")

    with monkeypatch.context() as fault:
        fault.setattr(parsing, "to_events", refuse)
        yield


@pytest.mark.usefixtures("live")
def test_it_is_noted_once_when_a_drain_has_completed_after_it_was_shown(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(row(1)), EMPTY))
    _reread(session, profile, row(1), row(2))
    assert _noted(session, profile) == [], "the queue may still hold it"

    drain(session, profile, ScriptedSource(page(row(3)), EMPTY))

    assert _noted(session, profile) == ["P2"]
    [noted] = query(store, "SELECT shown_by_poll_id, empty_poll_id FROM ropo.undrained_event")
    polls = "SELECT kind, outcome FROM ropo.status_poll WHERE poll_id = ANY(%s) ORDER BY 1"
    kinds = query(store, polls, (list(noted),))
    assert kinds == [("date", "landed"), ("drain", "empty")]
    with session.transaction() as cursor:
        assert note_undrained(cursor, profile) == 0


@pytest.mark.usefixtures("live")
def test_what_a_drain_brings_after_all_is_told_no_more_and_stays_on_record(
    session: Session, store: Connection, profile: Profile
) -> None:
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == ["P2"]

    drain(session, profile, ScriptedSource(page(row(2)), EMPTY))

    assert _noted(session, profile) == []
    assert query(store, "SELECT statusid FROM ropo.undrained_event") == [("P2",)]


@pytest.mark.usefixtures("live")
def test_a_doubt_whose_window_reaches_its_date_explains_it(session: Session, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("timeout")))
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    # The window starts late_days before the newest 204, which was today.
    with session.transaction() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET window_from = %s WHERE recovery IS NOT NULL", (DAY,))
    assert _noted(session, profile) == []


@pytest.mark.usefixtures("live")
def test_a_span_that_is_marked_in_doubt_later_explains_what_was_noted(session: Session, profile: Profile) -> None:
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == ["P2"]
    start = datetime.datetime(2026, 11, 13, tzinfo=datetime.UTC)
    with session.transaction() as cursor:
        mark_in_doubt(cursor, profile, start, start, by="Anna", note="restored")
    assert _noted(session, profile) == []


def test_before_the_first_204_the_queue_was_not_ours(session: Session, profile: Profile) -> None:
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == []


@pytest.mark.usefixtures("live")
def test_without_a_204_between_its_day_and_the_reread_it_may_just_have_been_recorded(
    session: Session, store: Connection, profile: Profile
) -> None:
    _were_at(store, "2026-11-13 12:00+00", "poll_id = (SELECT max(poll_id) FROM ropo.status_poll)")
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == []


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(("moment", "told"), [("2026-11-13 21:59+00", []), ("2026-11-13 22:00+00", ["P2"])])
def test_its_day_is_over_at_the_markets_midnight(
    session: Session, store: Connection, profile: Profile, moment: str, told: list[str]
) -> None:
    _were_at(store, moment, "poll_id = (SELECT max(poll_id) FROM ropo.status_poll)")
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == told


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(("moment", "told"), [("2026-11-12 21:59+00", ["P2"]), ("2026-11-12 22:00+00", [])])
def test_on_the_day_of_the_first_204_the_queue_was_not_ours_yet(
    session: Session, store: Connection, profile: Profile, moment: str, told: list[str]
) -> None:
    _were_at(store, moment, "poll_id = (SELECT min(poll_id) FROM ropo.status_poll)")
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == told


@pytest.mark.usefixtures("live")
def test_a_page_of_a_drain_that_waits_for_its_replay_may_hold_it(
    session: Session, store: Connection, profile: Profile
) -> None:
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(page(row(1)), EMPTY))
    of_drains = "SELECT poll_id FROM ropo.status_poll WHERE kind = 'drain'"
    execute(store, f"UPDATE ropo.status_page SET parsed_at = NULL WHERE poll_id IN ({of_drains})")
    assert _noted(session, profile) == []


@pytest.mark.usefixtures("live")
def test_a_row_of_a_drain_that_the_parser_could_not_take_then_has_no_other_consumer(
    session: Session, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with parser_of_then(monkeypatch):
        drain(session, profile, ScriptedSource(page(row(2, statustext="Pääoma")), EMPTY))
    _reread(session, profile, row(2, statustext="Pääoma"), row(3))
    drain(session, profile, ScriptedSource(EMPTY))

    assert _noted(session, profile) == ["P3"]


@pytest.mark.usefixtures("live")
def test_a_row_that_a_reread_put_in_quarantine_before_a_drain_showed_it_has_no_other_consumer(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with parser_of_then(monkeypatch):
        _reread(session, profile, row(2), row(3))
        drain(session, profile, ScriptedSource(page(row(2)), EMPTY))
    replay(session, profile)
    drain(session, profile, ScriptedSource(EMPTY))

    assert _noted(session, profile) == ["P3"]
    drained = "SELECT statusid, source, kind FROM ropo.status_event JOIN ropo.status_poll ON poll_id = drained_poll_id"
    assert query(store, drained) == [("P2", "date", "drain")]


@pytest.mark.parametrize("is_parsed_late", [False, True], ids=["an event", "in quarantine"])
def test_of_drains_that_show_a_row_of_a_reread_the_first_is_on_record(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch, is_parsed_late: bool
) -> None:
    with parser_of_then(monkeypatch) if is_parsed_late else nullcontext():
        _reread(session, profile, row(2))
        drain(session, profile, ScriptedSource(page(row(2)), page(row(2)), EMPTY))
    replay(session, profile)

    (first,) = query(store, "SELECT min(poll_id) FROM ropo.status_poll WHERE kind = 'drain'")
    assert query(store, "SELECT drained_poll_id FROM ropo.status_event") == [first]


@pytest.mark.usefixtures("live")
def test_a_row_that_a_drain_showed_in_quarantine_has_no_other_consumer_after_its_texts_are_erased_either(
    session: Session, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with parser_of_then(monkeypatch):
        _reread(session, profile, row(2))
        drain(session, profile, ScriptedSource(page(row(2)), EMPTY))
    replay(session, profile)
    TextErasure(session, profile, by="Anna", note="request 17").of_invoice("10002")
    drain(session, profile, ScriptedSource(EMPTY))

    assert _noted(session, profile) == []


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("shown_first", [False, True], ids=["drained, then shown", "shown, then drained"])
def test_equal_rows_without_a_statusid_that_came_in_several_pages_have_no_other_consumer(
    session: Session, store: Connection, profile: Profile, shown_first: bool
) -> None:
    bare = row(1, statusid=None)
    drain(session, profile, ScriptedSource(page(bare, row(2)), EMPTY))
    if shown_first:
        _reread(session, profile, bare, row(2), bare)
    drain(session, profile, ScriptedSource(page(row(3), bare), EMPTY))
    if not shown_first:
        _reread(session, profile, bare, row(2), row(3), bare)
    drain(session, profile, ScriptedSource(EMPTY))

    assert _noted(session, profile) == []
    assert query(store, "SELECT FROM ropo.undrained_event") == []
    second = "SELECT drained_poll_id FROM ropo.status_event WHERE statusid ~ ':2$'"
    brought = "SELECT max(poll_id) FROM ropo.status_poll WHERE kind = 'drain' AND outcome = 'landed'"
    assert query(store, second) == query(store, brought)


@pytest.mark.usefixtures("live")
def test_of_equal_rows_without_a_statusid_more_than_drains_have_brought_were_taken_by_another_consumer(
    session: Session, profile: Profile
) -> None:
    bare, other = row(1, statusid=None), row(2, statusid=None)
    drain(session, profile, ScriptedSource(page(bare, other), page(row(3), bare), EMPTY))
    _reread(session, profile, bare, bare, bare, other, other, row(3))
    drain(session, profile, ScriptedSource(EMPTY))

    assert [statusid.rpartition(":")[2] for statusid in _noted(session, profile)] == ["2", "3"]


@pytest.mark.usefixtures("live")
def test_a_statusid_of_ropos_that_looks_like_a_made_up_one_is_told_like_any_other(
    session: Session, profile: Profile
) -> None:
    odd = [f"sha256:{'0' * 64}:{'9' * 20}", "sha256:x:two", f"sha256:{'0' * 64}:2"]
    _reread(session, profile, *(row(number, statusid=statusid) for number, statusid in enumerate(odd)))
    drain(session, profile, ScriptedSource(EMPTY))

    assert sorted(_noted(session, profile)) == sorted(odd)


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("shown_first", [False, True], ids=["drained, then shown", "shown, then drained"])
def test_a_row_that_a_drain_showed_malformed_has_no_other_consumer_where_its_statusid_can_be_read(
    session: Session, profile: Profile, shown_first: bool
) -> None:
    if shown_first:
        _reread(session, profile, row(1), row(2))
    drain(session, profile, ScriptedSource(page(row(1, amount="96,72"), b'"P2"'), EMPTY))
    if not shown_first:
        _reread(session, profile, row(1), row(2))
    drain(session, profile, ScriptedSource(EMPTY))

    assert _noted(session, profile) == ["P2"]
    assert _noted(session, profile) == ["P2"]
    with session.transaction() as cursor:
        # What it said then was not what the re-read showed: Ropo One may have put it into the queue anew.
        assert kinds_that_leave(cursor, profile.name) == set()


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize("changes", [{}, {"amount": "96,72"}], ids=["the same row", "one that was malformed"])
def test_what_a_drain_showed_in_quarantine_is_not_told_after_its_texts_are_erased_by_age(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    with parser_of_then(monkeypatch):
        drain(session, profile, ScriptedSource(page(row(1, **changes)), EMPTY))
    [(quarantine_id,)] = query(store, "SELECT quarantine_id FROM ropo.status_quarantine")
    with session.transaction() as cursor:
        dismiss_row(cursor, int(str(quarantine_id)), by="Eero", note="paid elsewhere")
    _reread(session, profile, row(1))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == []

    much_later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=profile.text_retention_days or 5000)
    TextErasure(session, profile, by="Anna", note="age").by_age(much_later, max_seconds=60)

    assert query(store, "SELECT raw FROM ropo.status_quarantine WHERE erased_at IS NULL") == []
    assert _noted(session, profile) == []


def _reread_of_nothing(session: Session, profile: Profile) -> None:
    """A re-read of another date that is answered as an empty queue is: with a 204."""
    Reread(session, ScriptedSource(EMPTY), Journal(profile)).by_date(DAY - datetime.timedelta(days=7))


@pytest.mark.usefixtures("live")
def test_a_204_to_a_reread_does_not_say_that_the_queue_would_have_brought_it_by_now(
    session: Session, profile: Profile
) -> None:
    _reread(session, profile, row(2))
    _reread_of_nothing(session, profile)
    assert _noted(session, profile) == []


def test_a_204_to_a_reread_before_the_first_drain_does_not_make_the_queue_ours(
    session: Session, store: Connection, profile: Profile
) -> None:
    _reread_of_nothing(session, profile)
    _were_at(store, "2026-10-01 06:00+00")
    drain(session, profile, ScriptedSource(EMPTY))
    _were_at(store, "2026-11-14 06:00+00", "kind = 'drain'")
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == []


@pytest.mark.usefixtures("live")
def test_a_204_to_a_reread_between_its_day_and_the_reread_that_shows_it_is_no_drain(
    session: Session, store: Connection, profile: Profile
) -> None:
    _were_at(store, "2026-11-13 12:00+00", "poll_id = (SELECT max(poll_id) FROM ropo.status_poll)")
    _reread_of_nothing(session, profile)
    _reread(session, profile, row(2))
    drain(session, profile, ScriptedSource(EMPTY))
    assert _noted(session, profile) == []
