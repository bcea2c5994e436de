"""What an auditor gets on paper: every column of a list, and nothing that could only be pressed."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.alone import served_alone
from tests.browser.test_profiles import opened
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import page_app, store_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from playwright.sync_api import Browser
    from psycopg2.extensions import connection as Connection

__all__ = ["page_app", "store_connection"]

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
        for gone in (".bar", "main button", "main .button", "main form.filters", "main textarea", "main input"):
            for each in page.locator(gone).all():
                expect(each).to_be_hidden()
        ink, paper = page.evaluate(INK)
        assert paper == "rgb(255, 255, 255)"
        assert ink != "rgb(255, 255, 255)"
        assert float(ink.removeprefix("oklch(").split()[0]) < 0.5
