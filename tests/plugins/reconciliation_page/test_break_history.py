"""A break's history speaks to who keeps the books: no column, no code, no digest, and who it was that accepted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.reconciliation.categories import reason_in_words
from tests.include.reconciliation.world import at
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER, words_of
from tests.plugins.reconciliation_page.test_invoice import rights

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

    from tests.include.reconciliation.world import World

__all__ = ["rights"]
PATHS = ("breaks/1", "invoice?key=b:7")


def told(client: TestClient, path: str) -> str:
    """What a page says of what happened to breaks."""
    return words_of(client.get(f"/reconciliation/{path}").text, r'<ol class="history">.*?</ol>')


def reconcile(world: World, day: int) -> None:
    world.reconcile(now=at(f"2026-03-{day} 08:00"), reread_poll_id=world.know_all())


def test_codes_that_the_map_lacks_are_counted_without_their_digest(client: TestClient, world: World) -> None:
    world.payment("7", "60")
    world.row("7", paid="60")
    world.comment("7", "777", "2026-03-10 13:00")
    reconcile(world, 20)
    world.comment("7", "778", "2026-03-10 14:00")
    reconcile(world, 21)
    for path in PATHS:
        found = told(client, path)
        assert "codes not in the map (" not in found
        assert "from 1 row with a code not in the status map to 2 rows with codes not in the status map" in found


def test_another_reason_rows_and_another_category_are_told_in_words(client: TestClient, world: World) -> None:
    world.payment("7", "60")
    world.row("7", paid="50", open="50", total="100")
    world.comment("7", "101", "2026-03-10 13:00")
    reconcile(world, 20)
    world.ledger("UPDATE ropo_ledger SET paid = 60, open = 40")
    reconcile(world, 21)
    world.ledger("UPDATE ropo_ledger SET paid = 100, open = 0")
    reconcile(world, 22)
    for path in PATHS:
        found = told(client, path).replace("&#34;", '"')
        assert reason_in_words("ledger_behind", "closed_in_ropo") in found.replace("&#39;", "'")
        assert "it differs otherwise now: amounts differ" in found
        assert "closed_in_ropo" not in found
        assert "amount_mismatch" not in found


def test_an_acceptance_that_went_with_a_new_name_is_of_who_gave_it(client: TestClient, world: World) -> None:
    world.payment("7", "100")
    world.row("7")
    reconcile(world, 20)
    form = {"what": "accept", "note": "ok", "seen": "99"}
    assert client.post("/reconciliation/breaks/1", data=form, headers=SAME_ORIGIN).status_code == 303
    # The ledger gets another row of the number: what went by the number goes by its job now.
    world.row("7", jobid="NEW", changed_at=at("2026-03-12 08:00"))
    reconcile(world, 21)
    assert world.store("SELECT invoice_key, state FROM ropo.reconciliation_break ORDER BY 1") == [
        ("b:7", "resolved"), ("j:J7", "accepted")
    ]  # fmt: skip
    assert "it is known as job J7 now" in told(client, "breaks/1")
    for path in ("breaks/2", "invoice?key=j:J7"):
        found = told(client, path)
        assert f"accepted by {USER} (when it was invoice 7)" in found
        assert "b:7" not in found
