"""Free texts that are old enough are erased; younger ones, and what waits for somebody, stay."""

from __future__ import annotations

import datetime
import logging
from typing import TYPE_CHECKING

import msgspec
import pytest

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
    kept,
    places_of,
    results,
)
from tests.include.status_store.scripted_source import ScriptedSource, page
from tests.include.status_store.views import column, drain, execute

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.erasure import Erased
    from include.status_store.session import Session
    from tests.include.reconciliation.world import World

A_YEAR_LATER = NOW + datetime.timedelta(days=366)


def erase_old(
    session: Session, profile: Profile, now: datetime.datetime = A_YEAR_LATER, days: int = 365, **bounds: float
) -> Erased:
    erasure = TextErasure(
        session, msgspec.structs.replace(profile, text_retention_days=days), by="ropo_maintenance", note="by age"
    )
    return erasure.by_age(now, **{"max_seconds": 60, **bounds})


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


def test_by_age_what_waits_for_somebody_is_counted_and_stays(
    session: Session, store: Connection, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(*ROWS, BAD_ROW)))
    execute(store, "UPDATE ropo.status_quarantine SET first_seen_at = %s", (NOW,))

    done = erase_old(session, profile)

    assert done.waiting == 1
    assert places_of(store, SECRET) == {"status_quarantine.raw"}
