"""The months by their signatures, in each state and with long names, within the rules of accessibility."""

from __future__ import annotations

import datetime
import itertools
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import require_rules, violations
from tests.browser.alone import blank, load, opened, served_alone
from tests.browser.test_pages import TOO_WIDE
from tests.include.watch.signatures import flag, sign
from tests.plugins.reconciliation_page.conftest import page_app, store_connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from playwright.sync_api import Browser
    from psycopg2.extensions import connection as Connection

__all__ = ["page_app", "store_connection"]

LONG = "maija.meikalainen-with-a-long-address@accounting.example.com"
PAGES = ("", "sign-off/2026-03", "sign-off/2023-02", "profiles")
# By how much the fullest line of the list is wider than the list.
BEYOND = """
() => Math.max(...[...document.querySelectorAll(".months *")].map((each) => each.getBoundingClientRect().right))
  - document.querySelector(".months").getBoundingClientRect().right
"""


@pytest.fixture
def url(
    page_app: FastAPI, store: Connection, store_connection: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[str]:
    """A profile of some years: of 2026 January is countersigned, February has changed, March is signed by one."""
    (tmp_path / "profiles.yaml").write_text("profiles:\n  - name: default\n    start_date: 2023-01-15\n")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(tmp_path / "profiles.yaml"))
    sign(store, "2026-01-01", "Otto", signed_by=LONG)
    flag(store, sign(store, "2026-02-01", "Otto", signed_by=LONG), datetime.date(2026, 2, 3))
    sign(store, "2026-03-01", signed_by=LONG)
    with served_alone(page_app) as served:
        yield served


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_they_keep_the_rules_of_accessibility_and_fit_down_to_320_pixels(
    chromium: Browser, url: str, scheme: str
) -> None:
    require_rules()
    found = {}
    with blank(chromium, scheme=scheme) as page:
        for width, path in itertools.product((320, 1280, 1920), PAGES):
            load(page, f"{url}/{path}", width=width)
            wrong = violations(page) + (["wider than the window"] if page.evaluate(TOO_WIDE) else [])
            if path.startswith("sign-off"):
                wrong += ["beyond the list"] if page.evaluate(BEYOND) > 0.5 else []
            if wrong:
                found[f"{path} at {width}"] = wrong
    assert found == {}


def test_a_controller_goes_from_the_overview_to_the_month_that_changed_and_on_to_another_without_a_script(
    chromium: Browser, url: str
) -> None:
    with opened(chromium, url, script=False) as page:
        page.get_by_role("link", name="February 2026").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("February 2026")
        expect(page.locator(".head")).to_contain_text("Changed since it was signed")
        months = page.get_by_role("region", name="Months")
        expect(months.locator("[aria-current=page]")).to_have_text("February 2026")

        months.get_by_role("link", name="March 2026").click()
        expect(page.locator(".head")).to_contain_text("Signed, but not every condition holds now")
        expect(months.locator("[aria-current=page]")).to_have_text("March 2026")
        months.get_by_role("link", name="older").click()
        expect(months.get_by_role("link", name="January 2023")).to_be_visible()
