"""The comparison of a store with the server's truth says what is wrong: a harness that says nothing proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faults.truth import compare
from include.config.profiles import Profile
from include.simulator.rows import bulk_rows
from tests.include.status_store.scripted_source import ScriptedSource, page
from tests.include.status_store.views import drain

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.status_store.session import Session

ROWS = bulk_rows(4)


@pytest.fixture
def drained(session: Session) -> None:
    """A store that holds the rows."""
    drain(session, Profile(name="default"), ScriptedSource(page(*ROWS)))


@pytest.mark.parametrize(
    ("planted", "wrong"),
    [
        ("SELECT", []),  # nothing is planted
        (
            "DELETE FROM ropo.status_event WHERE statusid = (SELECT min(statusid) FROM ropo.status_event)",
            ["1 rows lost", "3 events, and 4 counted as new: counted twice or never"],
        ),
        (
            "UPDATE ropo.status_poll SET new_count = 2 * new_count",
            ["4 events, and 8 counted as new: counted twice or never"],
        ),
        ("DELETE FROM ropo.event_day", ["4 events are not found by their day"]),
        ("UPDATE ropo.status_page SET parsed_at = NULL", ["1 pages landed, and their events are not stored"]),
    ],
)
@pytest.mark.usefixtures("drained")
def test_what_is_wrong_with_a_store_is_told(store: Connection, planted: str, wrong: list[str]) -> None:
    with store.cursor() as cursor:
        cursor.execute(planted)

    assert list(compare(store, "default", ROWS).wrong()) == wrong
