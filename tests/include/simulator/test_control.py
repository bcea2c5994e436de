from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from include.simulator.dataset import make_dataset
from include.simulator.rows import make_row

if TYPE_CHECKING:
    from tests.include.simulator.conftest import Client


def wish(client: Client, method: str, path: str, **content: Any) -> dict[str, Any]:
    answer = client.http.request(method, f"{client.url}/simulator{path}", timeout=30, **content)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_scene_is_set_and_looked_at_from_another_process(client: Client) -> None:
    assert wish(client, "GET", "/health")["status"] == "ready"
    wish(client, "POST", "/customers", json={"cid": "2", "apicode": "other"})
    wish(client, "POST", "/rows", json={"cid": "2", "rows": [make_row(1), make_row(2)]})
    wish(client, "POST", "/faults", json=[{"name": "drop_after_consuming", "after": 2}, {"name": "slow", "delay": 0}])
    assert [fault["name"] for fault in wish(client, "GET", "/faults")["pending"]] == ["drop_after_consuming", "slow"]
    wish(client, "DELETE", "/faults")
    client.token("2", "other")
    assert len(client.drain()) == 2
    truth = wish(client, "GET", "/truth", params={"cid": "2", "rows": True})
    assert [poll["row_count"] for poll in truth["polls"]] == [2, 0]
    assert truth["counts"] == {"drain": 2}
    assert "rows" not in wish(client, "GET", "/truth")["polls"][0]
    wish(client, "POST", "/tokens/expire")
    assert client.poll().status_code == 401
    wish(client, "POST", "/reset")
    assert wish(client, "GET", "/truth")["polls"] == []


def test_a_data_set_is_loaded_and_the_clock_decides_what_is_in_the_queue(client: Client) -> None:
    loaded = wish(client, "POST", "/dataset", json={"seed": 7, "first_day": "2026-10-05", "days": 5, "scale": 0.1})
    dataset = make_dataset(7, date(2026, 10, 5), 5, 0.1)
    assert loaded == {"rows": len(dataset.rows), "invoices": len(dataset.invoices)}
    moment = dataset.rows[9].recorded_at
    wish(client, "PUT", "/now", json={"now": moment.isoformat()})
    client.token()
    assert len(client.drain()) == sum(row.recorded_at <= moment for row in dataset.rows)
    wish(client, "PUT", "/now", json={"now": None})
    wish(client, "PUT", "/behaviour", json={"date_selects": "recorded", "date_cap": 10})


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "/faults", [{"name": "nonsense"}], 422),
        ("POST", "/faults", [{"name": "slow", "after": 0}], 422),
        ("POST", "/rows", {"rows": [], "cid": "nobody"}, 404),
        ("POST", "/rows", {"rows": [], "colour": "red"}, 422),
        ("POST", "/customers", {"cid": "1000011", "apicode": "again"}, 400),
        ("POST", "/dataset", {"seed": 1, "first_day": "2026-10-05", "days": 0}, 400),
        ("PUT", "/now", {"now": "2026-10-05T10:00:00"}, 400),
        ("GET", "/nothing", None, 404),
        ("POST", "/health", None, 405),
    ],
)
def test_a_wrong_wish_is_answered_as_a_problem(
    client: Client, method: str, path: str, content: Any, status: int
) -> None:
    answer = client.http.request(method, f"{client.url}/simulator{path}", json=content, timeout=10)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
