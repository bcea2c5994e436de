"""What an auditor gets on paper: every column of a list, and nothing that could only be pressed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.alone import opened, served_alone
from tests.browser.ink import times_filled
from tests.browser.signed_month import USER, sign
from tests.browser.words import broken_words
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import client, month, page_app, store_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from playwright.sync_api import Browser
    from psycopg2.extensions import connection as Connection

__all__ = ["client", "month", "page_app", "store_connection"]

# A4 landscape less its margins of 12 mm, in the pixels of CSS.
WIDTH = 1031
DATE = datetime.date(2026, 2, 3)
PAGES = ["sign-off/2026-02", "breaks", "breaks?state=accepted", f"dates/{DATE}"]
# The texts of cells of which a part lies beyond the paper, or beyond an ancestor that cuts it off.
CLIPPED = """
(width) => [...document.querySelectorAll("main th, main td")].filter((cell) => {
  if (!cell.checkVisibility()) return false;
  const box = cell.getBoundingClientRect();
  if (box.left < 0 || box.right > width + 0.5 || cell.scrollWidth > cell.clientWidth + 1) return true;
  for (let around = cell.parentElement; around; around = around.parentElement) {
    const edge = around.getBoundingClientRect();
    if (getComputedStyle(around).overflowX !== "visible" && box.right > edge.right + 0.5) return true;
  }
  return false;
}).map((cell) => cell.textContent.trim())
"""
# On how many lines the amount of a row stands, and the name of who accepted it.
LINES = """
(row) => Object.fromEntries(["amount", "name"].map((what, place) => {
  const cell = row.querySelectorAll("[data-head]")[place];
  const range = document.createRange();
  range.selectNodeContents(cell);
  return [what, new Set([...range.getClientRects()].map((box) => Math.round(box.bottom))).size];
}))
"""
INK = "() => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"


@pytest.fixture
def url(page_app: FastAPI, store: Connection, store_connection: str) -> Iterator[str]:
    """A month with large amounts, long words and long notes."""
    items = tuple(broken(f"2026{place:06}", "1234567.89") for place in range(1, 6))
    number = record(store, DATE, "breaks", breaks=items)
    for place, item in enumerate(items):
        keep_break(
            store, number, f"b:{item['billnum']}", "ledger_behind", "accepted" if place % 2 else "open", "1234567.89"
        )
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET billnum = substr(invoice_key, 3), jobid = '90000001'")
        cursor.execute(
            "UPDATE ropo.reconciliation_break SET accepted_note = repeat('the customer paid twice ', 20) "
            "WHERE state = 'accepted'"
        )
    with served_alone(page_app) as served:
        yield served


@pytest.mark.parametrize("path", PAGES)
def test_no_column_is_cut_off_on_paper_and_nothing_to_press_is_printed(chromium: Browser, url: str, path: str) -> None:
    with opened(chromium, f"{url}/{path}", width=WIDTH, scheme="dark") as page:
        page.emulate_media(media="print")
        assert page.locator("main table.list").count()
        assert page.evaluate(CLIPPED, WIDTH) == []
        assert broken_words(page, "main table.list :is(td:not(.note), th)") == []
        for gone in (".bar", "main button", "main .button", "main form.filters", "main textarea", "main input"):
            for each in page.locator(gone).all():
                expect(each).to_be_hidden()
        ink, paper = page.evaluate(INK)
        assert paper == "rgb(255, 255, 255)"
        assert ink != "rgb(255, 255, 255)"
        assert float(ink.removeprefix("oklch(").split()[0]) < 0.5


@pytest.mark.parametrize("length", [500, 1000])
def test_names_and_amounts_beside_the_notes_of_a_signed_month_are_whole_on_paper(
    chromium: Browser, page_app: FastAPI, client: TestClient, store: Connection, month: None, length: int
) -> None:
    sign(page_app, client, store, ("Agreed with Ropo's customer service on the phone, see ticket 4711. " * 20)[:length])
    with served_alone(page_app) as served, opened(chromium, f"{served}/sign-off/2026-02", width=WIDTH) as page:
        page.emulate_media(media="print")
        assert page.evaluate(CLIPPED, WIDTH) == []
        assert broken_words(page, "main :is(td:not(.note), th)") == []
        row = page.locator("#signed tbody tr").first
        assert row.evaluate(LINES) == {"amount": 1, "name": 1}
        expect(row.get_by_text(USER)).to_be_visible()
        # A way to another page is nothing on paper.
        expect(page.get_by_text("History").first).to_be_hidden()


def test_a_red_date_is_filled_with_red_on_paper_and_so_are_its_legend_and_that_of_the_ages(
    chromium: Browser, url: str
) -> None:
    with opened(chromium, f"{url}/?until=2026-02-28") as page:
        marks = page.locator("main .day.breaks").count()
        assert marks == 2  # the date, and in the legend
        assert times_filled(page, ".calendar .day.breaks") == marks
        # The other verdicts are told by signs and frames: their grounds cost ink and hide the red ones.
        assert times_filled(page, ".legend .day.incomplete") == 0
        assert times_filled(page, ".swatch.age-1") > 0


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            f"dates/{DATE}?category=ledger_behind&severity=high&text=00001",
            "Filtered: category Ledger behind; severity high; in invoice number or jobid “00001”.",
        ),
        (f"dates/{DATE}?state=all&text=2026000001", "Filtered: invoice number or jobid “2026000001”."),
        (
            f"breaks?category=ledger_behind&severity=high&currency=EUR&first_from={DATE}&first_to=2026-02-28&text=0000",
            f"Filtered: category Ledger behind; severity high; currency EUR; since, from {DATE}; since, to 2026-02-28; "
            "in invoice number or jobid “0000”.",
        ),
        ("breaks?text=nothing", "Filtered: in invoice number or jobid “nothing”."),
        ("polls?kind=drain&outcome=in_doubt", "Filtered: kind drain; outcome in doubt."),
    ],
)
def test_a_list_that_was_filtered_says_by_what_on_paper(chromium: Browser, url: str, path: str, told: str) -> None:
    with opened(chromium, f"{url}/{path}", width=WIDTH) as page:
        # On the screen the form says it.
        expect(page.get_by_text("Filtered:")).to_be_hidden()
        page.emulate_media(media="print")
        expect(page.get_by_text("Filtered:")).to_have_text(told)
        expect(page.get_by_text("Filtered:")).to_be_visible()


@pytest.mark.parametrize("path", [f"dates/{DATE}", "breaks?state=accepted", "polls"])
def test_a_list_that_was_not_filtered_says_nothing_of_it_on_paper(chromium: Browser, url: str, path: str) -> None:
    with opened(chromium, f"{url}/{path}", width=WIDTH) as page:
        page.emulate_media(media="print")
        expect(page.get_by_text("Filtered:")).to_have_count(0)
