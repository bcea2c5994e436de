"""Every day of the calendar can be told from its neighbours, in both themes: its sign, and its edge."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import require_rules, violations
from tests.browser.alone import opened, served_alone
from tests.include.watch.records import broken, keep_break, record, stood_accepted
from tests.plugins.reconciliation_page.conftest import client, page_app, store_connection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from playwright.sync_api import Browser
    from psycopg2.extensions import connection as Connection

__all__ = ["client", "page_app", "store_connection"]

FIRST = datetime.date(2026, 2, 2)
VERDICTS = ("reconciled", "pending", "breaks", "incomplete")
# WCAG 2.2: 1.4.3 of text, 1.4.11 of what tells a control from its ground.
OF_TEXT, OF_AN_EDGE = 4.5, 3.0
# Of each day the contrast of its sign, of the second mark where there is one, and to the panel that of its edge, or of
# its ground where it has none; colours as they are drawn.
CONTRASTS = """
() => {
  const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const drawn = (...colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) { context.fillStyle = colour; context.fillRect(0, 0, 1, 1); }
    const parts = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3).map((part) => part / 255);
    const [r, g, b] = parts.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const ground = (element) => getComputedStyle(element).backgroundColor;
  return [...document.querySelectorAll(".calendar a.day")].map((day) => {
    const panel = ground(day.closest(".panel"));
    const also = day.querySelector(".also");
    const edge = getComputedStyle(day).boxShadow.match(/^[a-z]+\\([^)]*\\)/);
    const cell = drawn(panel, ground(day));
    return {
      verdict: day.classList[1],
      sign: (day.firstChild ?? day).textContent,
      text: contrast(drawn(getComputedStyle(day).color), cell),
      also: also && contrast(drawn(getComputedStyle(also).color), drawn(panel, ground(day), ground(also))),
      edge: contrast(edge ? drawn(panel, edge[0]) : cell, drawn(panel)),
    };
  });
}
"""


@pytest.fixture
def overview(page_app: FastAPI, store: Connection, store_connection: str) -> Iterator[str]:
    """A date of each verdict, one that was never compared, and a green one of which a break is open again."""
    for number, verdict in enumerate(VERDICTS):
        record(store, FIRST + datetime.timedelta(days=number), verdict)
    again = record(store, FIRST + datetime.timedelta(days=5), "breaks", breaks=(broken("1", "5.00"),))
    stood_accepted(store, again)
    keep_break(store, again, "b:1", "ledger_behind", "open")
    with served_alone(page_app) as served:
        yield f"{served}/?until=2026-02-28"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_day_has_a_sign_that_can_be_read_and_an_edge_where_its_ground_tells_nothing(
    chromium: Browser, overview: str, scheme: str
) -> None:
    require_rules()
    with opened(chromium, overview, scheme=scheme) as page:
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        expect(page.locator(".calendar a.day.marked")).to_have_count(1)
        days = page.evaluate(CONTRASTS)
        assert {day["verdict"] for day in days} == {*VERDICTS, "no_run"}
        assert [day for day in days if not day["sign"].strip()] == []
        assert [day for day in days if min(day["text"], day["also"] or OF_TEXT) < OF_TEXT] == []
        # A pale ground is told by its sign; one that has none to tell it by has an edge.
        assert [day for day in days if day["verdict"] in ("breaks", "no_run") and day["edge"] < OF_AN_EDGE] == []
        assert violations(page) == []
