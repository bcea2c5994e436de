"""Another consumer of the queue is told while it runs; what counts as one is tested beside ``consumers.py``."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import pytest

from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.watch.consumer import OtherConsumer
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.watch.records import told

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from include.watch.alert import Alert

DAY = datetime.date(2026, 11, 13)  # of the scripted rows


def drain(session: Session, profile: Profile, *answers: Any) -> None:
    Drain(session, ScriptedSource(*answers), Journal(profile), max_pages=10, max_seconds=30).run()


def reread(session: Session, profile: Profile, *rows: dict[str, object]) -> None:
    Reread(session, ScriptedSource(page(*rows)), Journal(profile)).by_date(DAY)


def alerts(session: Session, profile: Profile, *, days: float = 0) -> list[Alert]:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    return told(session, OtherConsumer(profile, now))


@pytest.fixture
def live(session: Session, store: Connection, profile: Profile) -> None:
    """A profile that has emptied its queue before the day of the events, and after it."""
    drain(session, profile, EMPTY)
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.status_poll SET opened_at = '2026-10-01 06:00+00', closed_at = '2026-10-01 06:00+00'"
        )
    drain(session, profile, EMPTY)


@pytest.mark.usefixtures("live")
def test_what_a_reread_shows_and_no_drain_brings_is_told_once(session: Session, profile: Profile) -> None:
    reread(session, profile, row(1), row(2))
    assert alerts(session, profile) == []

    drain(session, profile, page(row(2)), EMPTY)

    (alert,) = alerts(session, profile)
    assert alert.subject == "[Ropo One] default: another consumer seems to read the queue"
    assert "shows 1 change of 2026-11-13 to 2026-11-13" in alert.text
    assert alerts(session, profile) == []


@pytest.mark.usefixtures("live")
def test_where_no_read_is_known_to_leave_what_it_shows_our_own_may_have_taken_it(
    session: Session, store: Connection, profile: Profile
) -> None:
    """A drain that was sent before the re-read ended may have taken its rows first; other content was queued anew."""
    reread(session, profile, row(1), row(2), row(3))
    drain(session, profile, page(row(2), row(3, amount="1.00")), EMPTY)
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.status_poll SET opened_at = (SELECT max(opened_at) FROM ropo.status_poll WHERE kind = 'date') "
            "WHERE poll_id = (SELECT drained_poll_id FROM ropo.status_event WHERE statusid = 'P2')"
        )

    (alert,) = alerts(session, profile)

    assert alert.subject == "[Ropo One] default: another consumer may read the queue"
    assert "or Ropo One's answers by date or invoice number take what they show out of the queue" in alert.text


@pytest.mark.usefixtures("live")
@pytest.mark.parametrize(
    ("by_date", "told_as"), [((), "may"), ((row(3),), "seems to")], ids=["none by date", "one too"]
)
def test_what_reads_by_date_leave_says_nothing_of_those_by_invoice_number(
    session: Session, profile: Profile, by_date: tuple[dict[str, object], ...], told_as: str
) -> None:
    reread(session, profile, row(1), *by_date)
    Reread(session, ScriptedSource(page(row(2))), Journal(profile)).by_billnum("10002")
    drain(session, profile, page(row(1)), EMPTY)

    (alert,) = alerts(session, profile)
    assert f"another consumer {told_as} read the queue" in alert.subject


@pytest.mark.usefixtures("live")
def test_what_the_next_drain_brings_is_no_sign(session: Session, profile: Profile) -> None:
    reread(session, profile, row(1), row(2))

    drain(session, profile, page(row(1)), page(row(2)), EMPTY)

    assert alerts(session, profile) == []


@pytest.mark.usefixtures("live")
def test_it_is_over_when_nothing_new_was_noticed_for_two_days(session: Session, profile: Profile) -> None:
    reread(session, profile, row(1))
    drain(session, profile, EMPTY)

    assert len(alerts(session, profile)) == 1
    reread(session, profile, row(2, statustime="2026-11-12 09:00:00"))
    drain(session, profile, EMPTY)
    assert alerts(session, profile) == [], "told already; what is new waits for the reminder"
    # The dates stand in order, not as they were noticed.
    (reminder,) = alerts(session, profile, days=1)
    assert "2 changes of 2026-11-12 to 2026-11-13" in reminder.text
    assert alerts(session, profile, days=2.1) == []


@pytest.mark.usefixtures("live")
def test_no_free_text_is_told(session: Session, profile: Profile) -> None:
    reread(session, profile, row(1, statustext="Matti Meikäläinen called", statusref="Viesti"))
    drain(session, profile, EMPTY)

    (alert,) = alerts(session, profile)
    assert "Meikäläinen" not in alert.text
