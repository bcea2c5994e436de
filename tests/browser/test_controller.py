"""The controller's path: from a red cell of Airflow's grid to the accepted break, and back; and without a mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import Error, expect

from demo.job import DAY_DAG
from tests.browser.deployment import PROFILE, SCRIPT_BILLNUM, SCRIPT_DATE

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.browser.conftest import Visit
    from tests.browser.deployment import Deployment

NOTE = "Agreed with the ERP's team: <created by hand>"
MOST_TABS = 80
MOST_LOADS = 12
# Another open break beside those that were found: of the same invoice, with a category of its own.
OPEN_BREAK = """
INSERT INTO ropo.reconciliation_break (
    profile, invoice_key, billnum, category, state, business_date, currency, amount, evidence, first_seen, last_seen,
    times_seen, first_reconciliation_id, last_reconciliation_id
)
SELECT
    profile, invoice_key, billnum, %s, 'open', business_date, currency, amount, evidence, first_seen,
    last_seen, times_seen, first_reconciliation_id, last_reconciliation_id
FROM ropo.reconciliation_break
ORDER BY break_id
LIMIT 1
"""
HISTORY = """
SELECT kind, note FROM ropo.reconciliation_break_event JOIN ropo.reconciliation_break USING (break_id)
WHERE category = %s AND by_whom = 'controller' ORDER BY event_id
"""
DECIDED = "SELECT count(*) FROM ropo.reconciliation_break_event WHERE by_whom = 'controller' AND note = %s"
ACCEPTED = "SELECT state, accepted_by, accepted_note FROM ropo.reconciliation_break WHERE invoice_key = %s"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the focus is on such an element."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise LookupError(f"{MOST_TABS} times Tab do not lead to {selector}")


def load_until(page: Page, shown: Locator) -> None:
    """Load the page again until it shows something: Airflow writes a task's links after its state, its UI asks once."""
    for _ in range(MOST_LOADS):
        try:
            shown.wait_for(timeout=5_000)
        except Error:
            page.reload()
        else:
            return
    raise LookupError(f"{MOST_LOADS} times loaded, {page.url} does not show it")


def test_a_controller_goes_from_the_red_cell_through_date_and_invoice_to_the_break_and_accepts_it(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller") as page:
        page.goto(f"{deployment.url}/dags/{DAY_DAG}")
        page.locator(f'[id="grid-{compared}-profile"]').click()
        failed = page.get_by_role("row").filter(has_text="profile.verdict")
        expect(failed).to_contain_text("Failed")
        failed.get_by_role("link", name="demo").click()
        page.get_by_role("link", name="Details").click()
        # The task's own link, not the one of the navigation.
        link = page.locator("a[href*='/dates/']").filter(has_text="Reconciliation")
        load_until(page, link)
        link.click()

        # The date
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("heading", level=1)).to_contain_text(f"{SCRIPT_DATE.day} {SCRIPT_DATE:%b %Y}")
        expect(frame.get_by_text("missing in the ledger").first).to_be_visible()
        frame.get_by_role("link", name=SCRIPT_BILLNUM, exact=True).click()

        # The invoice
        expect(frame.get_by_role("heading", level=1)).to_have_text(f"Invoice {SCRIPT_BILLNUM}")
        frame.get_by_role("link", name="Accept or comment").click()

        # The break
        frame.get_by_label("Note").fill(NOTE)
        frame.get_by_role("button", name="Accept as it is").click()
        expect(frame.get_by_role("status")).to_contain_text("1 break is accepted")
        expect(frame.get_by_text(NOTE).first).to_be_visible()

    assert deployment.ask(deployment.store, ACCEPTED, f"b:{SCRIPT_BILLNUM}") == [("accepted", "controller", NOTE)]


def test_the_keyboard_alone_leads_through_the_calendar_to_a_date_and_comments_on_a_break(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller") as page:
        page.goto(f"{deployment.url}/reconciliation/")
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
        page.keyboard.press("Enter")
        tab_to(page, ".calendar a")
        monday = page.evaluate("document.activeElement.getAttribute('href')")
        page.keyboard.press("ArrowDown")
        assert page.evaluate("document.activeElement.getAttribute('href')") != monday
        page.keyboard.press("ArrowUp")
        assert page.evaluate("document.activeElement.getAttribute('href')") == monday
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{deployment.url}{monday}")

        page.goto(f"{deployment.url}/reconciliation/breaks/1")
        tab_to(page, "textarea")
        page.keyboard.type("seen without a mouse")
        tab_to(page, "button[value=comment]")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("The comment stands in the history")
        expect(page.get_by_text("seen without a mouse")).to_be_visible()


def test_enter_on_a_chosen_break_decides_nothing_and_who_comes_back_sees_how_many_are_chosen(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    deployment.change(deployment.store, OPEN_BREAK, "ledger_ahead")
    with visit("controller") as page:
        page.goto(f"{deployment.url}/reconciliation/breaks?category=ledger_ahead")
        chosen = page.locator("input[name=break_id]").first
        accept = page.get_by_role("button", name="Accept 1 chosen")
        page.get_by_label("Note").fill("only a comment")
        chosen.check()
        chosen.press("Enter")
        expect(accept).to_be_visible()
        page.get_by_role("link", name="History").first.click()
        expect(page.get_by_role("heading", name="What happened to it")).to_be_visible()
        page.go_back()
        expect(chosen).to_be_checked()
        expect(accept).to_be_visible()

        # The buttons themselves still decide.
        page.get_by_label("Note").fill("only a comment")
        page.get_by_role("button", name="Comment").click()
        expect(page.get_by_role("status")).to_contain_text("The comment stands in the history of 1 break")
    assert deployment.ask(deployment.store, DECIDED, "only a comment") == [(1,)]


def test_what_was_accepted_by_mistake_is_opened_again_in_the_list_and_on_its_own_page(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    deployment.change(deployment.store, OPEN_BREAK, "ledger_inconsistent")
    with visit("controller") as page:
        page.goto(f"{deployment.url}/reconciliation/breaks?category=ledger_inconsistent")
        page.locator("input[name=break_id]").check()
        page.get_by_label("Note").fill("the wrong row")
        page.get_by_role("button", name="Accept 1 chosen").click()
        expect(page.get_by_role("status")).to_contain_text("1 break is accepted")

        # In the list
        page.get_by_label("State").get_by_role("link", name="Accepted").click()
        row = page.get_by_role("row").filter(has_text="Ledger inconsistent")
        row.locator("input[name=break_id]").check()
        page.get_by_label("Note").fill("not this one")
        page.get_by_role("button", name="Open 1 chosen again").click()
        expect(page.get_by_role("status")).to_contain_text("1 break is open again. Its date's verdict follows")
        expect(row).to_have_count(0)

        # On its own page
        page.get_by_label("State").get_by_role("link", name="Open").click()
        row.get_by_role("link", name="History").click()
        page.get_by_label("Note").fill("the wrong row again")
        page.get_by_role("button", name="Accept as it is").click()
        page.get_by_label("Note").fill("still not this one")
        page.get_by_role("button", name="Open it again").click()
        expect(page.get_by_role("status")).to_contain_text("1 break is open again")
        expect(page.get_by_role("listitem").filter(has_text="opened again by controller")).to_have_count(2)
        expect(page.get_by_role("button", name="Accept as it is")).to_be_visible()
    assert deployment.ask(deployment.store, HISTORY, "ledger_inconsistent") == [
        ("accepted", "the wrong row"),
        ("reopened", "not this one"),
        ("accepted", "the wrong row again"),
        ("reopened", "still not this one"),
    ]


def test_a_note_outlives_its_session_and_signing_in_leads_back_to_its_form(
    deployment: Deployment, visit: Visit, compared: str
) -> None:
    with visit("controller") as page:
        page.goto(f"{deployment.url}/reconciliation/breaks/1")
        form = page.url
        page.get_by_label("Note").fill(f"{NOTE},\nafter lunch")
        page.context.clear_cookies()
        page.get_by_role("button", name="Comment").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to Airflow first")
        expect(page.get_by_text("Nothing was changed")).to_be_visible()
        kept = page.get_by_label("Your note")
        expect(kept).not_to_be_editable()
        expect(kept).to_have_value(f"{NOTE},\nafter lunch")

        page.get_by_role("link", name="Sign in to Airflow").click()
        page.fill("input[name=username]", "controller")
        page.fill("input[name=password]", deployment.passwords["controller"])
        page.click("button[type=submit]")
        page.get_by_label("Note").fill("pasted again")
        expect(page).to_have_url(f"{form}?profile={PROFILE}")
        page.get_by_role("button", name="Comment").click()
        expect(page.get_by_role("status")).to_contain_text("The comment stands in the history")
    assert deployment.ask(deployment.store, DECIDED, f"{NOTE},\nafter lunch") == [(0,)]
    assert deployment.ask(deployment.store, DECIDED, "pasted again") == [(1,)]
