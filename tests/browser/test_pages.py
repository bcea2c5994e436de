"""Every page as people see it: within the rules of accessibility, in both themes and widths, and in Airflow's frame."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import require_rules, violations
from tests.browser.deployment import ENDED, PROFILE, SCRIPT, SCRIPT_BILLNUM, SCRIPT_DATE

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.conftest import Visit
    from tests.browser.deployment import Deployment

INVOICE = f"invoice?key=b:{quote(SCRIPT_BILLNUM)}"
PAGES = {
    "overview": "",
    "date": f"dates/{SCRIPT_DATE}",
    "breaks": "breaks",
    "break": "breaks/1",
    "sign_off": "sign-off",
    "polls": "polls",
    "profiles": "profiles",
    "search": "invoices",
    "invoice": INVOICE,
    "no_such_page": "nothing",
}
CHECKS = "SELECT run_id, triggering_user_name, conf FROM dag_run WHERE dag_id = 'ropo_invoice_check'"
# A poll that stayed unproven, one of its dates shown and one not, and a row that is no row.
WAITING = """
WITH doubt AS (
    INSERT INTO ropo.status_poll (
        profile, kind, outcome, closed_at, error, window_from, window_to, recovery, recovery_reason
    ) VALUES (
        %s, 'drain', 'in_doubt', now(), 'ReadTimeout', '2026-10-01', '2026-10-02', 'unproven', 'possibly cut'
    )
    RETURNING poll_id
), dates AS (
    INSERT INTO ropo.status_poll_window_date (poll_id, business_date, ticked_at, reason)
    SELECT poll_id, '2026-10-01'::date, now(), NULL FROM doubt
    UNION ALL
    SELECT poll_id, '2026-10-02', NULL, 'possibly cut' FROM doubt
)
INSERT INTO ropo.status_quarantine (profile, poll_id, ordinal, raw, sha256, error, first_seen_at, last_seen_at)
SELECT %s, min(poll_id), 0, row.raw, sha256(row.raw), 'row: is no valid JSON text', now(), now()
FROM ropo.status_poll
CROSS JOIN (VALUES (%s::bytea)) AS row (raw)
GROUP BY row.raw
"""
SETTLED = """
SELECT poll.accepted_by, bad.resolution
FROM ropo.status_poll AS poll
JOIN ropo.status_quarantine AS bad USING (profile)
WHERE poll.profile = %s AND poll.recovery = 'accepted'
"""
# A number as long as the widest that an ERP may have, where lists and titles have to bear it.
LONG_BILLNUM = "2026-" * 16
LONG_BREAK = """
INSERT INTO ropo.reconciliation_break (
    profile, invoice_key, billnum, category, state, business_date, currency, amount, evidence, first_seen, last_seen,
    times_seen, first_reconciliation_id, last_reconciliation_id, resolved_at
)
SELECT
    profile, 'b:' || %s, %s, category, 'resolved', business_date, currency, amount, evidence, first_seen, last_seen,
    times_seen, first_reconciliation_id, last_reconciliation_id, last_seen
FROM ropo.reconciliation_break
WHERE profile = %s
ORDER BY break_id
LIMIT 1
"""
LONG_ID = "SELECT break_id FROM ropo.reconciliation_break WHERE billnum = %s"
BELOW_THE_BAR = """
() => {
  const [list, bar] = ["#items", ".bar"].map((selector) => document.querySelector(selector).getBoundingClientRect());
  return list.top >= bar.bottom;
}
"""
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"


def opened(page: Page, deployment: Deployment, path: str) -> list[str]:
    """Open a page; returns what the browser complains of."""
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{deployment.url}/reconciliation/{path}")
    expect(page.locator("main h1")).to_be_visible()
    return complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_keeps_the_rules_of_accessibility_and_fits(
    deployment: Deployment, visit: Visit, compared: str, scheme: str
) -> None:
    require_rules()
    found = {}
    for width in (360, 1280, 1920):
        with visit("controller", width=width, scheme=scheme) as page:
            for name, path in PAGES.items():
                complaints = opened(page, deployment, path)
                assert page.evaluate("document.documentElement.dataset.theme") == scheme
                wrong = violations(page) if width < 1920 else []
                wrong += ["wider than the window"] if page.evaluate(TOO_WIDE) else []
                wrong += [each for each in complaints if "404 (Not Found)" not in each]
                if wrong:
                    found[f"{name} at {width}"] = wrong
    assert found == {}


def test_a_long_number_and_a_narrow_window_do_not_widen_a_page(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    deployment.change(deployment.store, LONG_BREAK, LONG_BILLNUM, LONG_BILLNUM, PROFILE)
    [(break_id,)] = deployment.ask(deployment.store, LONG_ID, LONG_BILLNUM)
    pages = {**PAGES, "resolved breaks": "breaks?state=resolved", "long break": f"breaks/{break_id}"}
    wide = []
    for width in (320, 1280):
        with visit("controller", width=width) as page:
            for name, path in pages.items():
                opened(page, deployment, path)
                if page.evaluate(TOO_WIDE):
                    wide.append(f"{name} at {width}")
    assert wide == []


def test_a_list_that_is_gone_to_lies_below_the_bar_and_a_chip_that_is_pressed_again_loads_nothing(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller", height=400) as page:
        opened(page, deployment, f"dates/{SCRIPT_DATE}")
        chosen = page.locator(".chips [aria-current]")
        for _ in range(2):
            chosen.click()
            expect(page).to_have_url(re.compile("#items$"))
            expect(page.get_by_role("progressbar")).to_be_hidden()
        page.reload()
        expect(page.locator("#items")).to_be_in_viewport()
        assert page.evaluate(BELOW_THE_BAR)


def test_a_doubt_and_a_row_in_quarantine_are_settled_within_the_rules_of_accessibility(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    require_rules()
    deployment.change(deployment.store, WAITING, PROFILE, PROFILE, SCRIPT.encode())
    with visit("controller") as page:
        opened(page, deployment, "polls")
        for closed in page.locator("main details").all():
            closed.locator("summary").click()
        expect(page.locator("pre")).to_have_text(SCRIPT)
        assert violations(page) == []

        page.get_by_role("article").filter(has_text="unproven").get_by_label("Note").fill("asked Ropo")
        page.get_by_role("button", name="Accept as it is").click()
        expect(page.get_by_role("status")).to_contain_text("The doubt is accepted")
        page.get_by_role("button", name="Parse all again").click()
        expect(page.get_by_role("status")).to_contain_text("1 row or page waits still")
        page.get_by_role("article").filter(has_text="not read").get_by_label("Note").fill("no row at all")
        page.get_by_role("button", name="Dismiss").click()
        expect(page.get_by_text("Nothing in quarantine")).to_be_visible()
    settled = deployment.ask(deployment.store, SETTLED, PROFILE)
    assert settled == [("controller", "dismissed by controller: no row at all")]


def test_an_invoice_whose_texts_are_scripts_shows_them_as_text(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller") as page:
        assert opened(page, deployment, INVOICE) == []
        expect(page.get_by_role("heading", level=1)).to_have_text(f"Invoice {SCRIPT_BILLNUM}")
        expect(page.get_by_text("<script>document.title").first).to_be_visible()
        assert page.title() == f"Invoice {SCRIPT_BILLNUM} · {PROFILE}"
        assert page.locator("main script, main img").count() == 0


def test_a_viewer_sees_states_and_no_texts_and_changes_nothing(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("viewer") as page:
        opened(page, deployment, INVOICE)
        expect(page.get_by_text("text shown to those who may edit")).to_be_visible()
        assert page.get_by_text("onerror").count() == 0  # of the label neither
        assert page.locator("form[method=post]").count() == 0
        assert page.locator("pre").count() == 0


def test_the_page_stands_in_airflow_and_asks_both_sides_again_as_the_user(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller", scheme="dark") as page:
        page.goto(deployment.url)
        page.get_by_test_id("nav-sidebar").get_by_role("link", name="Reconciliation").click()
        frame = page.frame_locator("iframe")
        expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
        frame.get_by_label("Invoice number or jobid").fill(SCRIPT_BILLNUM)
        frame.get_by_role("button", name="Find").click()
        expect(frame.get_by_role("heading", level=1)).to_have_text(f"Invoice {SCRIPT_BILLNUM}")

        frame.get_by_role("button", name="Ask both sides again").click()
        expect(frame.get_by_role("status")).to_contain_text("The run in Airflow")
        [[run_id, user, conf]] = deployment.ask(deployment.metadata, CHECKS)
        assert user == "controller"
        assert conf == {"profile": PROFILE, "billnum": SCRIPT_BILLNUM}
        deployment.wait_for(deployment.metadata, ENDED, "ropo_invoice_check", run_id)
        frame.get_by_role("link", name="Look again").click()
        expect(frame.get_by_role("status")).to_contain_text("Both sides were asked. Ropo One answered: 1 row, 0 new.")

        # Links to Airflow leave the frame.
        frame.get_by_role("link", name="The run in Airflow").click()
        expect(page).to_have_url(f"{deployment.url}/dags/ropo_invoice_check/runs/{quote(run_id, safe='')}")
        expect(page.locator("iframe")).to_have_count(0)
