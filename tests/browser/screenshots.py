"""``make screenshots``: the pages with the demo's data, as they are, into ``docs/images``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from demo.job import DRAIN_DAG, prepared, run
from demo.progress import Progress
from include.simulator.faults import Fault
from local_airflow import cluster
from local_airflow.paths import ROOT
from local_airflow.serving import USER, admin_password, serving
from tests.browser.deployment import Deployment
from tests.browser.windows import launched, log_in, window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Frame, Page

IMAGES = ROOT / "docs" / "images"
LARGEST_BYTES = 300_000
TIMEZONE = "Europe/Helsinki"
WIDTH, HEIGHT = 1280, 860


def main() -> int:
    """Make the demo, serve it, and take the pictures.

    :return: 1 where a picture is too large for a README.
    """
    progress = Progress()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ropo-screenshots-") as folder:
        home = Path(folder)
        with prepared(home, progress) as demo:
            for surprise in run(demo, progress):
                progress.say(surprise)
            port = cluster.free_port()
            password = admin_password(home)
            with serving(demo.variables, home, port), launched() as browser:
                url, login = f"http://localhost:{port}", home / "login"
                log_in(browser, url, USER, password, login)
                # A poll that ends in doubt, so that its recovery is to be seen.
                demo.ropo.faults.add(Fault("drop_after_consuming", kind="drain"))
                dsns = demo.server.dsn("airflow"), demo.server.dsn("store")
                Deployment(url, {USER: password}, *dsns, demo.ropo).run(DRAIN_DAG)
                for name in _take(browser, url, login):
                    progress.say(f"{name}: {(IMAGES / name).stat().st_size // 1000} kB")
    large = [file.name for file in IMAGES.glob("*.png") if file.stat().st_size > LARGEST_BYTES]
    if large:
        progress.say(f"larger than {LARGEST_BYTES // 1000} kB: {', '.join(large)}")
    return 1 if large else 0


def _take(browser: Browser, url: str, login: Path) -> Iterator[str]:
    for scheme in ("light", "dark"):
        with window(browser, login, timezone=TIMEZONE, width=WIDTH, height=HEIGHT, scheme=scheme) as page:
            frame = _in_airflow(page, url)
            yield _shoot(page, f"overview-{scheme}.png")
            if scheme == "dark":
                continue
            frame.locator(".calendar a.breaks").last.click()
            frame.wait_for_url("**/dates/*")
            yield _shoot(page, "date.png")
            frame.locator("main a[href*='/invoice?']").first.click()
            frame.wait_for_url("**/invoice?*")
            yield _shoot(page, "invoice.png")
            frame.get_by_role("link", name="Polls").click()
            frame.wait_for_url("**/polls*")
            yield _shoot(page, "polls.png")


def _in_airflow(page: Page, url: str) -> Frame:
    """Open the page from Airflow's navigation; returns the frame that it stands in."""
    page.goto(url)
    page.get_by_test_id("nav-sidebar").get_by_role("link", name="Reconciliation").click()
    handle = page.locator("iframe").element_handle()
    frame = handle.content_frame() if handle else None
    if frame is None:
        raise RuntimeError("the page stands in no frame")
    frame.locator("main h1").wait_for()
    return frame


def _shoot(page: Page, name: str) -> str:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / name)
    return name


if __name__ == "__main__":
    sys.exit(main())
