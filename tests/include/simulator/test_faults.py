"""Each fault over a real connection: what the client sees, and what is left in the queue."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import TYPE_CHECKING, Any, get_args

import pytest
import requests

from include.simulator.faults import Fault, FaultName, FaultPlan
from include.simulator.malformed import BROKEN, MALFORMED, TOLERABLE
from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Ropo
from include.simulator.rows import bulk_rows, make_row

if TYPE_CHECKING:
    from tests.include.simulator.conftest import Client

CONSUMING = {
    "drop_after_consuming",
    "cut_body",
    "cut_body_chunked",
    "error_5xx_after",
    "not_json",
    "no_result",
    "malformed_rows",
    "slow",
}


@pytest.fixture
def rows(ropo: Ropo) -> list[dict[str, Any]]:
    made = bulk_rows(40)
    ropo.add_rows(made)
    return made


@pytest.mark.parametrize("name", get_args(FaultName))
def test_a_fault_takes_the_page_or_leaves_it(name: FaultName, client: Client, ropo: Ropo, rows: list[Any]) -> None:
    ropo.faults.add(Fault(name, delay=0.01))
    with contextlib.suppress(requests.RequestException):
        client.poll()
    left = {"single_object": 39}.get(name, 0 if name in CONSUMING else 40)
    assert ropo.queued() == left
    assert ropo.truth.polls[0].fault == name
    assert len(ropo.truth.handed_out()) == 40 - left
    client.token()
    assert len(client.drain()) == left
    assert {row["statusid"] for row in ropo.truth.handed_out()} == {row["statusid"] for row in rows}
    assert ropo.faults.hits == {name: 1}
    assert ropo.faults.pending == []


@pytest.mark.parametrize("name", ["drop_after_consuming", "drop_before_consuming"])
@pytest.mark.parametrize(("reset", "cause"), [(False, "RemoteDisconnected"), (True, "ConnectionResetError")])
def test_a_dropped_connection_has_no_byte_of_an_answer(
    name: FaultName, reset: bool, cause: str, client: Client, ropo: Ropo
) -> None:
    ropo.faults.add(Fault(name, reset=reset))
    with pytest.raises(requests.ConnectionError, match=cause):
        client.poll()


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("name", ["cut_body", "cut_body_chunked"])
def test_a_cut_body_ends_before_its_end(name: FaultName, share: float, client: Client, ropo: Ropo, rows: Any) -> None:
    ropo.faults.add(Fault(name, sent_share=share))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.poll()


@pytest.mark.parametrize("name", ["error_5xx_before", "error_5xx_after"])
def test_a_server_error_has_the_status_asked_for(name: FaultName, client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault(name, status=502))
    answer = client.poll()
    assert answer.status_code == answer.json()["status"] == 502


@pytest.mark.parametrize("retry_after", ["7", "Tue, 24 Nov 2026 12:00:00 GMT", None])
def test_too_many_requests_says_when_to_come_again(retry_after: str | None, client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("too_many_requests", retry_after=retry_after))
    answer = client.poll()
    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == retry_after


def test_an_expired_token_stays_expired(client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("expired_token"))
    assert [client.poll().status_code, client.poll().status_code] == [401, 401]
    client.token()
    assert client.poll().status_code == 204


def test_answers_that_are_no_page(client: Client, ropo: Ropo, rows: Any) -> None:
    for name in ("empty_200", "single_object", "no_result", "not_json"):
        ropo.faults.add(Fault(name))
    assert client.poll().json() == {"result": {"status": []}}
    assert client.poll().json()["result"]["status"]["statusid"] == rows[0]["statusid"]
    assert "status" not in client.poll().json()["result"]
    html = client.poll()
    assert html.status_code == 200
    assert html.headers["content-type"].startswith("text/html")
    with pytest.raises(requests.JSONDecodeError):
        html.json()


def test_malformed_rows_stand_among_all_the_valid_ones(client: Client, ropo: Ropo, rows: list[Any]) -> None:
    ropo.faults.add(Fault("malformed_rows"))
    page = client.poll().json()["result"]["status"]
    assert len(page) == len(rows) + len(MALFORMED)
    assert all(row in page for row in rows)
    mixed_in = ropo.truth.polls[0].malformed
    assert [row for row in page if row not in rows] == mixed_in
    assert len(mixed_in) == len(TOLERABLE) + len(BROKEN)


def test_only_the_malformed_rows_asked_for_are_mixed_in(client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("malformed_rows", variants=("lone_surrogate", "a_null", "nul_character")))
    surrogate, null, nul = client.poll().json()["result"]["status"]
    assert surrogate["statustext"] == "Viesti \ud83d katkesi"
    assert null is None
    assert "\0" in nul["statustext"]


def test_a_malformed_page_holds_no_more_than_a_thousand_rows(client: Client, ropo: Ropo) -> None:
    ropo.add_rows(bulk_rows(1_500))
    ropo.faults.add(Fault("malformed_rows"))
    assert len(client.poll().json()["result"]["status"]) == 1_000


def test_a_redirect_points_to_a_place_that_counts_who_comes(client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("redirect"))
    answer = client.poll()
    assert answer.status_code == 302
    assert ropo.truth.redirects_followed == 0
    client.http.get(client.url + answer.headers["Location"], timeout=10)
    assert ropo.truth.redirects_followed == 1


@pytest.mark.parametrize(("consume_first", "left_when_given_up"), [(True, 0), (False, 40)])
def test_a_slow_answer_is_executed_though_the_client_gave_up(
    consume_first: bool, left_when_given_up: int, client: Client, ropo: Ropo, rows: Any
) -> None:
    ropo.faults.add(Fault("slow", delay=0.5, consume_first=consume_first))
    with pytest.raises(requests.ReadTimeout):
        client.http.get(f"{client.url}/rest/jobs/statusupdates", timeout=0.1)
    assert ropo.queued() == left_when_given_up
    emptied = threading.Event()
    watcher = threading.Thread(target=lambda: _watch(ropo, emptied))
    watcher.start()
    assert emptied.wait(10)
    watcher.join()
    assert len(ropo.truth.handed_out()) == 40


def _watch(ropo: Ropo, emptied: threading.Event) -> None:
    while ropo.queued():
        emptied.wait(0.01)
    emptied.set()


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_has_the_status_asked_for(status: int, client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("refuse", status=status))
    assert client.poll().json()["status"] == status


def test_a_fault_hits_the_nth_next_poll_of_its_kind(client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("refuse", after=2, times=2, kind="drain"))
    statuses = [client.poll(**query).status_code for query in ({}, {"date": "2026-03-02"}, {}, {}, {})]
    assert statuses == [204, 204, 403, 403, 204]


def test_of_two_faults_due_at_once_the_second_waits_for_the_next_poll(client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("refuse", status=403))
    ropo.faults.add(Fault("refuse", status=404))
    assert [client.poll().status_code for _ in range(3)] == [403, 404, 204]


def test_a_poll_that_is_refused_anyway_uses_up_no_fault(client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("empty_200"))
    assert client.poll(date="2026-03-02", billnum="1").status_code == 400
    ropo.expire_tokens()
    assert client.poll().status_code == 401
    client.token()
    assert client.poll().json() == {"result": {"status": []}}


def test_a_fault_may_hit_token_requests_alone(client: Client, ropo: Ropo) -> None:
    ropo.faults.add(Fault("error_5xx_before", kind="token"))
    ropo.faults.add(Fault("drop_before_consuming", kind="token"))
    assert client.poll().status_code == 204
    assert client.token().status_code == 503
    with pytest.raises(requests.ConnectionError):
        client.token()
    assert client.token().status_code == 201


def test_faults_by_chance_are_the_same_for_the_same_seed() -> None:
    def hits(seed: int) -> list[bool]:
        plan = FaultPlan(seed)
        plan.add(Fault("refuse", probability=0.3))
        return [plan.take("drain") is not None for _ in range(200)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"name": "nonsense"}, "no fault is called"),
        ({"name": "slow", "kind": "event"}, "no kind of request"),
        ({"name": "cut_body", "kind": "token"}, "does not fit a token request"),
        ({"name": "malformed_rows", "variants": ("odd",)}, "no malformed row is called odd"),
        ({"name": "slow", "after": 0}, "count from 1"),
        ({"name": "slow", "probability": 2.0}, "probability"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(wish: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Fault(**wish)


def test_the_truth_of_a_malformed_page_can_be_asked_for_over_http(client: Client, ropo: Ropo) -> None:
    ropo.add_rows([make_row(1)])
    ropo.faults.add(Fault("malformed_rows"))
    client.poll()
    truth = json.loads(client.http.get(f"{client.url}/simulator/truth", params={"rows": True}, timeout=10).content)
    assert truth["polls"][0]["rows"] == [make_row(1)]
    assert truth["polls"][0]["malformed"] == ropo.truth.polls[0].malformed


def test_no_secret_stands_in_the_truth(client: Client, ropo: Ropo) -> None:
    client.poll()
    token = client.authorization.split()[1]
    told = json.dumps(ropo.truth.as_json(with_rows=True))
    assert token not in told
    assert DEFAULT_APICODE not in told
    assert DEFAULT_CID in told
