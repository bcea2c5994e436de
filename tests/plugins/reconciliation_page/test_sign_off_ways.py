"""From each date that differs the sign-off leads to a list that has what differs."""

from __future__ import annotations

import datetime
import html
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.include.reconciliation.world import DAY, at
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import DATES, listed
from tests.plugins.reconciliation_page.month import PATH

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

    from tests.include.reconciliation.world import World

PENDING: dict[str, Any] = {"pending_until": datetime.datetime(2099, 1, 1, tzinfo=datetime.UTC)}


def way_of(client: TestClient, path: str, why: str) -> str:
    """Where the one condition leads whose words have these in them."""
    found = re.findall(r'<li class="unmet"><span>(.*?)\s*<a href="([^"]*)"', client.get(path).text, re.DOTALL)
    [way] = [way for words, way in found if why in words]
    return html.unescape(way)


def test_what_a_date_shows_as_pending_and_is_a_break_of_another_date_is_in_the_list(
    client: TestClient, world: World
) -> None:
    world.payment("7", "100", "2026-03-10")
    world.row("7", sent_at=at("2026-03-09 08:00"), changed_at=at("2026-03-09 08:00"))
    world.reconcile(reread_poll_id=world.know_all())
    earlier = DAY - datetime.timedelta(days=1)
    world.reconcile(earlier, now=at("2026-04-01 08:00"), reread_poll_id=world.know_all(earlier))
    assert world.store("SELECT business_date, state FROM ropo.reconciliation_break") == [(earlier, "open")]
    way = way_of(client, "/reconciliation/sign-off/2026-03", f"1 invoice of {DAY} differs: invoice 7")
    assert listed(client.get(way).text) == ["7"]


@pytest.mark.parametrize(
    ("scope", "why"),
    [("date", f"1 invoice of {DATES[8]} differs: invoice 6"), ("full", "1 invoice of the full comparison")],
)
def test_so_it_is_where_others_were_breaks_of_the_date_already(
    client: TestClient, store: Connection, month: None, scope: str, why: str
) -> None:
    started_at = datetime.datetime(2026, 3, 1, 3, tzinfo=datetime.UTC)
    items = (broken("5", "1.00"), broken("6", "1.00", **PENDING))
    number = record(store, DATES[8], "breaks", breaks=items, started_at=started_at)
    if scope == "full":
        number = record(store, DATES[-1], "breaks", breaks=items, scope="full", started_at=started_at)
    keep_break(store, number, "b:5", "ledger_behind", "resolved", "1.00")
    keep_break(store, record(store, DATES[4], "breaks"), "b:6", "ledger_behind", "open", "1.00")
    assert listed(client.get(way_of(client, PATH, why)).text) == ["6"]


def test_what_is_pending_alone_hides_no_break_that_bears_the_date_and_is_not_shown_by_it(
    client: TestClient, store: Connection, month: None
) -> None:
    number = record(store, DATES[8], "pending", breaks=(broken("6", "1.00", **PENDING),))
    keep_break(store, number, "b:9", "ledger_behind", "open", "7.00")
    way = way_of(client, PATH, f"1 invoice of {DATES[8]} differs: invoice 9")
    assert listed(client.get(way).text) == ["9"]
