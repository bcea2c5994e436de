"""Names as long as they may be: of a profile, and of an invoice as an ERP numbers it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.alone import blank, load, opened, served_alone
from tests.browser.test_pages import TOO_WIDE
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import page_app, store_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from playwright.sync_api import Browser
    from psycopg2.extensions import connection as Connection

__all__ = ["page_app", "store_connection"]

PROFILE = "a_company_of_the_north_whose_name_is_rather_long_ab"
DATE = datetime.date(2026, 2, 3)
LONG, SHORT = "X" * 100, "21000323"
PAGES = ("", "breaks", f"dates/{DATE}", "dates/2026-02-04", "sign-off/2026-02", "polls", "invoices")
# How wide and how tall each number stands in the list.
NUMBERS = """
() => Object.fromEntries([...document.querySelectorAll("main .list th .invoice")].map((link) => {
  return [link.textContent, [link.getBoundingClientRect().width, link.getBoundingClientRect().height]];
}))
"""
FITS = "() => [...document.querySelectorAll('.scroll')].every((each) => each.scrollWidth <= each.clientWidth)"


@pytest.fixture
def url(
    page_app: FastAPI, store: Connection, store_connection: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """A profile of a long name, with a break of a number of a hundred characters and one of eight."""
    shipped = Path("include/config").resolve()
    (tmp_path / "profiles.yaml").write_text(
        f"profiles:\n  - name: {PROFILE}\n    connection: ropo_one\n    status_map: {shipped / 'status_map.yaml'}\n"
        f"    ledger: {{connection: erp, query: {shipped.parent / 'erp' / 'generic.sql'}}}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(tmp_path / "profiles.yaml"))
    items = (broken(LONG, "10.00"), broken(SHORT, "20.00"))
    number = record(store, DATE, "breaks", breaks=items, profile=PROFILE)
    for item in items:
        keep_break(store, number, f"b:{item['billnum']}", "ledger_behind", "open", "10.00")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET billnum = substr(invoice_key, 3)")
    with served_alone(page_app) as served:
        yield served


def test_neither_a_long_name_nor_a_button_widens_a_page_on_a_small_screen(chromium: Browser, url: str) -> None:
    wide = []
    with blank(chromium) as page:
        for path in PAGES:
            load(page, f"{url}/{path}", width=320)
            if page.evaluate(TOO_WIDE):
                wide.append(path)
    assert wide == []


@pytest.mark.parametrize("path", ["breaks", f"dates/{DATE}"])
def test_a_long_number_leaves_room_for_the_other_columns_and_a_short_one_stands_in_one_line(
    chromium: Browser, url: str, path: str
) -> None:
    with opened(chromium, f"{url}/{path}") as page:
        found = page.evaluate(NUMBERS)
        assert set(found) == {LONG, SHORT}
        assert found[LONG][0] < 260
        assert found[LONG][1] > 2 * found[SHORT][1]
        assert found[SHORT][1] < 30
        assert page.evaluate(FITS)
