"""No verdict stands alone over what became of its breaks since."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.include.status_store.views import execute
from tests.include.watch.records import broken, keep_break, record, stood_accepted

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

from tests.plugins.reconciliation_page.test_needing import before, every_date, started

__all__ = ["started"]


@pytest.mark.usefixtures("started")
def test_no_green_stands_alone_over_a_break_that_is_open_again(client: TestClient, store: Connection) -> None:
    every_date(store, but=3)
    number = record(store, before(3), "breaks", breaks=tuple(broken(billnum, "10.00") for billnum in "1234"))
    stood_accepted(store, number)
    # One is open that stood within its grace there, and one of another profile.
    within = "is_accepted = false, pending_until = grace_from + interval '1 day'"
    execute(store, f"UPDATE ropo.reconciliation_item SET {within} WHERE billnum = '3'")
    execute(store, "UPDATE ropo.reconciliation SET accepted = 3, pending = 1 WHERE accepted = 4")
    keep_break(store, number, "b:3", "ledger_behind", "open")
    keep_break(store, number, "b:2", "ledger_behind", "accepted")
    keep_break(store, record(store, before(3), profile="other"), "b:2", "ledger_behind", "open")

    def cell() -> str:
        page = client.get("/reconciliation/").text
        (found,) = re.findall(rf'<a class="day [^>]*dates/{before(3)}[^>]*>.*?</a>', page)
        return str(found)

    assert "marked" not in cell()
    assert "open again" not in client.get(f"/reconciliation/dates/{before(3)}").text
    for key in ("b:1", "b:4"):
        keep_break(store, number, key, "ledger_behind", "open")
    assert 'class="day reconciled marked"' in cell()
    assert f'{before(3)}, reconciled: 9 invoices, 1 pending, 2 accepted breaks open again"' in cell()
    page = client.get(f"/reconciliation/dates/{before(3)}").text
    (head,) = re.findall(r'<div class="head">.*?</div>', page, re.DOTALL)
    assert "Reconciled" in head
    assert "2 accepted breaks open again" in head


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("is_renamed", [False, True])
def test_nor_over_one_that_is_open_in_another_category_or_under_another_name(
    client: TestClient, store: Connection, is_renamed: bool
) -> None:
    every_date(store, but=3)
    number = record(store, before(3), "breaks", breaks=(broken("1", "10.00"),))
    stood_accepted(store, number)
    keep_break(store, number, "b:1", "ledger_behind", "resolved")
    assert "open again" not in client.get(f"/reconciliation/dates/{before(3)}").text
    if is_renamed:
        execute(store, "UPDATE ropo.reconciliation_break SET renamed_to = 'b:9'")
    keep_break(store, number, "b:9" if is_renamed else "b:1", "amount_mismatch", "open")
    assert "1 accepted break open again" in client.get(f"/reconciliation/dates/{before(3)}").text
    assert f'{before(3)}, reconciled: 6 invoices, 1 accepted break open again"' in client.get("/reconciliation/").text


@pytest.mark.usefixtures("started")
def test_of_very_many_accepted_breaks_the_date_says_that_nobody_counted_which_are_open(
    client: TestClient, store: Connection
) -> None:
    every_date(store, but=3)
    number = record(store, before(3), "breaks", breaks=(broken("1", "10.00"),))
    stood_accepted(store, number)
    keep_break(store, number, "b:1", "ledger_behind", "open")
    accept = (
        "UPDATE ropo.reconciliation SET accepted = accepted + %(more)s, population = population + %(more)s "
        "WHERE reconciliation_id = %(number)s"
    )
    for more, is_said in ((999, False), (1, True)):
        execute(store, accept, {"more": more, "number": number})
        page = client.get(f"/reconciliation/dates/{before(3)}").text
        assert ("is not counted here: see the breaks that are open now" in page) == is_said
        assert ("1 accepted break open again" in page) != is_said


@pytest.mark.usefixtures("started")
def test_the_latest_date_says_what_is_open_again_of_it_whatever_weeks_the_calendar_shows(
    client: TestClient, store: Connection
) -> None:
    every_date(store, but=1)
    number = record(store, before(1), "breaks", breaks=(broken("1", "10.00"),))
    stood_accepted(store, number)
    keep_break(store, number, "b:1", "ledger_behind", "open")
    page = client.get("/reconciliation/", params={"until": before(400)}).text
    figure = page.partition('aria-labelledby="latest-name"')[2].partition("</section>")[0]
    assert "1 accepted break open again" in figure
