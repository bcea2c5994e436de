"""One Airflow and one Chromium for all the tests of this folder."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.deployment import Deployment, deployed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    from demo.embedded import Server

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
TIMEOUT_SECONDS = 600


class Visit(Protocol):
    """Opens a page as one of the deployment's users."""

    def __call__(
        self, user: str, *, timezone: str = "UTC", width: int = 1280, scheme: str = "light"
    ) -> AbstractContextManager[Page]: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for Airflow to start, and each for Airflow's runs."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


# Not for the whole session: Airflow's processes and Playwright's event loop would stay behind for the tests elsewhere.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A real, headless Chromium."""
    if not CHROMIUM.exists():
        reason = f"no browser at {CHROMIUM}: on Debian, apt-get install chromium; or name one in CHROMIUM"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def deployment(chromium: Browser, postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A real Airflow that serves; not started where there is no browser."""
    with deployed(postgres, tmp_path_factory.mktemp("airflow")) as found:
        yield found


@pytest.fixture(scope="package")
def visit(chromium: Browser, deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """A browser window of a user who has logged in by Airflow's own form; once a user, and kept."""
    folder = tmp_path_factory.mktemp("logins")

    @contextmanager
    def visit(user: str, *, timezone: str = "UTC", width: int = 1280, scheme: str = "light") -> Iterator[Page]:
        login = folder / user
        if not login.exists():
            _log_in(chromium, deployment, user, login)
        context = chromium.new_context(
            storage_state=login, timezone_id=timezone, locale="en-GB", viewport={"width": width, "height": 1000}
        )
        context.set_default_timeout(PATIENCE_MS)
        # Where the UI itself keeps what its own dialogs for the time zone and the colours set.
        for name, value in (("timezone", f'"{timezone}"'), ("theme", scheme)):
            context.add_init_script(f"localStorage.setItem('{name}', '{value}')")
        page = context.new_page()
        try:
            yield page
        finally:
            context.close()

    return visit


def _log_in(chromium: Browser, deployment: Deployment, user: str, login: Path) -> None:
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(deployment.url)
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", deployment.passwords[user])
    page.click("button[type=submit]")
    page.get_by_role("link", name="Dags").first.wait_for()
    context.storage_state(path=login)
    context.close()
