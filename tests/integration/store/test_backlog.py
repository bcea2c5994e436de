"""A queue is drained exactly once, by one drain at a time, and what a drain lost is found by date."""

from __future__ import annotations

import datetime
import functools
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

from include.simulator.faults import Fault
from include.simulator.rows import make_row
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from local_airflow.waiting import until
from ropo_one.hooks import RopoOneHook
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.views import column, doubts, outcomes
from tests.integration.store.conftest import accounted_for, expected, held, rows
from tests.integration.store.driver import drain, recover, run

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.simulator.server import SimulatorServer
    from include.status_store.session import Session
    from include.status_store.source import Answer
    from tests.integration.store.driver import Job


def test_a_backlog_of_25_000_changes_is_drained_exactly_once(
    server: SimulatorServer, session: Session, store: Connection, job: Job
) -> None:
    backlog = rows(25_000, job.start_date)
    server.ropo.add_rows(backlog)

    summary = drain(session, RopoOneHook(), job.profile)

    assert (summary.stopped_by, summary.polls, summary.pages) == ("empty", 26, 25)
    assert (summary.rows, summary.new, summary.quarantined) == (25_000, 25_000, 0)
    assert Counter(outcomes(store)) == {"landed": 25, "empty": 1}
    assert server.ropo.truth.counts() == {"drain": 26}
    assert held(store) == expected(backlog)
    assert column(store, "SELECT count(*) FROM ropo.status_event") == [25_000]


def test_memory_is_that_of_a_few_pages_whatever_the_backlog(session: Session, profile: Profile) -> None:
    def answer(number: int) -> Answer:
        return page(*(row(number * 300 + each) for each in range(300)))

    drain(session, ScriptedSource(answer(0), EMPTY), profile)  # what is made once and kept
    backlog = range(1, 121)
    tracemalloc.start()
    try:
        summary = drain(session, ScriptedSource(*(functools.partial(answer, each) for each in backlog), EMPTY), profile)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert summary.new == 300 * len(backlog)
    # With all that Python makes of a page, it takes several times its bytes; 120 pages would take more than these.
    assert most < sum(len(answer(each).body) for each in backlog) / 2


def test_a_bounded_drain_leaves_the_rest_to_the_next(
    server: SimulatorServer, session: Session, store: Connection, job: Job, small_pages: int
) -> None:
    backlog = rows(10 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)

    first = drain(session, RopoOneHook(), job.profile, max_pages=3)

    assert (first.stopped_by, server.ropo.queued()) == ("pages", 7 * small_pages)
    assert drain(session, RopoOneHook(), job.profile).stopped_by == "empty"
    assert held(store) == expected(backlog)
    assert doubts(store) == []


def test_two_drains_at_once_do_not_share_a_queue(
    server: SimulatorServer, store: Connection, job: Job, processes: ForkServerContext, small_pages: int
) -> None:
    backlog = rows(100 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)
    hears, says = processes.Pipe(duplex=False)

    first = processes.Process(target=run, args=(job, says))
    first.start()
    until(lambda: server.ropo.truth.counts()["drain"] > 2)
    server.ropo.faults.add(Fault("slow", delay=1.5, kind="drain"))  # the second comes while the first waits
    hears_second, says_second = processes.Pipe(duplex=False)
    second = processes.Process(target=run, args=(job, says_second))
    second.start()

    assert hears_second.poll(30)
    assert hears_second.recv() == "busy"
    assert hears.poll(60)
    assert hears.recv() == 100 * small_pages
    for process in (first, second):
        process.join(30)
        assert process.exitcode == 0
    assert held(store) == expected(backlog)
    assert Counter(outcomes(store)) == {"landed": 100, "empty": 1}
    assert accounted_for(store)


def test_a_reread_by_date_finds_what_the_drain_lost(
    server: SimulatorServer, session: Session, store: Connection, job: Job, small_pages: int
) -> None:
    day = job.start_date
    backlog = [make_row(number, statustime=f"{day} 09:00:00") for number in range(1, 3 * small_pages + 1)]
    server.ropo.add_rows(backlog)
    server.ropo.faults.add(Fault("drop_after_consuming", after=2, kind="drain"))
    hook = RopoOneHook()
    lost = drain(session, hook, job.profile)
    rest = drain(session, hook, job.profile)
    assert (lost.stopped_by, lost.new, rest.stopped_by, rest.new) == ("in_doubt", small_pages, "empty", small_pages)

    summary = Reread(session, hook, Journal(job.profile)).by_date(day)

    assert (summary.rows, summary.new, summary.whole) == (3 * small_pages, small_pages, True)
    assert held(store) == expected(backlog)
    assert column(store, "SELECT count(*) FROM ropo.status_event WHERE source = 'date'") == [small_pages]


def test_what_a_server_records_late_is_found_by_the_windows_late_days(
    server: SimulatorServer, session: Session, store: Connection, job: Job
) -> None:
    """A change of four days ago, recorded after a 204 of today, and lost."""
    hook = RopoOneHook()
    drain(session, hook, job.profile)
    late = [make_row(1, statustime=f"{job.start_date} 09:00:00")]
    server.ropo.add_rows(late)
    server.ropo.faults.add(Fault("error_5xx_after", kind="drain"))
    assert drain(session, hook, job.profile).in_doubt == 1

    summary = recover(session, hook, job.profile)

    assert (summary.new, summary.recovered) == (1, 1)
    assert summary.dates == 7 + 2  # late_days, today and tomorrow
    assert held(store) == expected(late)
    assert job.start_date > job.profile.business_date(datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=7)
