"""An invoice's page: both sides, one time line, sums by kind, breaks with their history, and who may see its rows."""

from __future__ import annotations

import datetime
import html
import re
from typing import TYPE_CHECKING

import pytest
from markupsafe import escape

from include.page_data import invoice
from reconciliation_page.access import may_change
from reconciliation_page.checking import may_check
from tests.include.reconciliation.month import nothing_in_the_ledger
from tests.include.reconciliation.world import DAY, NOW, World, at
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

SCRIPT = "<script>alert('a')</script>"


@pytest.fixture(autouse=True)
def rights(page_app: FastAPI) -> None:
    page_app.dependency_overrides[may_check] = lambda: True


def shown(client: TestClient, path: str) -> str:
    """A page's text, without its tags."""
    answer = client.get(f"/reconciliation/{path}")
    assert answer.status_code == 200, answer.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def test_both_sides_stand_on_one_time_line_with_sums_by_kind_and_the_break_with_its_history(
    client: TestClient, world: World
) -> None:
    world.comment("100", "98", "2026-03-08 09:00", statustext="Kiitos", statusref="Viesti")
    world.payment("100", "60.00", "2026-03-10", statusref="Maksettu")
    world.payment("100", "30.50", "2026-03-10", statusref="Maksettu")
    world.payment("100", "9.50", "2026-03-10", kind="8", statusref="Kassa-alennus")
    world.row("100", paid="40")
    world.reconcile(reread_poll_id=world.know_all())

    text = shown(client, "invoice?key=b:100")
    assert "Invoice 100" in text
    assert re.search(r"money received Ropo's type 1, Maksettu 2 90\.50", text)
    assert re.search(r"cash discount Ropo's type 8, Kassa-alennus 1 9\.50", text)
    line = text[text.index("Time line") : text.index("Breaks", text.index("Time line"))]
    assert line.index("2026-03-08 09:00:00") < line.index("2026-03-10 00:00:00")
    assert line.index("2026-03-10 00:00:00") < line.index(f"The reconciliation of {DAY} looked into the ledger")
    assert "not seen yet" in line
    assert "total 100.00, paid 40.00, open 60.00 EUR" in line
    assert "Kiitos" in line


def test_each_row_says_by_which_way_it_came_and_a_sum_how_many_payments_name_no_amount(
    client: TestClient, world: World
) -> None:
    ways = {"drain": "by the drain", "date": "by a re-read", "billnum": "by an inquiry"}
    for source in ways:
        world.comment("1", "98", statusid=f"C{source}")
        world.store("UPDATE ropo.status_event SET source = %s WHERE statusid = %s", (source, f"C{source}"))
    world.payment("1", "5")
    world.payment("1", None)
    text = shown(client, "invoice?key=b:1")
    assert {source: re.findall(rf"C{source}, stored \S+ \S+ (by \w+ [\w-]+)", text) for source in ways} == {
        source: [way] for source, way in ways.items()
    }
    assert re.search(r"type 1, [^,]* 2 5\.00 1 without an amount", text)


def test_each_look_into_the_ledger_leads_to_the_comparison_that_made_it(client: TestClient, world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    ways = []
    for paid, scope in ((10, "date"), (20, "date"), (30, "full")):
        world.ledger("UPDATE ropo_ledger SET paid = %s, open = 100 - %s", (paid, paid))
        found = world.reconcile(reread_poll_id=world.know_all(), scope=scope)
        ways.append(f"/reconciliation/dates/{DAY}?profile=default&reconciliation={found.reconciliation_id}")

    looks = re.findall('<tr class="look">.*?</tr>', client.get("/reconciliation/invoice?key=b:1").text, re.DOTALL)
    for look, way, called, paid in zip(
        looks, ways, ("reconciliation", "reconciliation", "full comparison"), (10, 20, 30), strict=True
    ):
        assert f'The {called} of <a href="{html.escape(way)}">{DAY}</a> looked into the ledger' in look
        assert f"paid {paid}.00" in look
    text = shown(client, "invoice?key=b:1")
    assert f"The ledger is shown as the full comparison of {DAY} recorded it" in text
    assert text.partition("Reconciliations that had it")[2].count("full comparison") == 1


def test_of_more_looks_or_events_than_are_shown_the_newest_are_and_the_page_says_so(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for hour in (8, 9, 10):
        world.comment("1", "98", f"2026-03-10 {hour:02}:00")
    world.row("1")
    for paid in (10, 20, 30):
        world.ledger("UPDATE ropo_ledger SET paid = %s, open = 100 - %s", (paid, paid))
        world.reconcile(reread_poll_id=world.know_all())
    monkeypatch.setattr(invoice, "SEEN_SHOWN", 3)
    monkeypatch.setattr(invoice, "EVENTS_SHOWN", 3)
    assert "than can be shown here" not in shown(client, "invoice?key=b:1")

    monkeypatch.setattr(invoice, "SEEN_SHOWN", 2)
    text = shown(client, "invoice?key=b:1")
    assert "More reconciliations had it than can be shown here: these are the newest 2." in text
    assert "more events" not in text
    assert "paid 10.00" not in text
    assert "paid 20.00" in text

    monkeypatch.setattr(invoice, "EVENTS_SHOWN", 2)
    text = shown(client, "invoice?key=b:1")
    assert "It has more events than can be shown here: these are the newest 2." in text
    assert "2026-03-10 08:00:00" not in text
    assert "2026-03-10 09:00:00" in text


def test_a_ledger_that_came_empty_says_nothing_of_the_invoice(client: TestClient, world: World) -> None:
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.reconcile(reread_poll_id=world.know_all())
    assert "found no row at all" not in shown(client, "invoice?key=b:1")
    world.ledger("DELETE FROM ropo_ledger")
    world.reconcile(reread_poll_id=world.know_all())
    text = shown(client, "invoice?key=b:1")
    assert "That comparison found no row at all in the ledger: of this invoice it says nothing." in text
    assert "No reconciliation that saw the ledger has found a difference here that outlived its grace" in text
    assert "What to do next" not in text


def test_a_ledger_that_came_empty_is_no_look_into_it(client: TestClient, world: World) -> None:
    world.payment("7", "60")
    world.row("7", paid="60", changed_at=at("2026-03-10 08:00"))
    world.reconcile(now=at("2026-03-11 08:00"), reread_poll_id=world.know_all())
    with nothing_in_the_ledger(world):
        world.reconcile(now=at("2026-03-12 08:00"), reread_poll_id=world.know_all())
        of_the_moment = shown(client, "invoice?key=b:7")
        line, _, seen = of_the_moment.partition("Reconciliations that had it")
        assert line.count(f"reconciliation of {DAY} looked into the ledger") == 1
        assert "State partly paid the ledger came empty" in line
        assert seen.count("the ledger came empty") == 1
    world.reconcile(now=at("2026-03-13 08:00"), reread_poll_id=world.know_all())
    text = shown(client, "invoice?key=b:7")
    assert text.count("looked into the ledger") == 1, "that the row is there still is no change"
    assert "the ledger came empty" in text.partition("Reconciliations that had it")[2]
    for each in (of_the_moment, text):
        assert "no row" not in each.replace("found no row at all", "")


def test_what_is_resolved_is_at_stake_no_more(client: TestClient, world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(now=at("2026-03-20 08:00"))
    assert "100.00 EUR at stake, since 2026-03-10 (" in shown(client, "invoice?key=b:1")
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 100, open = 0")
    world.reconcile(now=at("2026-03-21 08:00"))
    assert "100.00 EUR was at stake, since 2026-03-10, seen 1 time" in shown(client, "invoice?key=b:1")
    assert "100.00 EUR was at stake." in shown(client, "breaks/1")


def test_a_full_comparison_of_a_date_that_was_never_compared_by_itself_is_led_to(
    client: TestClient, world: World
) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all(), scope="full")
    page = client.get("/reconciliation/invoice?key=b:1").text
    ways = {
        html.unescape(way).removeprefix("/reconciliation/")
        for way in re.findall(f'href="([^"]*dates/{DAY}[^"]*)"', page)
    }
    assert ways
    for way in ways:
        assert "This is a full comparison" in shown(client, way)


def test_what_differs_by_design_is_not_marked_as_a_difference(client: TestClient, world: World) -> None:
    world.comment("100", "98")
    world.row("100", "paid", paid="100", by_ropo=False)
    world.payment("200", "30")
    world.row("200")
    world.know_all()
    world.reconcile(now=at("2026-03-30 08:00"))

    agreed = client.get("/reconciliation/invoice?key=b:100").text
    assert "payments are not compared" in agreed
    assert 'class="differs"' not in agreed
    assert 'class="differs"' in client.get("/reconciliation/invoice?key=b:200").text


def test_states_are_words(client: TestClient, world: World) -> None:
    world.payment("100", "30")
    world.row("100", "collection")
    world.know_all()
    world.reconcile(now=at("2026-03-30 08:00"))
    for path in ("invoice?key=b:100", "breaks/1", "breaks", f"dates/{DAY}"):
        text = shown(client, path)
        assert "in collection" in text
        assert "partly paid" in text
        # The time line tells the ledger's own word beside.
        assert "in_collection" not in text
        assert "partly_paid" not in text


def test_a_break_shows_its_history_and_its_notes(client: TestClient, world: World) -> None:
    world.comment("7", "98", "2026-03-05 09:00", seen=at("2026-03-05 10:00"))
    world.row("another")
    world.reconcile(datetime.date(2026, 3, 5))
    world.store(
        "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note) "
        "SELECT break_id, 'Anna', 'commented', %s FROM ropo.reconciliation_break",
        (SCRIPT,),
    )

    text = shown(client, "invoice?key=b:7")
    assert "Missing in the ledger open" in text
    assert "opened by" in text
    assert f"commented by Anna: {SCRIPT}" in text


def test_a_difference_says_what_to_do_next_and_leads_to_where_it_is_accepted(client: TestClient, world: World) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(now=at("2026-03-20 08:00"), reread_poll_id=world.know_all())
    for path in ("invoice?key=b:1", "breaks/1"):
        assert "What to do next: Book Ropo's payment in the ERP. Mended," in shown(client, path)
    for path in ("invoice?key=b:1", f"dates/{DAY}"):
        page = client.get(f"/reconciliation/{path}").text
        assert '<a href="/reconciliation/breaks/1?profile=default">Accept or comment<' in page


def test_an_accepted_break_is_a_press_away_from_where_it_is_opened_again(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    world.payment("1", "100")
    world.row("1")
    world.reconcile(now=at("2026-03-20 08:00"), reread_poll_id=world.know_all())
    form = {"what": "accept", "note": "known", "seen": "99"}
    assert client.post("/reconciliation/breaks/1", data=form, headers=SAME_ORIGIN).status_code == 303
    way = '<a href="/reconciliation/breaks/1?profile=default">Open again or comment<'
    assert way in client.get("/reconciliation/invoice?key=b:1").text
    form = {"what": "reopen", "note": "the wrong customer", "seen": "99"}
    assert client.post("/reconciliation/breaks/1", data=form, headers=SAME_ORIGIN).status_code == 303
    text = shown(client, "invoice?key=b:1")
    assert "Ledger behind open" in text
    assert f"opened again by {USER}: the wrong customer" in text
    page_app.dependency_overrides[may_change] = lambda: False
    assert "Open again" not in shown(client, "invoice?key=b:1")


def test_what_is_a_script_shows_as_text(client: TestClient, world: World) -> None:
    world.comment("<b>1", "98", statustext=SCRIPT, statusref=SCRIPT)

    answer = client.get("/reconciliation/invoice?key=b:<b>1")
    assert answer.status_code == 200
    assert SCRIPT not in answer.text
    assert answer.text.count(str(escape(SCRIPT))) >= 2
    assert "<b>" not in answer.text
    assert f"Invoice {html.escape('<b>1')}" in answer.text


def test_free_texts_and_raw_rows_are_for_those_who_may_edit(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    world.comment("5", "98", statustext="Matti Meikäläinen ei maksa", statusref="Viesti Matilta")
    world.comment("5", "Puhelu Matti", "2026-03-09 09:00")
    world.payment("5", "1.00", statusref="Maksaja Matti")
    world.payment("5", "2.00", kind="Matti maksoi")
    text = shown(client, "invoice?key=b:5")
    for each in (
        "type Matti maksoi",
        "Matti Meikäläinen",
        "Viesti Matilta",
        "comment Puhelu Matti",
        "1, Maksaja Matti",
    ):
        assert each in text
    assert "C1" in shown(client, "invoice?key=b:5").split("Raw rows")[1]

    page_app.dependency_overrides[may_change] = lambda: False
    text = shown(client, "invoice?key=b:5")
    assert "Mat" not in text
    assert "comment 98" in text
    assert "comment (a text, not shown)" in text
    assert "text shown to those who may edit" in text
    assert "C1" not in text.split("Raw rows")[1]
    assert "money received" in text


def test_an_earlier_content_stands_beside_the_row(client: TestClient, world: World) -> None:
    statusid = world.payment("5", "1.00")
    world.store(
        "INSERT INTO ropo.status_event_revision (profile, statusid, revision, content_sha256, raw, poll_id) "
        "VALUES ('default', %s, 1, '', %s, %s)",
        (statusid, '{"amount": "2.00"}', world.poll_id),
    )
    text = shown(client, "invoice?key=b:5")
    assert "1 earlier content" in text
    assert '"amount": "2.00"' in text


def test_what_became_of_the_difference_stands_beside_it(client: TestClient, world: World) -> None:
    world.payment("100", "50")
    world.row("100")
    world.reconcile(now=NOW + datetime.timedelta(days=8))
    head = "Invoice 100 Ledger behind"
    assert f"{head} jobid" in shown(client, "invoice?key=b:100")
    world.store(
        "UPDATE ropo.reconciliation_break SET state = 'accepted', accepted_at = now(), accepted_by = 'Eve', "
        "accepted_note = 'known', accepted_evidence = evidence"
    )
    assert f"{head} accepted since jobid" in shown(client, "invoice?key=b:100")
    world.ledger("UPDATE ropo_ledger SET status = 'paid', paid = 50, total = 50, open = 0")
    world.reconcile(now=NOW + datetime.timedelta(days=9))
    assert "since jobid" not in shown(client, "invoice?key=b:100")


def test_a_heading_that_says_accepted_says_too_that_it_is_open_again(client: TestClient, world: World) -> None:
    world.payment("100", "50")
    world.row("100")
    world.reconcile(now=NOW + datetime.timedelta(days=8))
    world.store(
        "UPDATE ropo.reconciliation_break SET state = 'accepted', accepted_at = now(), accepted_by = 'Eve', "
        "accepted_note = 'known', accepted_evidence = evidence RETURNING 1"
    )
    world.reconcile(now=NOW + datetime.timedelta(days=9))
    head = "Invoice 100 Ledger behind, accepted"
    assert f"{head} jobid" in shown(client, "invoice?key=b:100")
    world.store(
        "UPDATE ropo.reconciliation_break SET state = 'open', accepted_at = NULL, accepted_by = NULL, "
        "accepted_note = NULL, accepted_evidence = NULL RETURNING 1"
    )
    assert f"{head} open again since jobid" in shown(client, "invoice?key=b:100")


def test_a_difference_within_its_grace_was_not_mended_with_an_earlier_one(client: TestClient, world: World) -> None:
    world.payment("100", "50")
    world.row("100")
    world.reconcile(now=NOW + datetime.timedelta(days=8))
    world.ledger("UPDATE ropo_ledger SET paid = 50, open = 50")
    world.reconcile(now=NOW + datetime.timedelta(days=9))
    assert world.store("SELECT state FROM ropo.reconciliation_break") == [("resolved",)]
    world.payment("100", "50", "2026-03-20", seen=at("2026-03-20 10:00"))
    world.reconcile(datetime.date(2026, 3, 20), now=at("2026-03-20 23:00"))
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    world.store(
        "UPDATE ropo.reconciliation_item SET pending_until = %s WHERE pending_until IS NOT NULL RETURNING 1", (later,)
    )
    assert "Invoice 100 Ledger behind, pending jobid" in shown(client, "invoice?key=b:100")


def test_a_difference_whose_grace_is_over_is_called_pending_no_more(client: TestClient, world: World) -> None:
    world.payment("100", "50")
    world.row("100")
    world.reconcile()
    head = "Invoice 100 Ledger behind, grace over, not compared again yet jobid"
    page = shown(client, "invoice?key=b:100")
    assert head in page
    assert "Its grace is over since 2026-03-12 00:00, and it was not compared again yet." in page
    world.reconcile(now=NOW + datetime.timedelta(days=8))
    page = shown(client, "invoice?key=b:100")
    assert "not compared again" not in page
    assert "Ledger behind, pending" in page, "as it stood the first time"
