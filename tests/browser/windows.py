"""Windows of a real, headless Chromium, of users who have logged in to Airflow by its own form."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
# As root it has no sandbox; the rest keeps it from asking other hosts.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MS = 60_000


@contextmanager
def launched() -> Iterator[Browser]:
    """Run the browser."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def log_in(browser: Browser, url: str, user: str, password: str, login: Path) -> None:
    """Log in by Airflow's own form, and keep the session in a file for :func:`window`."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(url)
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", password)
    page.click("button[type=submit]")
    page.get_by_role("link", name="Dags").first.wait_for()
    context.storage_state(path=login)
    context.close()


@contextmanager
def window(
    browser: Browser,
    login: Path,
    *,
    timezone: str = "UTC",
    width: int = 1280,
    height: int = 1000,
    scheme: str = "light",
) -> Iterator[Page]:
    """Open a window.

    :param login: as :func:`log_in` has kept it.
    :param timezone: of the browser and of Airflow's UI.
    :param scheme: Airflow's theme, ``light`` or ``dark``.
    """
    context = browser.new_context(
        storage_state=login, timezone_id=timezone, locale="en-GB", viewport={"width": width, "height": height}
    )
    context.set_default_timeout(PATIENCE_MS)
    # Where the UI itself keeps what its own dialogs for the time zone and the colours set.
    for name, value in (("timezone", f'"{timezone}"'), ("theme", scheme)):
        context.add_init_script(f"localStorage.setItem('{name}', '{value}')")
    try:
        yield context.new_page()
    finally:
        context.close()
