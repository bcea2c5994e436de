"""The overview on a narrow screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.deployment import SCRIPT_DATE
from tests.browser.test_pages import opened

if TYPE_CHECKING:
    from tests.browser.conftest import Visit
    from tests.browser.deployment import Deployment

# Whether the last week's column and the names of the weekdays lie within the window.
IN_SIGHT = """
() => [".calendar tbody tr:first-child td:last-child", ".calendar tbody tr:first-child th"].map((selector) => {
  const box = document.querySelector(selector).getBoundingClientRect();
  return box.left >= 0 && box.right <= window.innerWidth;
})
"""


# Whether each cell of the table lies within the window, and how many there are.
CELLS = """
() => [...document.querySelectorAll(".totals td.number, .totals th")].map((cell) => {
  const box = cell.getBoundingClientRect();
  return box.width > 0 && box.left >= 0 && box.right <= window.innerWidth;
})
"""


def test_both_sides_of_a_date_and_their_difference_are_in_sight(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller", width=360) as page:
        opened(page, deployment, f"dates/{SCRIPT_DATE}")
        expect(page.locator(".totals")).to_be_visible()
        found = page.evaluate(CELLS)
        assert len(found) > 10
        assert all(found)


def test_the_calendar_shows_the_newest_weeks_and_the_weekdays_beside_them(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller", width=360) as page:
        opened(page, deployment, "")
        expect(page.locator(".calendar")).to_be_visible()
        assert page.evaluate(IN_SIGHT) == [True, True]
        # The oldest are a scroll away, as before.
        page.locator(".calendar tbody td").first.scroll_into_view_if_needed()
        assert page.evaluate(IN_SIGHT) == [False, True]
