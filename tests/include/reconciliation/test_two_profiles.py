"""Two profiles with the same invoice numbers live in one store, each as if it were alone."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.config.profiles import Profile
from tests.include.reconciliation.conftest import empty
from tests.include.reconciliation.life import books, live, settings
from tests.include.reconciliation.month import FIRST
from tests.include.reconciliation.world import LEDGER, World, at

if TYPE_CHECKING:
    from local_airflow.embedded import Server


@pytest.fixture(scope="module")
def dsns(postgres: Server, world_dsns: tuple[str, str]) -> tuple[str, str, str]:
    """The store, and the ledgers of two companies."""
    other_ledger = postgres.dsn(postgres.fresh_database("other_ledger"))
    with closing(psycopg2.connect(other_ledger)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    return *world_dsns, other_ledger


@pytest.fixture(scope="module")
def alone(dsns: tuple[str, str, str]) -> tuple[list[object], object]:
    """What a profile finds and has in its books that is alone in the store."""
    store, ledger, _ = dsns
    empty(store, ledger)
    world = World(store, ledger, settings(Profile(name="default"), "default"))
    return list(live(world)), books(world)


def both(dsns: tuple[str, str, str]) -> tuple[World, World]:
    """The default profile and the other one, in an empty store."""
    store, *ledgers = dsns
    empty(store, *ledgers)
    world, other = (
        World(store, ledger, settings(Profile(name="default"), name))
        for name, ledger in zip(("default", "other"), ledgers, strict=True)
    )
    return world, other


def as_default(said: object) -> str:
    """What was said of the other profile, in the words that it would be said in of the default one."""
    return str(said).replace("profile other", "profile default")


@pytest.mark.parametrize(
    ("ahead", "numbers"),
    [
        pytest.param(99, 0, id="lived before, with the same statusids"),
        pytest.param(12, 1000, id="half its life ahead, with others"),
        pytest.param(0, 0, id="a step behind, with the same statusids"),
    ],
)
def test_each_finds_and_keeps_what_it_would_alone(
    dsns: tuple[str, str, str], alone: tuple[list[object], object], ahead: int, numbers: int
) -> None:
    world, other = both(dsns)
    other.numbers = numbers
    found: dict[str, list[object]] = {"default": [], "other": []}
    lives = {"default": live(world), "other": live(other)}
    found["other"] += [step for _, step in zip(range(ahead), lives["other"], strict=False)]
    while any(len(steps) < len(alone[0]) for steps in found.values()):
        for name, life in lives.items():
            found[name] += [step for _, step in zip(range(1), life, strict=False)]

    assert found["default"] == alone[0]
    assert books(world) == alone[1]
    assert as_default(found["other"]) == as_default(alone[0])
    assert as_default(books(other)) == as_default(alone[1])


def test_invoices_of_the_other_alone_are_not_seen(
    dsns: tuple[str, str, str], alone: tuple[list[object], object]
) -> None:
    world, other = both(dsns)
    sent = at("2026-03-30 08:00")
    other.row("21", sent_at=sent, changed_at=sent)
    for billnum in ("22", "23"):
        other.payment(billnum, "10", str(FIRST), seen=at("2026-03-30 09:00"))
    other.store(
        "INSERT INTO ropo.status_event_revision "
        "(profile, statusid, revision, content_sha256, raw, poll_id, recorded_at) "
        "SELECT profile, statusid, 1, '', '{}', first_poll_id, '2026-03-31 09:00Z' FROM ropo.status_event"
    )
    for _ in live(other):
        pass

    assert list(live(world)) == alone[0]
    assert books(world) == alone[1]
