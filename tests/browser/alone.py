"""The pages served by themselves, over a store that a test has filled: what needs no run of Airflow's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from fastapi import FastAPI
from playwright.sync_api import expect

from reconciliation_page import PREFIX
from tests.plugins.reconciliation_page.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page


@contextmanager
def served_alone(page_app: FastAPI) -> Iterator[str]:
    """Serve the pages, mounted as Airflow mounts them; where they are."""
    app = FastAPI()
    app.mount(PREFIX, page_app)
    with serving(app) as served:
        yield f"{served}{PREFIX}"


@contextmanager
def blank(chromium: Browser, *, scheme: str = "light", script: bool = True) -> Iterator[Page]:
    """A window with nothing in it yet, see :func:`load`: to open another one takes longer than to load a page.

    :param scheme: the theme, ``light`` or ``dark``.
    :param script: whether its pages' scripts run.
    """
    with chromium.new_context(java_script_enabled=script) as context:
        context.add_init_script(f"localStorage.setItem('theme', '{scheme}')")
        yield context.new_page()


def load(page: Page, address: str, *, width: int = 1280) -> None:
    """Load a page in a window, which has this width from before on."""
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(address)
    expect(page.locator("main h1")).to_be_visible()


@contextmanager
def opened(
    chromium: Browser, address: str, *, width: int = 1280, scheme: str = "light", script: bool = True
) -> Iterator[Page]:
    """A window with a page of it."""
    with blank(chromium, scheme=scheme, script=script) as page:
        load(page, address, width=width)
        yield page
