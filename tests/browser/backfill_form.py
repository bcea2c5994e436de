"""Airflow's backfill form, filled by the mouse."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

_POPOVER = "[data-scope=popover][data-part=content][data-state=open]"
_DAYS_OF_WEEK = 7


def backfill(page: Page, url: str, dag_id: str, first: datetime.date, last: datetime.date) -> None:
    """Pick two dates in the form's calendars, all runs between them, and start.

    :param page: of a logged-in user who may trigger.
    :param url: of Airflow.
    """
    page.goto(f"{url}/dags/{dag_id}")
    page.get_by_role("button", name="Trigger").first.click()
    page.get_by_text("Backfill", exact=True).first.click()
    form = page.get_by_role("dialog").filter(has_text="Run Backfill")
    for field, date in enumerate((first, last)):
        _pick(page, form, form.get_by_test_id("datetime-input").nth(field), date)
    form.get_by_text("All Runs").click()
    form.locator("input[name=max_active_runs]").fill("4")
    form.get_by_role("button", name="Run Backfill").click()
    expect(form).to_be_hidden()


def _pick(page: Page, form: Locator, field: Locator, date: datetime.date) -> None:
    field.click()
    calendar = page.locator(_POPOVER)
    shown = (
        calendar.locator("p")
        .filter(has_text=f"{datetime.datetime.now(datetime.UTC):%Y}")
        .or_(calendar.locator("p").filter(has_text=f"{date:%Y}"))
    )
    earlier, later = (calendar.locator("button").nth(index) for index in (0, 1))
    while (away := _months_to(shown.first.inner_text(), date)) != 0:
        before = shown.first.inner_text()
        (earlier if away < 0 else later).click()
        expect(shown.first).not_to_have_text(before)
    # The sheet begins on the Sunday before the month.
    blank = (date.replace(day=1).weekday() + 1) % _DAYS_OF_WEEK
    day = calendar.locator("button").nth(2 + blank + date.day - 1)
    expect(day).to_have_text(str(date.day))
    day.click()
    expect(field).to_contain_text(f"{date:%b %d, %Y}")
    form.get_by_role("heading").first.click()
    expect(calendar).to_be_hidden()


def _months_to(shown: str, date: datetime.date) -> int:
    month = datetime.datetime.strptime(shown, "%b %Y").replace(tzinfo=datetime.UTC)
    return (date.year - month.year) * 12 + date.month - month.month
