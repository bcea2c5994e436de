"""Which signed months are changed where breaks are opened again: it is said before, of each break, and after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from reconciliation_page.access import may_change
from tests.include.reconciliation.month import (
    APRIL,
    FIRST,
    HOUR,
    NOW,
    accepts,
    books_wrongly,
    owe,
    renames_what_was_signed,
    run,
    run_all,
    signs,
)
from tests.include.reconciliation.world import at
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, words_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

    from tests.include.reconciliation.world import World

LIST = "/reconciliation/breaks?state=accepted"
FORM = r'class="decide">.*?</form>'
TOLD = r'role="status">(.*?)</p>'


@pytest.fixture
def march(world: World) -> World:
    """The last two dates of March, with an invoice each."""
    world.profile = msgspec.structs.replace(world.profile, start_date=FIRST)
    for billnum, day in (("1", "2026-03-30"), ("2", "2026-03-31")):
        world.row(billnum, "paid", paid="100", sent_at=at(f"{day} 08:00"), changed_at=at(f"{day} 08:00"))
        world.payment(billnum, "100", day, seen=at(f"{day} 09:00"))
    return world


def words(page: str, pattern: str) -> str:
    """The words of pieces of a page, those of links as they stand among them."""
    return words_of(re.sub("</?a[^>]*>", "", page), pattern)


def is_of_april(march: World) -> None:
    """One invoice of April differs too, and is accepted."""
    march.payment("9", "100", str(APRIL), seen=at("2026-04-02 09:00"))
    march.row("9", sent_at=at("2026-04-02 08:00"), changed_at=at("2026-04-02 08:00"))
    run(march, APRIL, now=NOW + HOUR)
    accepts(march)


def opens_again(client: TestClient, path: str, **form: object) -> str:
    """Open breaks again by the form of a page; the words of what it says of that."""
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(path).text)
    asked = {"what": "reopen", "note": "not so", "seen": seen, **form}
    answer = client.post(path, data=asked, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    return words(client.get(answer.headers["location"]).text, TOLD)


def rows_of(page: str) -> dict[str, str]:
    """The words of each row of the list of breaks, by the break's id."""
    rows = re.findall(r"<tr>(?:(?!</tr>).)*?name=\"break_id\".*?</tr>", page, re.DOTALL)
    return {re.findall(r'name="break_id" value="(\d+)"', row)[0]: words(row, ".*") for row in rows}


def test_the_list_says_which_signed_months_opening_its_breaks_again_changes_before_and_after(
    client: TestClient, page_app: FastAPI, march: World
) -> None:
    for billnum in "12":
        owe(march, billnum)
    run_all(march)
    ids = accepts(march)
    signs(march)
    is_of_april(march)
    page = client.get(LIST).text
    told = "Opening breaks of this page again changes what is signed: 2026-03 (by 2 of them)."
    assert told in words(page, FORM)
    assert re.search(r'<a href="[^"]*sign-off/2026-03[^"]*">2026-03</a> \(by 2', page)
    rows = rows_of(page)
    assert [number for number, words in rows.items() if "opened again it changes 2026-03" in words] == [
        str(each) for each in reversed(ids)
    ]
    assert len(rows) == 3
    page_app.dependency_overrides[may_change] = lambda: False
    assert "opened again it changes" not in client.get(LIST).text, "who reads opens nothing again"
    page_app.dependency_overrides[may_change] = lambda: True
    after = opens_again(client, LIST, break_id=ids)
    assert "2 breaks are open again." in after
    assert "Signed, and changed by that: 2026-03. It is to be signed again." in after
    assert "changes what is signed" not in client.get(LIST).text


def test_where_no_signed_month_rests_on_what_is_opened_again_nothing_is_said_of_months(
    client: TestClient, march: World
) -> None:
    run_all(march)
    signs(march)
    is_of_april(march)
    assert "2026-03" not in client.get(LIST).text
    after = opens_again(client, LIST, break_id=[1])
    assert "1 break is open again." in after
    assert "Signed" not in after


@pytest.mark.parametrize("path", ["/reconciliation/breaks/2", LIST])
def test_a_break_whose_acceptance_had_another_name_when_the_month_was_signed_names_that_month(
    client: TestClient, march: World, path: str
) -> None:
    renames_what_was_signed(march)
    assert march.store("SELECT break_id, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        (1, "resolved"),
        (2, "accepted"),
    ]
    assert "2026-03" in words(client.get(path).text, FORM)
    after = opens_again(client, path, break_id=[2])
    assert "Signed, and changed by that: 2026-03. It is to be signed again." in after


def test_a_break_of_another_category_of_an_invoice_that_a_signed_month_rests_on_names_that_month(
    client: TestClient, march: World
) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    books_wrongly(march, "1")
    accepts(march)
    march.store("UPDATE ropo.reconciliation_break SET business_date = '2026-04-02' WHERE state = 'accepted'")
    assert "Signed: 2026-03, by Anna." in words(client.get("/reconciliation/breaks/2").text, FORM)
    after = opens_again(client, "/reconciliation/breaks/2")
    assert "Signed, and changed by that: 2026-03. It is to be signed again." in after


def test_a_month_that_was_signed_again_since_is_not_told_to_be_signed_again(client: TestClient, march: World) -> None:
    owe(march)
    run_all(march)
    accepts(march)
    signs(march)
    assert "2026-03" in opens_again(client, "/reconciliation/breaks/1")
    since = march.store("SELECT max(event_id) - 1 FROM ropo.reconciliation_break_event")[0][0]
    page = f"/reconciliation/breaks/1?done=reopen&since={since}"
    assert "Signed, and changed by that" in client.get(page).text
    # Nor is what was opened again told once it is accepted anew.
    accepts(march)
    assert 'role="status"' not in client.get(page).text
    signs(march)
    assert 'role="status"' not in client.get(page).text
