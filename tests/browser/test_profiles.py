"""The page of all profiles, of five companies: what is wrong is found from it, within the rules of accessibility.

It is served by itself: the deployment of the other tests has one profile, whose runs another one would make red.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import require_rules, violations
from tests.browser.alone import blank, load, opened, served_alone
from tests.browser.test_pages import TOO_WIDE
from tests.plugins.reconciliation_page.companies import ZONES, before, fill, write_profiles
from tests.plugins.reconciliation_page.conftest import page_app, store_connection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI
    from playwright.sync_api import Browser
    from psycopg2.extensions import connection as Connection

__all__ = ["page_app", "store_connection"]


@pytest.fixture
def url(
    page_app: FastAPI,
    store_connection: str,
    store: Connection,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[str]:
    """Where the pages are, mounted as Airflow mounts them."""
    write_profiles(tmp_path / "profiles.yaml")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(tmp_path / "profiles.yaml"))
    fill(store)
    with served_alone(page_app) as served:
        yield served


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_keeps_the_rules_of_accessibility_and_fits_down_to_320_pixels(
    chromium: Browser, url: str, scheme: str
) -> None:
    require_rules()
    found = {}
    with blank(chromium, scheme=scheme) as page:
        for width in (320, 1280, 1920):
            load(page, f"{url}/profiles", width=width)
            assert page.evaluate("document.documentElement.dataset.theme") == scheme
            assert page.locator("tbody tr:not(.group)").count() == len(ZONES)
            wrong = violations(page) + (["wider than the window"] if page.evaluate(TOO_WIDE) else [])
            if wrong:
                found[width] = wrong
    assert found == {}


def test_a_controller_goes_from_the_overview_of_one_to_the_date_of_another_without_a_script(
    chromium: Browser, url: str
) -> None:
    with opened(chromium, f"{url}/?profile=calm", script=False) as page:
        page.get_by_role("link", name="All 5 profiles").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Profiles")
        expect(page.get_by_role("navigation").get_by_role("link", name="Profiles")).to_have_attribute(
            "aria-current", "page"
        )
        expect(page.get_by_text("5 profiles: 4 need somebody")).to_be_visible()

        broken = page.get_by_role("row").filter(has=page.get_by_role("rowheader", name="broken"))
        broken.get_by_role("link", name="2", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("broken")
        expect(page.locator(".needing li")).to_have_count(2)

        page.go_back()
        broken.get_by_role("link", name=f"{before('broken', 1):%b %Y}").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text(f"{before('broken', 1):%b %Y}")
        assert "profile=broken" in page.url
