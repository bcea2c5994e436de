"""The documented behaviour, over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from include.simulator.ropo import Behaviour, Ropo
from include.simulator.rows import QueuedRow, bulk_rows, make_row

if TYPE_CHECKING:
    import requests

    from tests.include.simulator.conftest import Client

NOON = datetime(2026, 3, 10, 10, tzinfo=UTC)


def shown(answer: requests.Response) -> list[str]:
    return [row["statusid"] for row in answer.json()["result"]["status"]]


def test_a_token_is_given_for_the_right_apicode(client: Client) -> None:
    answer = client.token()
    assert answer.status_code == 201
    assert answer.json()["token"].count(".") == 2


@pytest.mark.parametrize(("cid", "apicode"), [("1000011", "wrong"), ("9", "apicode-of-the-simulator")])
def test_a_token_is_refused_in_ropos_own_shape(client: Client, cid: str, apicode: str) -> None:
    answer = client.token(cid, apicode)
    assert answer.status_code == 400
    assert answer.json().keys() == {"errorId", "errorText"}


def test_a_drain_gets_every_row_once_in_pages_of_a_thousand_and_then_204(client: Client, ropo: Ropo) -> None:
    rows = bulk_rows(2_500)
    ropo.add_rows(rows)
    drained = client.drain()
    assert sorted(row["statusid"] for row in drained) == sorted(row["statusid"] for row in rows)
    assert [len(poll.rows) for poll in ropo.truth.polls] == [1000, 1000, 500, 0]
    assert ropo.truth.handed_out() == drained
    assert client.poll().content == b""


def test_in_a_page_payments_stand_before_comments(client: Client, ropo: Ropo) -> None:
    ropo.add_rows([make_row(1), make_row(2, statustype="payment"), make_row(3)])
    assert shown(client.poll()) == ["P2", "C1", "C3"]


def test_a_row_is_not_in_the_queue_before_it_is_recorded(client: Client, ropo: Ropo) -> None:
    ropo.set_now(NOON)
    client.token()
    ropo.add_rows([QueuedRow(make_row(1), NOON + timedelta(hours=1)), QueuedRow(make_row(2), NOON)])
    assert [row["statusid"] for row in client.drain()] == ["C2"]
    assert client.poll(date="2026-03-02").json()["result"]["status"] == [make_row(2)]
    ropo.set_now(NOON + timedelta(hours=1))
    assert [row["statusid"] for row in client.drain()] == ["C1"]


def test_a_poll_by_date_shows_the_day_and_takes_nothing(client: Client, ropo: Ropo) -> None:
    ropo.add_rows([make_row(1), make_row(2, statustime="2026-03-03 08:00:00")])
    assert shown(client.poll(date="2026-03-03")) == ["C2"]
    assert client.poll(date="2026-03-04").status_code == 204
    assert len(client.drain()) == 2
    assert shown(client.poll(date="2026-03-03")) == ["C2"]


def test_date_may_mean_the_day_of_recording_in_the_market(client: Client, ropo: Ropo) -> None:
    ropo.behaviour = Behaviour(date_selects="recorded")
    ropo.add_rows([QueuedRow(make_row(1), datetime(2026, 3, 4, 22, 30, tzinfo=UTC))])
    assert client.poll(date="2026-03-04").status_code == 204
    assert shown(client.poll(date="2026-03-05")) == ["C1"]


def test_an_answer_by_date_may_be_capped(client: Client, ropo: Ropo) -> None:
    ropo.add_rows(bulk_rows(1_200))
    assert len(shown(client.poll(date="2026-03-02"))) == 1_200
    ropo.behaviour = Behaviour(date_cap=1000)
    assert len(shown(client.poll(date="2026-03-02"))) == 1_000


def test_reads_may_take_their_rows_out_of_the_queue(client: Client, ropo: Ropo) -> None:
    ropo.behaviour = Behaviour(reads_consume=True)
    ropo.add_rows([make_row(1), make_row(2), make_row(3, statustime="2026-03-03 08:00:00")])
    client.poll(billnum="20000001")
    client.poll(date="2026-03-03")
    assert [row["statusid"] for row in client.drain()] == ["C2"]
    assert [poll.consumed for poll in ropo.truth.polls] == [True] * 4
    assert [row["statusid"] for row in ropo.truth.handed_out()] == ["C2"]


def test_a_poll_by_billnum_shows_one_invoice(client: Client, ropo: Ropo) -> None:
    ropo.add_rows(bulk_rows(10))
    assert shown(client.poll(billnum="20000001")) == ["P4", "C3"]


@pytest.mark.parametrize(
    "query",
    [
        {"date": "2026-03-02", "billnum": "1"},
        {"date": "2026-3-2"},
        {"date": "2026-02-30"},
        {"billnum": ""},
        {"jobid": "1"},
    ],
)
def test_other_filters_are_refused_as_a_problem(client: Client, ropo: Ropo, query: dict[str, str]) -> None:
    ropo.add_rows([make_row(1)])
    answer = client.poll(**query)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json().keys() == {"type", "title", "status", "detail"}
    assert ropo.queued() == 1
    assert ropo.truth.counts() == {"invalid": 1}


def test_a_token_that_is_missing_unknown_or_two_hours_old_is_refused(client: Client, ropo: Ropo) -> None:
    ropo.set_now(NOON)
    client.token()
    ropo.add_rows([make_row(1)])
    ropo.set_now(NOON + timedelta(hours=1, minutes=59))
    assert client.poll().status_code == 200
    ropo.set_now(NOON + timedelta(hours=2))
    assert client.poll().json()["status"] == 401
    client.http.headers["Authorization"] = "Bearer nothing"
    assert client.poll().status_code == 401
    del client.http.headers["Authorization"]
    assert client.poll().status_code == 401


def test_tokens_expire_on_demand(client: Client, ropo: Ropo) -> None:
    ropo.expire_tokens()
    assert client.poll().status_code == 401
    client.token()
    assert client.poll().status_code == 204


def test_each_customer_has_a_queue_of_its_own(client: Client, ropo: Ropo) -> None:
    ropo.add_customer("2", "other")
    ropo.add_rows([make_row(1)])
    ropo.add_rows([make_row(2)], "2")
    assert [row["statusid"] for row in client.drain()] == ["C1"]
    client.token("2", "other")
    assert [row["statusid"] for row in client.drain()] == ["C2"]
    assert ropo.truth.handed_out("2") == [make_row(2)]


def test_the_truth_knows_each_request(client: Client, ropo: Ropo) -> None:
    client.poll(date="2026-03-02")
    client.poll()
    assert ropo.truth.token_requests == 1
    assert ropo.truth.counts() == {"date": 1, "drain": 1}
    first = ropo.truth.polls[0]
    assert first.query == [("date", "2026-03-02")]
    assert {"authorization", "host"} <= set(first.header_names)


def test_a_snapshot_tells_a_jobs_status(client: Client, ropo: Ropo) -> None:
    ropo.add_rows([make_row(1, statuscode="110"), make_row(2, statuscode="130")])
    jobs = f"{client.url}/rest/jobs"
    assert client.http.get(jobs, params={"jobid": "3000001"}, timeout=10).json()["currentstatus"] == 0
    assert client.http.get(jobs, params={"jobid": "3000002"}, timeout=10).json()["currentstatus"] == 1
    assert client.http.get(jobs, params={"jobid": "5"}, timeout=10).json()["status"] == 404
    assert client.http.get(jobs, timeout=10).json()["status"] == 422


def test_a_customer_is_made_once_and_a_clock_needs_a_zone() -> None:
    ropo = Ropo()
    with pytest.raises(ValueError, match="exists already"):
        ropo.add_customer("1000011", "again")
    with pytest.raises(ValueError, match="time zone"):
        ropo.set_now(NOON.replace(tzinfo=None))
