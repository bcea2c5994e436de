"""Both sides are asked again from an invoice's page, and what came of it is told there."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from reconciliation_page import invoice as invoice_page
from reconciliation_page.checking import Check, may_check
from tests.include.reconciliation.world import World, at
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER
from tests.plugins.reconciliation_page.test_invoice import rights, shown

if TYPE_CHECKING:
    from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
    from fastapi import FastAPI
    from fastapi.testclient import TestClient

__all__ = ["rights"]


def test_asking_again_triggers_the_check_as_the_user(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def start_check(user: BaseUser, profile: str, billnum: str) -> str:
        asked.append((user.get_name(), profile, billnum))
        return "manual__1"

    monkeypatch.setattr(invoice_page, "start_check", start_check)
    world.comment("a/b", "98")
    answer = client.post("/reconciliation/invoice?key=b:a/b", headers=SAME_ORIGIN)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/reconciliation/invoice?profile=default&key=b%3Aa%2Fb&run=manual__1"
    assert asked == [(USER, "default", "a/b")]


@pytest.mark.parametrize(
    ("state", "outcome", "told", "colour"),
    [
        (None, None, "Airflow knows no run of this name", ""),
        ("queued", None, "are being asked. Look again", ""),
        ("running", "landed", "are being asked. Look again", ""),
        ("failed", None, "The check failed before Ropo One was asked", " bad"),
        ("failed", "in_doubt", "The check failed: Ropo One's answer did not arrive whole", " bad"),
        ("failed", "landed", "The check failed after Ropo One had answered: 2 rows, 1 new", " bad"),
        ("success", "landed", "Both sides were asked. Ropo One answered: 2 rows, 1 new", ""),
        ("success", "empty", "Both sides were asked. Ropo One has no change of it", ""),
    ],
)
def test_what_came_of_asking_again_is_told_by_the_run_itself(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch,
    state: str | None, outcome: str | None, told: str, colour: str,
) -> None:  # fmt: skip
    asked = []

    def find_check(*which: str) -> Check | None:
        asked.append(which)
        return None if state is None else Check(state=state, is_paused=False)

    monkeypatch.setattr(invoice_page, "find_check", find_check)
    world.comment("100", "98")
    if outcome:
        counts = {"row_count": 2, "new_count": 1}
        world.poll("billnum", outcome, filter_value="100", run_id="manual__1", closed_at=at("2026-03-11"), **counts)
    path = "/reconciliation/invoice?key=b:100&run=manual__1"
    assert told in shown(client, path.removeprefix("/reconciliation/"))
    assert f'class="notice{colour}"' in client.get(path).text
    assert ("dags/ropo_invoice_check/runs/manual__1" in client.get(path).text) == (state is not None)
    assert set(asked) == {("manual__1", "default", "100")}


def test_what_is_older_than_the_answer_is_said_to_be(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(invoice_page, "find_check", lambda *_: Check(state="success", is_paused=False))
    world.payment("100", "50")
    world.row("100")
    world.reconcile()
    [(cutoff,)] = world.store("SELECT ledger_cutoff FROM ropo.reconciliation")
    hour = datetime.timedelta(hours=1)
    for run, opened_at in (("before", cutoff - hour), ("after", cutoff + hour)):
        world.poll("billnum", "landed", filter_value="100", run_id=run, opened_at=opened_at, closed_at=opened_at)
    told = "The comparison below is older: it is as of"
    assert told not in shown(client, "invoice?key=b:100&run=before")
    assert told in shown(client, "invoice?key=b:100&run=after")


def test_a_check_that_waits_for_a_paused_dag_says_so(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = Check(state="queued", is_paused=True)
    monkeypatch.setattr(invoice_page, "find_check", lambda *_: waiting)
    world.comment("100", "98")
    assert "is paused: it waits until somebody unpauses it" in shown(client, "invoice?key=b:100&run=manual__1")


def test_asking_again_needs_the_right_to_trigger_and_the_page_itself(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    world.comment("100", "98")
    path = "/reconciliation/invoice?key=b:100"
    assert client.post(path).status_code == 403
    assert client.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    page_app.dependency_overrides[may_check] = lambda: False
    assert client.post(path, headers=SAME_ORIGIN).status_code == 403
    assert "Ask both sides again" not in client.get(path).text
