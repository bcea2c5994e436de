"""A process that is killed, and a PostgreSQL that is, lose nothing and double nothing."""

from __future__ import annotations

import os
import random
import signal
import time
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from include.status_store.database import StoreUnavailableError, connect
from include.status_store.migrate import upgrade
from include.status_store.session import Session
from local_airflow import cluster
from local_airflow.embedded import Server
from local_airflow.waiting import until
from ropo_one.hooks import RopoOneHook
from tests.include.status_store.views import column, doubts, outcomes, query
from tests.include.status_store.waiting import meanwhile
from tests.integration.store.conftest import accounted_for, expected, held, rows
from tests.integration.store.driver import drain, drain_and_recover, run

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator
    from multiprocessing.context import ForkServerContext, ForkServerProcess
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from include.simulator.server import SimulatorServer
    from include.status_store.source import Answer
    from tests.integration.store.driver import Job

KILLS = 20
MOST_ROUNDS = 32


def test_a_process_killed_at_random_moments_loses_and_doubles_nothing(
    server: SimulatorServer, store: Connection, job: Job, processes: ForkServerContext, small_pages: int
) -> None:
    rng = random.Random(20261113)
    backlog = rows(MOST_ROUNDS * 5 * small_pages, job.start_date)
    rng.shuffle(backlog)
    truth = server.ropo.truth
    added: list[dict[str, Any]] = []
    killed = 0

    for number in range(MOST_ROUNDS):
        batch = backlog[number::MOST_ROUNDS]
        server.ropo.add_rows(batch)
        added += batch
        # A poll, and a moment after it: while the next is under way, its page is landed, or a date is re-read.
        polls = len(truth.polls) + rng.randint(1, 8)
        process = processes.Process(target=run, args=(job,))
        process.start()
        until(partial(polled_or_ended, server, process, polls))
        time.sleep(rng.uniform(0, 0.03))  # a random moment is what is meant, and nothing that could be seen
        process.kill()
        process.join(30)
        killed += process.exitcode == -signal.SIGKILL
        # PostgreSQL ends the session, and with it the lock, as soon as it sees that its process is gone.
        until(lambda: not query(store, LOCKS))
        if killed == KILLS:
            break

    drained, recovered = drain_and_recover(job)

    assert killed == KILLS
    assert (drained.stopped_by, server.ropo.queued()) == ("empty", 0)
    assert (recovered.pending, recovered.unproven) == (0, 0)
    assert held(store) == expected(truth.handed_out()) == expected(added)
    assert accounted_for(store)
    # It was worth it: pages were lost with their processes, and came back by date.
    assert column(store, "SELECT count(*) > 0 FROM ropo.status_event WHERE source = 'date'") == [True]
    assert {recovery for recovery, _ in doubts(store)} == {"recovered"}
    landed = column(store, "SELECT sum(row_count) FROM ropo.status_poll WHERE kind = 'drain' AND outcome = 'landed'")
    assert landed[0] < len(added)


def polled_or_ended(server: SimulatorServer, process: ForkServerProcess, polls: int) -> bool:
    return len(server.ropo.truth.polls) >= polls or process.exitcode is not None


LOCKS = """
SELECT FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


DATABASE = "killed"


class OwnPostgres:
    """A durable PostgreSQL of the test's own, to be killed.

    :param home: where it lives.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self.killed = False
        self.start()

    def start(self) -> None:
        """Start it, on a port that may be another one than before."""
        self.killed = False
        self.server = Server(self._home, *cluster.start(self._home, durable=True))

    def kill(self) -> None:
        """Stop it as ``pg_ctl stop -m immediate`` does: nothing is finished, recovery comes at the next start."""
        pid = int((self._home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        until(lambda: not (self._home / "postgres" / "data" / "postmaster.pid").exists())
        self.killed = True

    @property
    def dsn(self) -> str:
        return self.server.dsn(DATABASE, cluster.SUPERUSER)


@pytest.fixture(scope="module")
def own_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPostgres]:
    home = tmp_path_factory.mktemp("killed")
    postgres = OwnPostgres(home)
    yield postgres
    cluster.stop(home)


@pytest.fixture
def own_store(own_postgres: OwnPostgres) -> Iterator[OwnPostgres]:
    own_postgres.server.create_database(DATABASE)
    upgrade(own_postgres.dsn)
    yield own_postgres
    own_postgres.server.drop_database(DATABASE)


class Interrupted:
    """The hook, whose answer comes when the store has just been killed.

    :param after: the poll whose page is in hand then.
    """

    def __init__(self, postgres: OwnPostgres, after: int) -> None:
        self._hook = RopoOneHook()
        self._postgres = postgres
        self._left = after

    @property
    def queue(self) -> tuple[str, str]:
        return self._hook.queue

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        answer = self._hook.poll(date=date, billnum=billnum)
        self._left -= 1
        if self._left == 0:
            self._postgres.kill()
        return answer


@pytest.mark.parametrize("after", [1, 3])
def test_a_page_in_hand_survives_a_postgresql_that_is_killed_and_started_again(
    server: SimulatorServer, own_store: OwnPostgres, job: Job, small_pages: int, after: int
) -> None:
    backlog = rows(5 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)

    def start_again() -> None:
        until(lambda: own_store.killed)
        own_store.start()

    source = Interrupted(own_store, after)
    with Session(lambda: connect(own_store.dsn), patience=60) as session:
        with meanwhile(start_again):
            first = drain(session, source, job.profile)
        second = drain(session, RopoOneHook(), job.profile)

    assert (first.stopped_by, first.pages) == ("lock_lost", after)
    assert second.stopped_by == "empty"
    with closing(connect(own_store.dsn)) as store:
        assert held(store) == expected(backlog)
        assert outcomes(store) == ["landed"] * 5 + ["empty"]
        assert accounted_for(store)


def test_a_store_that_stays_away_leaves_a_doubt_that_is_recovered(
    server: SimulatorServer, own_store: OwnPostgres, job: Job, small_pages: int
) -> None:
    backlog = rows(3 * small_pages, job.start_date)
    server.ropo.add_rows(backlog)

    with (
        Session(lambda: connect(own_store.dsn), patience=1) as session,
        pytest.raises(StoreUnavailableError, match="cannot be reached"),
    ):
        drain(session, Interrupted(own_store, 2), job.profile)
    own_store.start()
    drained, recovered = drain_and_recover(msgspec.structs.replace(job, dsn=own_store.dsn))

    assert (drained.abandoned, drained.stopped_by, recovered.recovered) == (1, "empty", 1)
    with closing(connect(own_store.dsn)) as store:
        assert held(store) == expected(backlog)
        assert accounted_for(store)
