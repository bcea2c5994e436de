"""Free texts that are old enough are erased; younger ones, and what waits for somebody, stay."""

from __future__ import annotations

import datetime
import logging
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import pytest

from include.status_store import erasure
from include.status_store.erasure import TextErasure
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from tests.include.status_store.erasing import (
    BAD_ROW,
    DATE,
    NOW,
    OTHER,
    ROWS,
    SECRET,
    by_date,
    drain_broken,
    erased_meanwhile,
    kept,
    places_of,
    results,
)
from tests.include.status_store.scripted_source import ScriptedSource, page
from tests.include.status_store.test_redaction import comment
from tests.include.status_store.views import bodies, column, drain, execute, land_alone

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.erasure import Erased
    from include.status_store.session import Session
    from tests.include.reconciliation.world import World

TODAY = datetime.datetime.now(datetime.UTC)
OLD_AND_YOUNG = ((1, 2025), (2, 2099))
A_YEAR_LATER = NOW + datetime.timedelta(days=366)


def erase_old(
    session: Session, profile: Profile, now: datetime.datetime = A_YEAR_LATER, days: int = 365, **bounds: float
) -> Erased:
    old = TextErasure(
        session, msgspec.structs.replace(profile, text_retention_days=days), by="ropo_maintenance", note="by age"
    )
    return old.by_age(now, **{"max_seconds": 60, **bounds})


def test_by_age_no_old_text_is_left_in_any_table_or_log(
    filled: World, session: Session, store: Connection, profile: Profile, caplog: pytest.LogCaptureFixture
) -> None:
    execute(store, "UPDATE ropo.reconciliation SET started_at = %s", (NOW,))
    execute(store, "UPDATE ropo.status_page SET received_at = %s", (NOW,))
    execute(store, "UPDATE ropo.status_quarantine SET first_seen_at = %s", (NOW,))
    before, held = results(filled, filled.reconcile(DATE, now=NOW)), kept(store)

    with caplog.at_level(logging.DEBUG):
        done = erase_old(session, profile)

    assert places_of(store, SECRET) == places_of(store, OTHER) == set()
    assert SECRET not in caplog.text
    assert (done.events, done.revisions, done.quarantined, done.waiting, done.finished) == (4, 1, 1, 0, True)
    assert kept(store) == held
    assert results(filled, filled.reconcile(DATE, now=NOW)) == before


def test_by_age_the_page_of_a_reread_that_had_looked_before_is_found(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    drain(session, profile, ScriptedSource(page(*ROWS)))

    erased_meanwhile(store, store_dsn, profile, monkeypatch, lambda: erase_old(session, profile))

    assert places_of(store, SECRET) == set()


@pytest.mark.parametrize("kind", ["date", "billnum"])
def test_by_age_an_answer_that_came_last_night_loses_the_old_texts_that_it_shows(
    session: Session, store: Connection, profile: Profile, kind: str
) -> None:
    """Its rows were held already, so that no event leads to it; and by its own age it would stay for a year."""
    drain(session, profile, ScriptedSource(page(*ROWS)))
    execute(store, "UPDATE ropo.status_page SET received_at = %s", (NOW,))
    asked = Reread(session, ScriptedSource(page(*ROWS)), Journal(profile))
    shown = asked.by_date(DATE) if kind == "date" else asked.by_billnum("10001")
    last_night = A_YEAR_LATER - datetime.timedelta(hours=3)
    execute(store, "UPDATE ropo.status_page SET received_at = %s WHERE poll_id = %s", (last_night, shown.poll_id))

    done = erase_old(session, profile)

    assert (shown.new, shown.revised, done.pages) == (0, 0, 2)
    assert places_of(store, SECRET) == places_of(store, OTHER) == set()


def test_by_age_an_answer_for_an_old_date_loses_its_texts_though_none_of_its_rows_is_an_event(
    session: Session, store: Connection, profile: Profile
) -> None:
    by_date(session, profile, ScriptedSource(page(BAD_ROW)))
    last_night = A_YEAR_LATER - datetime.timedelta(hours=3)
    execute(store, "UPDATE ropo.status_page SET received_at = %s, parsed_at = %s", (last_night, last_night))

    erase_old(session, profile)

    assert places_of(store, SECRET) == {"status_quarantine.raw"}


@pytest.mark.parametrize("kind", ["drain", "date"])
def test_by_age_an_answer_that_shows_an_old_row_again_loses_its_texts_with_it(
    session: Session, store: Connection, profile: Profile, kind: str
) -> None:
    """It came today, so that by its own age it would stay for as long again."""
    old, young = (
        comment(number, statustext=SECRET, statustime=f"{year}-01-01 10:00:00") for number, year in OLD_AND_YOUNG
    )
    drain(session, profile, ScriptedSource(page(old)))
    shown = ScriptedSource(page(young, old))
    drain(session, profile, shown) if kind == "drain" else by_date(session, profile, shown)

    done = erase_old(session, profile, now=TODAY, days=30)

    assert (done.events, done.pages) == (1, 2)
    assert places_of(store, SECRET) == {"status_event.statustext", "status_event.raw"}
    assert column(store, "SELECT statusid FROM ropo.status_event WHERE erased_at IS NULL") == ["C2"]
    assert erase_old(session, profile, now=TODAY, days=30).pages == 0


def test_by_age_every_answer_that_brought_another_content_loses_its_texts(
    session: Session, store: Connection, profile: Profile
) -> None:
    for number in range(4):
        text = f"{SECRET} {number}"
        drain(session, profile, ScriptedSource(page(comment(1, statustext=text, statustime="2025-01-01 10:00:00"))))

    done = erase_old(session, profile, now=TODAY, days=30)

    assert (done.events, done.revisions, done.pages, places_of(store, SECRET)) == (1, 3, 4, set())


def test_by_age_an_answer_that_shows_a_young_row_again_is_read_once_and_stays_until_its_rows_are_old(
    session: Session, store: Connection, profile: Profile
) -> None:
    young = comment(1, statustext=SECRET, statustime="2099-01-01 10:00:00")
    drain(session, profile, ScriptedSource(page(young), page(young)))
    before = places_of(store, SECRET)

    assert erase_old(session, profile, now=TODAY, days=30).pages == 0

    assert places_of(store, SECRET) == before
    assert column(store, "SELECT touched_dates IS NOT NULL FROM ropo.status_page ORDER BY poll_id") == [False, True]


def test_by_age_younger_texts_stay(filled: World, session: Session, store: Connection, profile: Profile) -> None:
    before = places_of(store, SECRET)

    done = erase_old(session, profile, now=NOW, days=1)

    assert (done.events, done.pages, column(store, "SELECT count(*) FROM ropo.text_erasure")) == (0, 0, [0])
    assert places_of(store, SECRET) == before


def test_by_age_it_goes_on_where_it_ran_out_of_time(
    filled: World, session: Session, store: Connection, profile: Profile
) -> None:
    assert not erase_old(session, profile, max_seconds=0).finished
    assert erase_old(session, profile).events == 4
    assert erase_old(session, profile).events == 0


def test_by_age_what_another_session_holds_is_left_to_the_next_run_and_the_rest_is_not(
    session: Session, store: Connection, store_dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasure, "EVENTS_AT_ONCE", 1)
    drain(session, profile, ScriptedSource(page(comment(1), comment(2), comment(3))))
    with closing(psycopg2.connect(store_dsn)) as other:
        first = "SELECT min(statusid) FROM ropo.status_event"
        execute(other, f"SELECT FROM ropo.status_event WHERE statusid = ({first}) FOR UPDATE")

        assert erase_old(session, profile).events == 2

        other.rollback()  # a session that is only closed lets go of its locks a moment later
        assert erase_old(session, profile).events == 1


def test_by_age_what_waits_for_somebody_is_counted_and_stays(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(*ROWS, BAD_ROW)))
    execute(store, "UPDATE ropo.status_quarantine SET first_seen_at = %s", (NOW,))

    done = erase_old(session, profile)

    assert done.waiting == 1
    assert places_of(store, SECRET) == {"status_quarantine.raw"}


@pytest.mark.parametrize(("recovery", "waiting"), [("pending", 1), ("recovered", 0)])
def test_by_age_a_settled_doubt_waits_for_nobody_though_there_was_no_time_to_erase_what_came_of_it(
    session: Session, store: Connection, profile: Profile, recovery: str, waiting: int
) -> None:
    drain_broken(session, profile)
    execute(store, "UPDATE ropo.status_poll SET recovery = %s", (recovery,))
    execute(store, "UPDATE ropo.status_page SET received_at = %s", (NOW,))

    done = erase_old(session, profile, max_seconds=0)

    assert (done.finished, done.waiting) == (False, waiting)


def test_by_age_a_page_that_is_not_parsed_yet_keeps_every_row(
    session: Session, store: Connection, profile: Profile
) -> None:
    left = land_alone(session, profile, page(*ROWS))
    execute(store, "UPDATE ropo.status_page SET received_at = %s", (NOW,))

    done = erase_old(session, profile)

    assert (done.pages, done.waiting, bodies(store)) == (0, 1, [left.answer.body])
