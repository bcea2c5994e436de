"""Whatever goes wrong on the way, the runs that follow bring the store to what the server handed out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from include.simulator.faults import Fault
from include.simulator.malformed import BROKEN, TOLERABLE
from include.status_store.source import PollError
from ropo_one.hooks import RopoOneHook
from tests.include.status_store.views import column, doubts, outcomes
from tests.integration.store.conftest import accounted_for, expected, held, rows
from tests.integration.store.driver import drain, recover

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.simulator.faults import FaultName
    from include.simulator.server import SimulatorServer
    from include.status_store.session import Session
    from tests.integration.store.driver import Job

# Every fault of the simulator that one poll may meet, and what the journal calls that poll.
FAULTS = {
    "dropped after consuming": (Fault("drop_after_consuming"), "in_doubt"),
    "reset after consuming": (Fault("drop_after_consuming", reset=True), "in_doubt"),
    "dropped before consuming": (Fault("drop_before_consuming"), "in_doubt"),
    "reset before consuming": (Fault("drop_before_consuming", reset=True), "in_doubt"),
    "cut in half": (Fault("cut_body"), "in_doubt"),
    "cut before the first byte": (Fault("cut_body", sent_share=0), "in_doubt"),
    "cut at the last byte": (Fault("cut_body", sent_share=1), "in_doubt"),
    "cut and chunked": (Fault("cut_body_chunked"), "in_doubt"),
    "chunked, cut at the end": (Fault("cut_body_chunked", sent_share=1), "in_doubt"),
    "503 before": (Fault("error_5xx_before"), "in_doubt"),
    "503 after": (Fault("error_5xx_after"), "in_doubt"),
    "500 after": (Fault("error_5xx_after", status=500), "in_doubt"),
    "429": (Fault("too_many_requests", retry_after="0"), "refused"),
    "429 with a date": (Fault("too_many_requests", retry_after="Fri, 13 Nov 2015 09:59:20 GMT"), "refused"),
    "token expired": (Fault("expired_token"), "refused"),
    "HTML": (Fault("not_json"), "in_doubt"),
    "no result": (Fault("no_result"), "in_doubt"),
    "one object": (Fault("single_object"), "landed"),
    "empty list": (Fault("empty_200"), "landed"),
    "redirect": (Fault("redirect"), "in_doubt"),
    "slow, consumed at once": (Fault("slow", delay=2.3), "in_doubt"),
    "slow, consumed at the end": (Fault("slow", delay=2.3, consume_first=False), "in_doubt"),
    "403": (Fault("refuse"), "refused"),
    "400": (Fault("refuse", status=400), "refused"),
    "404": (Fault("refuse", status=404), "refused"),
}


def run_until_done(session: Session, job: Job, runs: int = 6) -> None:
    """Let run after run of the drain DAG pass, until the queue is empty and no doubt is open."""
    for _ in range(runs):
        hook = RopoOneHook()
        with suppress(PollError):
            stopped_by = drain(session, hook, job.profile).stopped_by
            summary = recover(session, hook, job.profile)
            if stopped_by == "empty" and not summary.pending and not summary.unproven:
                return
    pytest.fail(f"not done after {runs} runs")


@pytest.mark.parametrize(("fault", "outcome"), FAULTS.values(), ids=FAULTS)
def test_a_fault_in_mid_drain_loses_nothing(
    server: SimulatorServer, session: Session, store: Connection, job: Job, small_pages: int, fault: Fault, outcome: str
) -> None:
    backlog = rows(4 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)
    # The third answer: the token request is none of the polls.
    server.ropo.faults.add(Fault(**{**vars(fault), "after": 3, "kind": "drain"}))

    run_until_done(session, job)

    assert outcomes(store)[2] == outcome
    assert not server.ropo.faults.pending
    assert server.ropo.queued() == 0
    assert held(store) == expected(server.ropo.truth.handed_out()) == expected(backlog)
    assert accounted_for(store)
    assert [recovery for recovery, _ in doubts(store)] == ["recovered"] * (outcome == "in_doubt")
    assert server.ropo.truth.redirects_followed == 0


@pytest.mark.parametrize(
    "name",
    ["drop_after_consuming", "cut_body", "error_5xx_before", "too_many_requests", "expired_token", "not_json"],
)
def test_a_fault_in_a_reread_is_asked_again(
    server: SimulatorServer, session: Session, store: Connection, job: Job, small_pages: int, name: FaultName
) -> None:
    backlog = rows(3 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)
    server.ropo.faults.add(Fault("drop_after_consuming", after=2, kind="drain"))
    server.ropo.faults.add(Fault(name, after=2, times=2, kind="date", retry_after="0"))

    run_until_done(session, job)

    assert held(store) == expected(backlog)
    assert doubts(store) == [("recovered", None)]


def test_a_fault_at_every_other_poll_delays_and_loses_nothing(
    server: SimulatorServer, session: Session, store: Connection, job: Job, small_pages: int
) -> None:
    backlog = rows(12 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)
    for name in ("drop_after_consuming", "cut_body", "error_5xx_after", "not_json", "expired_token", "empty_200"):
        server.ropo.faults.add(Fault(name, probability=0.12, kind="drain"))

    run_until_done(session, job, runs=40)

    assert held(store) == expected(backlog)
    assert accounted_for(store)
    assert {recovery for recovery, _ in doubts(store)} == {"recovered"}


def test_malformed_rows_are_kept_and_spoil_no_other(
    server: SimulatorServer, session: Session, store: Connection, job: Job, small_pages: int
) -> None:
    backlog = rows(2 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)
    server.ropo.faults.add(Fault("malformed_rows", kind="drain"))

    run_until_done(session, job)

    ours = {row[0] for row in expected(backlog)}
    assert [row for row in held(store) if row[0] in ours] == expected(backlog)
    assert column(store, "SELECT count(*) FROM ropo.status_quarantine") == [len(BROKEN)]
    assert column(store, "SELECT count(*) FROM ropo.status_event") == [len(backlog) + len(TOLERABLE)]


def test_the_token_service_may_fail_before_any_poll(
    server: SimulatorServer, session: Session, store: Connection, job: Job
) -> None:
    backlog = rows(10, job.start_date)
    server.ropo.add_rows(backlog)
    server.ropo.faults.add(Fault("error_5xx_before", kind="token"))

    run_until_done(session, job)

    assert (held(store), doubts(store)) == (expected(backlog), [])


def test_a_server_that_is_away_for_a_while_costs_nothing(
    server: SimulatorServer, session: Session, store: Connection, job: Job
) -> None:
    server.ropo.add_rows(rows(10, job.start_date))
    server.__exit__(None, None, None)

    with pytest.raises(PollError, match="failed"):
        drain(session, RopoOneHook(), job.profile)

    assert outcomes(store) == ["unsent"]
