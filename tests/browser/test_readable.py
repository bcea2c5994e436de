"""Amounts and notes can be read in every window: an amount is in one piece, and a note is no column of letters."""

from __future__ import annotations

import datetime
import json
from typing import TYPE_CHECKING

import pytest

from tests.browser.accessibility import require_rules, violations
from tests.browser.alone import blank, load, opened, served_alone
from tests.browser.signed_month import sign
from tests.browser.test_pages import TOO_WIDE
from tests.browser.words import broken_words
from tests.include.watch.records import broken, record
from tests.plugins.reconciliation_page.conftest import client, month, page_app, store_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from playwright.sync_api import Browser
    from psycopg2.extensions import connection as Connection

__all__ = ["client", "month", "page_app", "store_connection"]

# 640 is a window of 1280 at 200 %.
WIDTHS = (320, 375, 640, 700, 900, 901, 1100, 1101, 1280)
# 500 characters each: as people write, and what has no word's end at all.
PROSE = ("The customer paid twice, see ticket 4711. " * 12)[:500]
ONE_WORD = "0123456789" * 50
DATE = datetime.date(2026, 2, 3)
TOTALS = {
    "currencies": [
        {"currency": "EUR", "ropo_paid": "52044.47", "ropo_discount": "54.58",
         "ledger_paid": "53316.27", "ledger_discount": "54.58"},
        {"currency": "SEK", "ropo_paid": "123456789.01", "ropo_discount": "0",
         "ledger_paid": "98765432.10", "ledger_discount": "0", "extra_paid": "1234567.89"},
    ]
}  # fmt: skip
# Of each note how many digits go beside each other, and of its row the height in lines; both rounded down.
NOTES = """
() => [...document.querySelectorAll("main td.note")].map((note) => {
  const style = getComputedStyle(note);
  const ruler = document.createElement("span");
  ruler.style.cssText = "position: absolute; width: 1ch";
  note.append(ruler);
  const digit = ruler.getBoundingClientRect().width;
  ruler.remove();
  const inner = note.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const tall = note.closest("tr").getBoundingClientRect().height;
  return [Math.floor(inner / digit), Math.floor(tall / parseFloat(style.lineHeight))];
})
"""
FITS = """
() => [...document.querySelectorAll(".scroll:has(.rested)")].every((each) => each.scrollWidth <= each.clientWidth)
"""
# Whether each cell of the totals' numbers lies within the window.
SIDES = """
() => [...document.querySelectorAll(".totals tbody td.number")].map((cell) => {
  const box = cell.getBoundingClientRect();
  return box.width > 0 && box.left >= 0 && box.right <= window.innerWidth;
})
"""
# What stands before the first row with money, as the eye has it: a cell's name is there only where its head is not.
NAMES = """
() => [...document.querySelectorAll(".totals tbody tr:nth-child(3) td")].map((cell) => {
  return getComputedStyle(cell, "::before").content.split(" / ")[0];
})
"""


@pytest.fixture(params=[PROSE, ONE_WORD], ids=["prose", "one word"])
def signed(
    request: pytest.FixtureRequest, page_app: FastAPI, client: TestClient, store: Connection, month: None
) -> Iterator[str]:
    """A month that is signed over long notes."""
    sign(page_app, client, store, request.param)
    with served_alone(page_app) as served:
        yield served


@pytest.fixture
def compared(page_app: FastAPI, store: Connection, store_connection: str) -> Iterator[str]:
    """A date of large sums, of which most agree and some are of duplicates."""
    record(store, DATE, "breaks", breaks=(broken("1", "68.21"), broken("2", "7.00", currency="SEK")))
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation SET totals = %s", (json.dumps(TOTALS),))
    with served_alone(page_app) as served:
        yield served


def test_a_long_note_of_a_sign_off_is_as_broad_as_reading_needs_it_and_its_row_no_taller_than_a_screen(
    chromium: Browser, signed: str
) -> None:
    require_rules()
    found = {}
    with blank(chromium) as page:
        for width in WIDTHS:
            load(page, f"{signed}/sign-off/2026-02", width=width)
            notes = page.evaluate(NOTES)
            assert len(notes) == 3  # of what was signed two, and of what is accepted now one
            wrong = [f"{broad} digits broad, {tall} lines tall" for broad, tall in notes if broad < 24 or tall > 28]
            wrong += ["wider than the window"] if page.evaluate(TOO_WIDE) else []
            wrong += [] if page.evaluate(FITS) else ["wider than its frame"]
            wrong += broken_words(page, "main .list :is(td:not(.note), th)")
            wrong += violations(page) if width in {320, 901} else []
            if wrong:
                found[width] = wrong
    assert found == {}


def test_an_amount_in_the_totals_of_a_date_is_never_broken_and_in_sight(chromium: Browser, compared: str) -> None:
    found = {}
    with blank(chromium) as page:
        for width in (320, 375, 640, 760, 761, 1280):
            load(page, f"{compared}/dates/{DATE}", width=width)
            wrong = broken_words(page, ".totals :is(td, th)")
            wrong += ["wider than the window"] if page.evaluate(TOO_WIDE) else []
            if not all(page.evaluate(SIDES)):
                wrong.append("out of sight")
            if wrong:
                found[width] = wrong
    assert found == {}


def test_each_side_of_a_date_is_named_where_its_head_is_not_above_it(chromium: Browser, compared: str) -> None:
    require_rules()
    with opened(chromium, f"{compared}/dates/{DATE}", width=320) as page:
        assert page.evaluate(NAMES) == ['"Ropo One"', '"Ledger"', '"Difference"']
        assert violations(page) == []
    with opened(chromium, f"{compared}/dates/{DATE}", width=800) as page:
        assert page.evaluate(NAMES) == ["none"] * 3
        head = page.locator(".totals thead th").first.bounding_box()
        assert head is not None
        assert head["height"] > 10
