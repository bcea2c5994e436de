"""An invoice is found by every name that it has, or had, and its breaks stand with it."""

from __future__ import annotations

import datetime
import html
import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.include.reconciliation.month import nothing_in_the_ledger
from tests.include.reconciliation.world import World, at
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

from tests.plugins.reconciliation_page.test_invoice import rights, shown

__all__ = ["rights"]


@pytest.mark.parametrize("find", ["100", "J100", " 100 "])
def test_an_invoice_is_found_by_number_and_by_jobid(client: TestClient, world: World, find: str) -> None:
    world.comment("100", "98")
    answer = client.get("/reconciliation/invoices", params={"find": find})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/reconciliation/invoice?profile=default&key=b%3A100"
    assert client.get(answer.headers["location"]).status_code == 200


def test_a_number_that_several_invoices_have_lists_them(client: TestClient, world: World) -> None:
    world.comment("100", "98", jobid="A")
    world.comment("100", "98", jobid="B")
    world.row("100", jobid="A")
    world.row("100", jobid="B")
    world.know_all()
    world.reconcile()
    text = shown(client, "invoices?find=100")
    assert "100 stands for 2 invoices" in text
    assert "Invoice 100" in shown(client, "invoice?key=j:A")


def leads_to(client: TestClient, find: str) -> str:
    answer = client.get("/reconciliation/invoices", params={"find": find})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("key=")[2]


def test_an_invoice_that_got_another_number_has_every_row_that_was_compared(client: TestClient, world: World) -> None:
    world.payment("X", "100", "2026-03-10", jobid="J")
    world.comment("Y", "98", "2026-03-10 12:00", jobid="J")
    world.row("Y", "paid", paid="100", jobid="J")
    world.reconcile()
    text = shown(client, "invoice?key=b:Y")
    assert re.search(r"money received Ropo's type 1, Viesti 1 100\.00", text)
    assert "2026-03-10 00:00:00 payment" in text
    for find in ("X", "Y", "J"):
        assert leads_to(client, find) == "b%3AY"
    earlier = client.get("/reconciliation/invoice?key=b:X")
    assert earlier.headers["location"] == "/reconciliation/invoices?profile=default&find=X"


def test_a_number_that_an_invoice_had_before_leads_to_the_one_that_it_has_now(client: TestClient, world: World) -> None:
    world.payment("X", "100", "2026-03-10", jobid="J")
    world.row("X", "paid", paid="100", jobid="J")
    world.reconcile()
    assert leads_to(client, "X") == "b%3AX"
    world.comment("Y", "98", "2026-03-10 12:00", jobid="J")
    # Not compared yet: what was recorded last is what there is.
    assert leads_to(client, "X") == "b%3AX"
    world.ledger("UPDATE ropo_ledger SET billnum = 'Y'")
    world.reconcile()
    assert leads_to(client, "X") == "b%3AY"

    text = shown(client, "invoice?key=b:X")
    assert "Ropo One's rows of it name another number now: Y . They stand there" in text
    assert "has sent no row of type payment" not in text
    assert "Ropo One has never spoken of it" not in text


def breaks_of(client: TestClient, key: str) -> str:
    """What an invoice's page says of its breaks."""
    text = shown(client, f"invoice?key={key}")
    return text[text.index("Ledger, as last seen") : text.index("Reconciliations that had it")].partition(" Breaks ")[2]


def test_a_break_under_a_former_number_stands_with_the_invoice_that_it_is_now(client: TestClient, world: World) -> None:
    world.payment("X", "100", "2026-03-10", jobid="J")
    world.row("X", jobid="J")
    world.reconcile(now=at("2026-03-20 08:00"), reread_poll_id=world.know_all())
    form = {"what": "accept", "note": "the bank's fee", "seen": "99"}
    assert client.post("/reconciliation/breaks/1", data=form, headers=SAME_ORIGIN).status_code == 303
    assert "as invoice" not in breaks_of(client, "b:X"), "it is its name"
    world.comment("Y", "98", "2026-03-10 12:00", jobid="J")
    world.ledger("UPDATE ropo_ledger SET billnum = 'Y', status = 'paid', paid = 100, open = 0")
    world.reconcile(now=at("2026-03-20 10:00"), reread_poll_id=world.know_all())
    assert world.store("SELECT state, renamed_to FROM ropo.reconciliation_break") == [("resolved", "b:Y")]

    found = breaks_of(client, "b:Y")
    assert "No break, ever" not in found
    assert found.startswith("Ledger behind as invoice X resolved")
    assert f"accepted by {USER}: the bank's fee" in found
    assert "it is known as invoice Y now" in found
    assert '<a href="/reconciliation/invoice?profile=default&amp;key=b%3AX">invoice X</a>' in (
        client.get("/reconciliation/invoice?key=b:Y").text
    )


@pytest.fixture
def of_another_job(world: World) -> World:
    """Invoice 1 had a break under its row's jobid; then Ropo One speaks of it as another job, and so does the row."""
    world.row("1", "paid", paid="100", jobid="J9", changed_at=at("2026-03-10 08:00"))
    for now in (at("2026-03-10 08:00"), at("2026-03-20 08:00")):
        world.reconcile(now=now, reread_poll_id=world.know_all())
    world.payment("1", "100", jobid="J1")
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1'")
    world.reconcile(now=at("2026-03-20 10:00"), reread_poll_id=world.know_all())
    assert world.store("SELECT invoice_key, renamed_to FROM ropo.reconciliation_break") == [("j:J9", "b:1")]
    return world


@pytest.mark.usefixtures("of_another_job")
def test_a_break_under_a_former_jobid_names_the_job_since_the_number_is_the_same(client: TestClient) -> None:
    assert breaks_of(client, "b:1").startswith("Missing at Ropo One as job J9 resolved")


def test_a_break_under_a_former_number_says_nothing_of_the_difference_that_there_is_now(
    client: TestClient, world: World
) -> None:
    world.payment("X", "100", "2026-03-10", jobid="J")
    world.row("X", jobid="J")
    world.reconcile(now=at("2026-03-20 08:00"), reread_poll_id=world.know_all())
    world.comment("Y", "98", "2026-03-10 12:00", jobid="J")
    world.ledger("UPDATE ropo_ledger SET billnum = 'Y'")
    world.reconcile(now=at("2026-03-20 10:00"), reread_poll_id=world.know_all())
    assert world.store("SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY break_id") == [
        ("b:X", "resolved"),
        ("b:Y", "open"),
    ]
    assert "Invoice Y Ledger behind jobid J" in shown(client, "invoice?key=b:Y")
    found = breaks_of(client, "b:Y")
    assert found.startswith("Ledger behind open")
    assert "Ledger behind as invoice X resolved" in found
    page = client.get("/reconciliation/invoice?key=b:Y").text
    heard = re.findall(r'<span class="hidden-visually">: ([^<]+)</span></a>', page)
    assert heard == ["Ledger behind", "Ledger behind, as invoice X"]


def test_rows_without_a_number_stand_with_the_invoice_that_the_ledger_names(client: TestClient, world: World) -> None:
    world.payment(None, "100", "2026-03-10", jobid="J")
    world.row("N", "paid", paid="100", jobid="J")
    world.reconcile()
    assert re.search(r"money received Ropo's type 1, Viesti 1 100\.00", shown(client, "invoice?key=b:N"))


def test_a_number_used_again_stands_for_the_invoices_that_there_are(client: TestClient, world: World) -> None:
    world.payment("1", "100", "2026-03-10")
    world.row("1")
    world.reconcile(now=at("2026-03-20 08:00"))
    world.row("1", jobid="NEW", sent_at=at("2026-03-19 08:00"), changed_at=at("2026-03-19 08:00"))
    world.reconcile(now=at("2026-03-20 10:00"))
    world.reconcile(datetime.date(2026, 3, 19), now=at("2026-03-20 11:00"))
    page = client.get("/reconciliation/invoices?find=1").text
    assert re.findall(r'invoice\?[^"]*key=([^"&]+)', page) == ["j%3AJ1", "j%3ANEW"]
    assert leads_to(client, "J1") == "j%3AJ1"


def test_the_key_of_a_number_leads_to_the_job_that_it_stands_for(client: TestClient, world: World) -> None:
    world.row("7", "paid", paid="100", jobid="J7", changed_at=at("2026-03-10 08:00"))
    world.reconcile()
    answer = client.get("/reconciliation/invoice?key=b:7")
    assert answer.status_code == 303
    assert leads_to(client, "7").startswith("j%3AJ7")


def test_an_invoice_that_nobody_knows_is_said_to_be_so(client: TestClient, world: World) -> None:
    answer = client.get("/reconciliation/invoice?key=b:1")
    assert answer.status_code == 404
    assert "Nothing is known of 1" in answer.text


@pytest.mark.parametrize("billnum", ["1/../2", "../..", "1//2", "1/", "1?2#3&key=b:4", "1%2f2"])
def test_an_invoice_of_any_number_is_opened_by_its_link(client: TestClient, world: World, billnum: str) -> None:
    """A browser takes `..` out of a path, so that the key must not stand in it."""
    world.comment(billnum, "98")
    location = client.get("/reconciliation/invoices", params={"find": billnum}).headers["location"]

    path = urlsplit(location).path
    assert path == posixpath.normpath(path)
    assert f"Invoice {billnum}" in shown(client, location.removeprefix("/reconciliation/"))


def test_the_address_of_earlier_versions_leads_to_the_invoice(client: TestClient, world: World) -> None:
    answer = client.get("/reconciliation/invoices/b:a/b")
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/reconciliation/invoice?profile=default&key=b%3Aa%2Fb",
    )


@pytest.mark.parametrize(
    "path",
    ["invoice", "invoice?key=x", "invoice?key=b:", "invoice?key=b:%00", "invoices?find=%00", "invoice?key=b:1&run=%00"],
)
def test_what_can_be_no_invoice_or_no_run_is_refused(client: TestClient, path: str) -> None:
    assert client.get(f"/reconciliation/{path}").status_code == 422


@pytest.fixture
def spoken_of_later(world: World) -> World:
    """Invoice 7 was compared by its ledger's row alone; two weeks later Ropo One tells a payment that nobody booked."""
    world.row("7", sent_at=at("2026-03-10 08:00"), changed_at=at("2026-03-10 08:00"))
    world.reconcile(now=at("2026-03-11 08:00"), reread_poll_id=world.know_all())
    later = datetime.date(2026, 3, 24)
    world.payment("7", "100", "2026-03-24", seen=at("2026-03-24 10:00"))
    world.reconcile(later, now=at("2026-04-01 08:00"), reread_poll_id=world.know_all(later))
    assert world.store("SELECT invoice_key, state FROM ropo.reconciliation_break") == [("b:7", "open")]
    return world


def test_a_date_leads_to_what_the_invoice_is_now(client: TestClient, spoken_of_later: World) -> None:
    date = client.get("/reconciliation/dates/2026-03-10?state=all").text
    [way] = {html.unescape(way) for way in re.findall(r'href="/reconciliation/(invoice\?[^"]*)"', date)}
    text = shown(client, way)
    assert way.endswith("j%3AJ7")
    assert "It goes by invoice 7 now" in text
    assert 'default&amp;key=b%3A7">invoice 7</a> now' in client.get(f"/reconciliation/{way}").text
    assert "No break, ever" not in text
    assert "No break under this name" in text
    assert "goes by" not in shown(client, "invoice?key=b:7")


def test_an_invoice_has_what_was_compared_under_its_former_name(client: TestClient, spoken_of_later: World) -> None:
    text = shown(client, "invoice?key=b:7")
    had = text[text.index("Reconciliations that had it") :]
    assert re.search(r"2026-03-10 \S+ \S+ Matched as job J7 ", had)
    assert had.count("as job J7") == 1
    assert "The reconciliation of 2026-03-10 looked into the ledger" in text


@pytest.mark.usefixtures("of_another_job")
def test_what_a_break_was_renamed_to_is_its_invoices_name_though_it_has_another_job(client: TestClient) -> None:
    assert "It goes by invoice 1 now" in shown(client, "invoice?key=j:J9")
    assert shown(client, "invoice?key=b:1").partition("that had it")[2].count("as job J9") == 2


def test_a_number_that_is_in_use_again_is_no_former_name(client: TestClient, world: World) -> None:
    world.payment("X", "100", "2026-03-10", jobid="J")
    world.row("X", jobid="J")
    world.reconcile(now=at("2026-03-20 08:00"), reread_poll_id=world.know_all())
    world.comment("Y", "98", "2026-03-10 12:00", jobid="J")
    world.ledger("UPDATE ropo_ledger SET billnum = 'Y'")
    world.reconcile(now=at("2026-03-20 10:00"), reread_poll_id=world.know_all())
    assert "It goes by" not in shown(client, "invoice?key=b:X"), "Ropo One's rows say it already"
    world.row("X", jobid="K", sent_at=at("2026-03-19 08:00"), changed_at=at("2026-03-19 08:00"))
    other = datetime.date(2026, 3, 19)
    world.comment("X", "98", "2026-03-19 12:00", jobid="K")
    world.reconcile(other, now=at("2026-03-20 11:00"), reread_poll_id=world.know_all(other))
    assert world.store("SELECT invoice_key FROM ropo.reconciliation_item WHERE jobid = 'K'") == [("b:X",)]
    text = shown(client, "invoice?key=b:X")
    assert "goes by" not in text
    assert "2026-03-19" not in shown(client, "invoice?key=b:Y").partition("that had it")[2], "another invoice"


def test_a_ledger_that_came_empty_names_no_invoice(client: TestClient, world: World) -> None:
    world.payment(None, "100", "2026-03-10", jobid="J")
    world.row("N", "paid", paid="100", jobid="J")
    world.reconcile()
    with nothing_in_the_ledger(world):
        world.reconcile()
    keys = world.store("SELECT invoice_key FROM ropo.reconciliation_item ORDER BY reconciliation_id")
    assert keys == [("b:N",), ("j:J",)]
    assert "goes by" not in shown(client, "invoice?key=b:N")
    assert "It goes by invoice N now" in shown(client, "invoice?key=j:J")
