"""One Airflow and one Chromium for all the tests of this folder."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from demo.job import DAY_DAG, DRAIN_DAG
from tests.browser.deployment import SCRIPT_DATE, Deployment, deployed
from tests.browser.windows import CHROMIUM, launched, log_in, window
from tests.needs import missing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from playwright.sync_api import Browser, Page

    from local_airflow.embedded import Server

TIMEOUT_SECONDS = 600


class Visit(Protocol):
    """Opens a window as one of the deployment's users; options as of :func:`tests.browser.windows.window`."""

    def __call__(self, user: str, **options: Any) -> AbstractContextManager[Page]: ...


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
        missing(f"no browser at {CHROMIUM}: on Debian, apt-get install chromium; or name one in CHROMIUM")
    with launched() as browser:
        yield browser


@pytest.fixture(scope="package")
def deployment(chromium: Browser, postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A real Airflow that serves; not started where there is no browser."""
    with deployed(postgres, tmp_path_factory.mktemp("airflow")) as found:
        yield found


@pytest.fixture(scope="package")
def compared(deployment: Deployment) -> str:
    """The queue is drained, and the date of the invoice with scripts is compared; the id of that run."""
    deployment.run(DRAIN_DAG)
    return deployment.run(DAY_DAG, {"date": SCRIPT_DATE.isoformat()})


@pytest.fixture(scope="package")
def visit(chromium: Browser, deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Visit:
    """A window of a user, who logs in once."""
    folder = tmp_path_factory.mktemp("logins")

    @contextmanager
    def visit(user: str, **options: Any) -> Iterator[Page]:
        login = folder / user
        if not login.exists():
            log_in(chromium, deployment.url, user, deployment.passwords[user], login)
        with window(chromium, login, **options) as page:
            yield page

    return visit
