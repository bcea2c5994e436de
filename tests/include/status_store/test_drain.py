"""A drain keeps every page once, journals every poll, and never asks blindly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from include.status_store import drain as drain_module
from include.status_store.database import StoreUnavailableError, connect
from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.landing import land
from include.status_store.retry_after import LONGEST_WAIT_SECONDS
from include.status_store.session import Session
from include.status_store.source import Answer, PollInDoubtError, PollRefusedError, PollUnsentError
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.small_disk import small_disk
from tests.include.status_store.views import bodies, column, drain, events, execute, outcomes, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.landing import Landed
    from local_airflow.embedded import Server


def test_it_keeps_every_page_until_204(session: Session, store: Connection, profile: Profile) -> None:
    source = ScriptedSource(page(row(1), row(2)), page(row(3)), EMPTY)

    summary = drain(session, profile, source)

    assert events(store) == ["P1", "P2", "P3"]
    assert outcomes(store) == ["landed", "landed", "empty"]
    assert (summary.stopped_by, summary.polls, summary.pages, summary.new) == ("empty", 3, 2, 3)


def test_told_to_stop_in_mid_answer_it_keeps_the_page_and_asks_for_no_other(
    session: Session, store: Connection, profile: Profile
) -> None:
    def told() -> Answer:
        stopped.stop()
        return page(row(2))

    source = ScriptedSource(page(row(1)), told, page(row(3)))
    stopped = Drain(session, source, Journal(profile), max_pages=10, max_seconds=60)

    summary = stopped.run()

    assert (summary.stopped_by, summary.polls, events(store)) == ("told_to_stop", 2, ["P1", "P2"])
    assert outcomes(store) == ["landed", "landed"]
    assert drain(session, profile, ScriptedSource(page(row(3)), EMPTY)).abandoned == 0
    assert events(store) == ["P1", "P2", "P3"]


def test_told_to_stop_between_two_polls_it_does_not_send_the_second(
    session: Session, store: Connection, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def landed(*arguments: Any, **options: Any) -> Landed:
        done = land(*arguments, **options)
        stopped.stop()
        return done

    monkeypatch.setattr(drain_module, "land", landed)
    source = ScriptedSource(page(row(1)), page(row(2)))
    stopped = Drain(session, source, Journal(profile), max_pages=10, max_seconds=60)

    assert (stopped.run().stopped_by, len(source.polls), outcomes(store)) == ("told_to_stop", 1, ["landed", "unsent"])


def test_the_journal_row_is_committed_before_the_request_leaves(
    session: Session, store: Connection, profile: Profile
) -> None:
    seen: list[list[object]] = []

    def look() -> Answer:
        seen.append(outcomes(store))
        return page(row(len(seen))) if len(seen) < 3 else EMPTY

    drain(session, profile, ScriptedSource(look, look, look))

    assert seen == [["open"], ["landed", "open"], ["landed", "landed", "open"]]


def test_a_page_is_committed_before_the_next_request_leaves(
    session: Session, store: Connection, profile: Profile
) -> None:
    held: list[list[object]] = []

    def look() -> Answer:
        held.append(column(store, "SELECT poll_id FROM ropo.status_page"))
        return EMPTY

    drain(session, profile, ScriptedSource(page(row(1)), look))

    assert held == [[1]]


def test_a_row_that_comes_twice_is_one_event(session: Session, store: Connection, profile: Profile) -> None:
    summary = drain(session, profile, ScriptedSource(page(row(1)), page(row(1), row(1), row(2))))

    assert events(store) == ["P1", "P2"]
    assert (summary.rows, summary.new, summary.revised) == (4, 2, 0)


def test_a_doubt_stops_the_drain_and_is_on_record_with_what_came(
    session: Session, store: Connection, profile: Profile
) -> None:
    cut = PollInDoubtError("broke off", http_status=200, body=b'{"result"')
    source = ScriptedSource(page(row(1)), cut, page(row(2)))

    summary = drain(session, profile, source)

    assert (summary.stopped_by, summary.in_doubt, len(source.polls)) == ("in_doubt", 1, 2)
    doubt = "SELECT outcome, recovery, error, complete FROM ropo.status_poll JOIN ropo.status_page USING (poll_id)"
    assert query(store, f"{doubt} WHERE outcome = 'in_doubt'") == [("in_doubt", "pending", "broke off", False)]
    assert bodies(store)[-1] == b'{"result"'


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"result": {}}', b'{"result": {"status": null}}'])
def test_a_200_that_is_no_status_answer_is_in_doubt_and_kept(
    session: Session, store: Connection, profile: Profile, body: bytes
) -> None:
    summary = drain(session, profile, ScriptedSource(Answer(http_status=200, body=body)))

    assert (summary.stopped_by, outcomes(store)) == ("in_doubt", ["in_doubt"])
    assert bodies(store) == ([body] if body else [])


def test_an_open_poll_of_a_dead_process_is_judged_by_the_next_drain(
    session: Session, store: Connection, profile: Profile
) -> None:
    with session.transaction() as cursor:
        Journal(profile).open(cursor, "drain")

    summary = drain(session, profile, ScriptedSource(EMPTY))

    assert (summary.abandoned, outcomes(store)) == (1, ["in_doubt", "empty"])


def test_on_a_full_disk_one_page_ends_in_doubt_and_no_other_is_asked_for_until_there_is_room(
    postgres: Server, store: Connection, store_dsn: str, profile: Profile
) -> None:
    source = ScriptedSource(*(page(row(number)) for number in range(1, 5)))
    with small_disk(postgres.home, store) as disk:
        disk.fill()
        with Session(lambda: connect(store_dsn), patience=0) as impatient, pytest.raises(psycopg2.errors.DiskFull):
            drain(impatient, profile, source)
        for _ in range(3):
            with (
                Session(lambda: connect(store_dsn), patience=0) as impatient,
                pytest.raises(
                    StoreUnavailableError, match="Profile default: the store has no room for a page"
                ) as error,
            ):
                drain(impatient, profile, source)
        assert "No space left on device" in str(error.value)
        assert (len(source.polls), outcomes(store)) == (1, ["in_doubt"])

        disk.free()
        with Session(lambda: connect(store_dsn), patience=0) as impatient:
            assert drain(impatient, profile, source).stopped_by == "empty"
        assert (events(store), outcomes(store)) == (["P2", "P3", "P4"], ["in_doubt", *["landed"] * 3, "empty"])
        assert column(store, "SELECT count(*) FROM ropo.status_page") == [3]


@pytest.mark.parametrize("is_abandoned", [False, True])
def test_whether_a_page_is_taken_is_asked_after_a_doubt_alone_and_until_a_poll_has_ended_without_one(
    session: Session, store: Connection, profile: Profile, is_abandoned: bool
) -> None:
    execute(store, "ALTER TABLE ropo.status_page ADD CONSTRAINT small CHECK (octet_length(body) < 100000)")
    drain(session, profile, ScriptedSource(page(row(1))))
    if is_abandoned:
        with session.transaction() as cursor:
            Journal(profile).open(cursor, "drain")
    else:
        drain(session, profile, ScriptedSource(PollInDoubtError("timeout")))
    source = ScriptedSource(PollRefusedError("token", http_status=401, go_on_after=0.0), page(row(2)))
    for _ in range(2):
        with pytest.raises(
            StoreUnavailableError, match=r"does not take a page \(.*\bsmall\b.* mend what PostgreSQL says"
        ):
            drain(session, profile, source)
    assert (source.polls, outcomes(store)) == ([], ["landed", "empty", "in_doubt"])

    execute(store, "ALTER TABLE ropo.status_page DROP CONSTRAINT small")
    assert drain(session, profile, source).stopped_by == "empty"
    execute(store, "ALTER TABLE ropo.status_page ADD CONSTRAINT small CHECK (octet_length(body) < 100000)")
    assert drain(session, profile, ScriptedSource(page(row(3)))).stopped_by == "empty"


def test_an_unsent_poll_loses_nothing_and_fails(session: Session, store: Connection, profile: Profile) -> None:
    with pytest.raises(PollUnsentError, match="unreachable"):
        drain(session, profile, ScriptedSource(PollUnsentError("unreachable")))

    assert outcomes(store) == ["unsent"]


def test_a_refused_poll_goes_on_as_a_new_one(session: Session, store: Connection, profile: Profile) -> None:
    refused = PollRefusedError("token", http_status=401, go_on_after=0.0)

    summary = drain(session, profile, ScriptedSource(refused, page(row(1))))

    assert (outcomes(store), summary.new) == (["refused", "landed", "empty"], 1)


@pytest.mark.parametrize(
    ("wait", "max_seconds"),
    [(6.0, 5), (LONGEST_WAIT_SECONDS + 1, 3600)],
    ids=["than it has left", "than any task may wait in its slot"],
)
def test_a_wait_longer_than_the_drain_may_take_leaves_the_rest_to_the_next(
    session: Session, store: Connection, profile: Profile, wait: float, max_seconds: float
) -> None:
    busy = PollRefusedError("too many", http_status=429, go_on_after=wait)

    summary = drain(session, profile, ScriptedSource(busy, page(row(1))), max_seconds=max_seconds)

    assert (summary.stopped_by, outcomes(store)) == ("refused", ["refused"])


def test_a_refusal_for_good_fails(session: Session, store: Connection, profile: Profile) -> None:
    with pytest.raises(PollRefusedError, match="forbidden"):
        drain(session, profile, ScriptedSource(PollRefusedError("forbidden", http_status=403)))

    assert outcomes(store) == ["refused"]


def test_it_is_bounded_by_pages_and_opens_no_poll_that_it_will_not_send(
    session: Session, store: Connection, profile: Profile
) -> None:
    source = ScriptedSource(page(row(1)), page(row(2)), page(row(3)))

    summary = drain(session, profile, source, max_pages=2)

    assert (summary.stopped_by, outcomes(store)) == ("pages", ["landed", "landed"])


def test_it_is_bounded_by_time(session: Session, store: Connection, profile: Profile) -> None:
    summary = drain(session, profile, ScriptedSource(page(row(1)), page(row(2))), max_seconds=0)

    assert (summary.stopped_by, outcomes(store)) == ("time", ["landed"])


def test_empty_lists_are_not_204_and_are_asked_again_a_few_times(
    session: Session, store: Connection, profile: Profile
) -> None:
    summary = drain(session, profile, ScriptedSource(page(), page(), page(), page(row(1))))

    assert (summary.stopped_by, outcomes(store)) == ("empty_answers", ["landed"] * 3)


def test_an_empty_list_between_pages_does_not_end_the_drain(
    session: Session, store: Connection, profile: Profile
) -> None:
    summary = drain(session, profile, ScriptedSource(page(), page(row(1)), page(), page(), page(row(2))))

    assert (summary.stopped_by, events(store)) == ("empty", ["P1", "P2"])


def test_a_server_that_refuses_again_and_again_is_not_asked_without_end(
    session: Session, store: Connection, profile: Profile
) -> None:
    busy = [PollRefusedError("too many", http_status=429, go_on_after=0.0) for _ in range(50)]

    summary = drain(session, profile, ScriptedSource(*busy))

    assert (summary.stopped_by, summary.refused) == ("refused", 11)
    assert outcomes(store) == ["refused"] * 11


def test_refusals_between_pages_do_not_add_up(session: Session, store: Connection, profile: Profile) -> None:
    def busy() -> PollRefusedError:
        return PollRefusedError("too many", http_status=429, go_on_after=0.0)

    steps = [step for number in range(12) for step in (busy(), page(row(number)))]

    assert drain(session, profile, ScriptedSource(*steps)).stopped_by == "empty"
    assert len(events(store)) == 12


class Stopped(BaseException):
    """What Airflow raises in a task that it ends."""


def test_a_task_that_is_stopped_during_a_poll_leaves_a_doubt_and_frees_the_queue(
    session: Session, store: Connection, profile: Profile
) -> None:
    with pytest.raises(Stopped):
        drain(session, profile, ScriptedSource(Stopped()))

    assert query(store, "SELECT outcome, error FROM ropo.status_poll") == [
        ("in_doubt", "the poll was broken off by Stopped")
    ]
    assert query(store, "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (" + THIS_DATABASE + ")") == []


def test_what_came_of_an_answer_until_the_task_was_stopped_is_kept(
    session: Session, store: Connection, profile: Profile
) -> None:
    def answer() -> Answer:
        part = PollInDoubtError("stopped after 7 bytes", http_status=200, body=b'{"resul', content_type="x/y")
        raise Stopped from part

    with pytest.raises(Stopped):
        drain(session, profile, ScriptedSource(answer))

    assert query(store, "SELECT outcome, error, http_status, recovery FROM ropo.status_poll") == [
        ("in_doubt", "stopped after 7 bytes", 200, "pending")
    ]
    assert query(store, "SELECT complete, content_type, size FROM ropo.status_page") == [(False, "x/y", 7)]


THIS_DATABASE = "SELECT oid FROM pg_database WHERE datname = current_database()"
