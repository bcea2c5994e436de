"""A difference that stands under another name of its invoice is nowhere called resolved."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.include.reconciliation import month
from tests.include.reconciliation.world import DAY, at
from tests.plugins.reconciliation_page.test_invoice import rights, shown

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.include.reconciliation.world import World

__all__ = ["rights"]

BREAKS = "SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY break_id"


@pytest.fixture
def renamed(world: World) -> World:
    """March is signed over an accepted difference, whose invoice gets a jobid in April."""
    world.profile = msgspec.structs.replace(world.profile, start_date=month.FIRST)
    sent = at("2026-03-30 08:00")
    world.row("9", "paid", paid="100", jobid=None, sent_at=sent, changed_at=sent)
    month.run(world, month.FIRST, now=at("2026-03-31 08:00"))
    month.run_all(world)
    month.accepts(world)
    month.signs(world)
    world.ledger("UPDATE ropo_ledger SET jobid = 'J9', changed_at = '2026-04-02 08:00Z' WHERE billnum = '9'")
    month.run(world, month.APRIL, now=month.NOW + month.HOUR)
    assert world.store(BREAKS) == [("b:9", "resolved"), ("j:J9", "accepted")]
    return world


def signed_list(client: TestClient) -> str:
    """What the sign-off says of the accepted differences that the signature rests on."""
    return shown(client, "sign-off/2026-03").partition("that the signature rests on")[2].partition(" History ")[0]


def test_a_signature_rests_on_it_as_it_stands(client: TestClient, renamed: World) -> None:
    assert signed_list(client).endswith("Missing at Ropo One 100.00 EUR Anna known")
    month.reopens(renamed)
    assert "Missing at Ropo One open again since 100.00 EUR Anna known" in signed_list(client)
    month.accepts(renamed, by="Bob", note="wrong booking")
    assert "Missing at Ropo One accepted anew since 100.00 EUR Anna known" in signed_list(client)
    renamed.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100")
    month.run(renamed, month.APRIL, now=month.NOW + 2 * month.HOUR)
    assert "Missing at Ropo One resolved since 100.00 EUR Anna known" in signed_list(client)


def test_the_head_of_the_invoice_says_under_its_former_name_what_stands(client: TestClient, renamed: World) -> None:
    def head() -> str:
        return shown(client, "invoice?key=b:9").rpartition("› Invoice Invoice 9 ")[2].partition(" jobid")[0]

    # When it was compared nothing of it was accepted.
    assert head() == "Missing at Ropo One accepted since"
    month.reopens(renamed)
    assert head() == "Missing at Ropo One"
    renamed.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100")
    month.run(renamed, month.APRIL, now=month.NOW + 2 * month.HOUR)
    assert head() == "Missing at Ropo One resolved since"


def test_a_date_leads_to_the_break_that_stands(client: TestClient, world: World) -> None:
    world.row("9", "paid", paid="100", jobid=None, changed_at=at("2026-03-10 08:00"))
    world.reconcile(now=at("2026-03-10 08:00"), reread_poll_id=world.know_all())
    world.reconcile(now=at("2026-03-20 08:00"), reread_poll_id=world.know_all())
    world.ledger("UPDATE ropo_ledger SET jobid = 'J9', changed_at = '2026-03-26 08:00Z'")
    later = datetime.date(2026, 3, 26)
    world.reconcile(later, now=at("2026-04-01 08:00"), reread_poll_id=world.know_all(later))
    assert world.store(BREAKS) == [("b:9", "resolved"), ("j:J9", "open")]
    text = shown(client, f"dates/{DAY}")
    assert "1 break open now" in text
    assert "since Look at it" not in text
    assert "break Accept or comment : invoice 9" in text
    [(stands,)] = world.store("SELECT break_id FROM ropo.reconciliation_break WHERE state = 'open'")
    assert f'/reconciliation/breaks/{stands}?profile=default">Accept' in client.get(f"/reconciliation/dates/{DAY}").text
    month.accepts(world)
    assert "break accepted since Open again or comment : invoice 9" in shown(client, f"dates/{DAY}")
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 0, open = 100")
    world.reconcile(later, now=at("2026-04-02 08:00"), reread_poll_id=world.know_all(later))
    assert "break resolved since Look at it : invoice 9" in shown(client, f"dates/{DAY}")
