"""What waits is parsed again from the page of polls, as far as the time of one request goes."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from reconciliation_page import polls as polls_page
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, words_of
from tests.plugins.reconciliation_page.test_polls import NOW, POLLS, RAW, world

if TYPE_CHECKING:
    import pytest
    from fastapi.testclient import TestClient

    from tests.include.reconciliation.world import World

__all__ = ["world"]


def test_a_replay_takes_what_can_be_taken_now_and_says_what_is_left(client: TestClient, world: World) -> None:
    world.quarantine(RAW, NOW)
    world.quarantine(
        b'{"billnum": "2", "statusid": "C9", "statustype": "comment", "statustime": "2026-03-10 09:00:00"}', NOW
    )
    answer = client.post(f"{POLLS}/replay", headers=SAME_ORIGIN)
    assert answer.status_code == 303
    assert "Parsed again: 1 row or page waits still" in client.get(answer.headers["location"]).text
    assert world.store("SELECT statusid FROM ropo.status_event") == [("C9",)]


def test_a_replay_that_takes_too_long_says_what_is_left_and_pressing_again_goes_on(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls_page, "REPLAY_SECONDS", 0.0)
    good, other = (
        f'{{"billnum": "2", "statusid": "{name}", "statustype": "comment", '
        '"statustime": "2026-03-10 09:00:00"}'.encode()
        for name in ("C8", "C9")
    )
    for raw in (good, RAW, other):
        world.quarantine(raw, NOW)
    told = []
    press = f"{POLLS}/replay"
    for _ in range(3):
        answer = client.post(press, headers=SAME_ORIGIN)
        page = client.get(answer.headers["location"]).text
        told.append(
            re.findall(r"again: (\d) rows? (?:or|and) pages? waits? still\.(?:[^:]*: (\d) not tried yet)?", page)[0]
        )
        press = html.unescape(re.findall(r'action="([^"]*polls/replay[^"]*)"', page)[0])

    assert told == [("2", "2"), ("2", "1"), ("1", "")]
    assert world.store("SELECT statusid FROM ropo.status_event ORDER BY 1") == [("C8",), ("C9",)]
    assert "after_row" not in press, "the next one begins anew"


def test_a_page_that_can_never_be_parsed_holds_up_none_behind_it(
    client: TestClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls_page, "REPLAY_SECONDS", 0.0)
    for _ in range(2):
        world.poll_id = world.poll("drain", "landed", opened_at=NOW, closed_at=NOW)
        world.page(complete=True)
    world.quarantine(
        b'{"billnum": "2", "statusid": "C8", "statustype": "comment", "statustime": "2026-03-10 09:00:00"}', NOW
    )
    told = []
    press = f"{POLLS}/replay"
    for _ in range(3):
        page = client.get(client.post(press, headers=SAME_ORIGIN).headers["location"]).text
        told.append(words_of(page, 'role="status">(.*?)</p>').partition(" What")[0].partition(" Press")[0])
        press = html.unescape(re.findall(r'action="([^"]*polls/replay[^"]*)"', page)[0])

    over = "The time for one request is over:"
    assert told == [
        f"Parsed again: 3 rows and pages wait still. {over} 2 not tried yet.",
        f"Parsed again: 3 rows and pages wait still. {over} 1 not tried yet.",
        "Parsed again: 2 rows and pages wait still.",
    ]
