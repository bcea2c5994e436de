"""A list of breaks calls nothing within its grace that is past it and was not compared again: it may be a break."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.profiles import Profile
from include.page_data.break_knowledge import read_knowledge
from tests.include.reconciliation.world import DAY, at
from tests.include.watch.records import broken, record
from tests.plugins.reconciliation_page.conftest import words_of

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

    from tests.include.reconciliation.world import World

PATH = "/reconciliation/breaks"
WITHIN = "Every difference that was found is within its grace"
TOLD = (
    "1 invoice of 2026-03-10 is past its grace and was not compared again since: it may be a break by now. "
    "Ask for the date to be run again where the next nightly run does not compare it."
)
ENDED, NOW = at("2026-03-11 22:00"), at("2026-03-20 08:00")


@pytest.fixture
def waiting(world: World) -> World:
    """A payment that the ledger lacks, pending when its date was compared."""
    world.payment("7", "100", "2026-03-10")
    world.row("7", sent_at=at("2026-03-10 08:00"), changed_at=at("2026-03-10 08:00"))
    assert world.reconcile(reread_poll_id=world.know_all()).pending == 1
    return world


@pytest.mark.usefixtures("waiting")
def test_what_is_past_its_grace_is_not_called_within_it(client: TestClient) -> None:
    page = client.get(PATH).text
    assert WITHIN not in page
    assert TOLD in page
    assert f"dates/{DAY}" in page
    file = client.get(f"{PATH}.csv").text
    assert "# not to be trusted as all there is" in file
    assert TOLD in file


@pytest.mark.usefixtures("waiting")
def test_nor_is_it_called_known_on_the_overview_that_none_is_open(client: TestClient) -> None:
    page = client.get("/reconciliation/").text
    figure = words_of(page, r'aria-labelledby="open-name">.*?</section>')
    assert "none is open" not in figure
    assert "a grace is over, not compared again" in figure
    assert "Breaks are not known" in page
    assert "A grace is over, and what it held back was not compared again." in page


@pytest.mark.usefixtures("two_profiles")
def test_nor_among_all_profiles(client: TestClient, store: Connection) -> None:
    record(store, DAY, "pending", breaks=(broken("1", "1.00", pending_until=ENDED),), profile="other")
    assert client.get("/reconciliation/profiles").text.count("a grace is over, not compared again") == 1


def test_it_is_trusted_again_as_soon_as_the_date_was_compared(client: TestClient, waiting: World) -> None:
    waiting.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    waiting.reconcile(now=NOW, reread_poll_id=waiting.know_all())
    page = client.get(PATH).text
    assert WITHIN in page
    assert "to be trusted" not in page


@pytest.mark.parametrize(
    ("now", "is_past"), [(ENDED - datetime.timedelta(microseconds=1), False), (ENDED, True)], ids=["before", "after"]
)
def test_it_is_past_from_the_end_of_the_grace_on(store: Connection, now: datetime.datetime, *, is_past: bool) -> None:
    record(store, DAY, "pending", breaks=(broken("1", "1.00", pending_until=ENDED),))
    with store.cursor() as cursor:
        known = read_knowledge(cursor, [Profile(name="default")], now)["default"]
    assert (known.caveat, known.past_grace) == (("past_grace", {DAY: 1}) if is_past else (None, {}))


def test_of_several_dates_the_first_is_named(store: Connection) -> None:
    days = [DAY + datetime.timedelta(days=each) for each in range(3)]
    for day in reversed(days):
        record(store, day, "pending", breaks=(broken("1", "1.00", pending_until=NOW),))
    # What a date showed before is no matter of now, nor what lies before the profile's start_date as it is by now.
    record(store, days[1])
    record(store, DAY - datetime.timedelta(days=1), "pending", breaks=(broken("1", "1.00", pending_until=NOW),))
    profile = msgspec.structs.replace(Profile(name="default"), start_date=DAY)
    with store.cursor() as cursor:
        known = read_knowledge(cursor, [profile], NOW)["default"]
    assert known.past_grace == {days[0]: 1, days[2]: 1}
    assert known.in_words() == [
        "Invoices of 2 dates, the first 2026-03-10, are past their grace and were not compared again since: they may "
        "be breaks by now. Ask for the dates to be run again where the next nightly run does not compare them."
    ]
