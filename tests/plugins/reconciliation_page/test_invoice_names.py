"""An invoice is found by every name that it has, or had, and its breaks stand with it."""

from __future__ import annotations

import datetime
import posixpath
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

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


def test_a_break_under_a_former_jobid_names_the_job_since_the_number_is_the_same(
    client: TestClient, world: World
) -> None:
    world.row("1", "paid", paid="100", jobid="J9", changed_at=at("2026-03-10 08:00"))
    for now in (at("2026-03-10 08:00"), at("2026-03-20 08:00")):
        world.reconcile(now=now, reread_poll_id=world.know_all())
    [(former,)] = world.store("SELECT invoice_key FROM ropo.reconciliation_break")
    world.payment("1", "100", jobid="J1")
    world.ledger("UPDATE ropo_ledger SET jobid = 'J1'")
    world.reconcile(now=at("2026-03-20 10:00"), reread_poll_id=world.know_all())
    [(key,)] = world.store("SELECT renamed_to FROM ropo.reconciliation_break")
    assert former == "j:J9"
    assert breaks_of(client, key).startswith("Missing at Ropo One as job J9 resolved")


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
