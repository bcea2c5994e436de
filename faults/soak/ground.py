"""What the rounds are played on: one store and one simulated Ropo One for all of them, and runs in processes."""

from __future__ import annotations

import datetime
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import psycopg2

from faults import truth
from faults.consumer import Task, reread_dates, run
from faults.forker import Forker, Running
from faults.lossy_proxy import LossyProxy
from faults.simulated import small_pages, today
from faults.soak.postgres import Clock, Postgres
from include.simulator.ropo import Ropo
from include.simulator.rows import bulk_rows
from include.simulator.server import SimulatorServer
from include.status_store.migrate import upgrade
from local_airflow.waiting import until

if TYPE_CHECKING:
    from faults.simulated import SetValue
    from include.simulator.rows import Row

ROWS_A_PAGE = 20
MOST_ROWS = 8 * ROWS_A_PAGE
MOST_RUNS = 12
# A clock that is ahead by two days still opens windows that hold yesterday.
LATE_DAYS = 4
DAYS = 2
APICODE = "apicode-of-the-soak"
_LOCK_HOLDERS = """
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Books(msgspec.Struct):
    """What the server's truth and the store say of each other."""

    handed_out: int = 0
    held: int = 0
    lost: int = 0
    doubled: int = 0
    pages_lost: int = 0
    doubts: int = 0
    found_by_recovery: int = 0
    found_by_date: int = 0
    wrong: list[str] = []

    def __add__(self, other: Books) -> Books:
        """The books of both."""
        return Books(*(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__))


class Ground:
    """A context manager: everything that runs, and the present queue.

    :param seed: of all that is left to chance.
    :param set_value: sets a module's value, as ``setattr`` does; a test's takes it back in the end.
    """

    def __init__(self, seed: int, set_value: SetValue = setattr) -> None:
        self.rng = random.Random(seed)
        self.books = Books()
        self._opened = ExitStack()
        small_pages(set_value, ROWS_A_PAGE)
        self._number = 0
        self.server = SimulatorServer(Ropo(default_customer=False))

    def __enter__(self) -> Self:
        self.home = Path(self._opened.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        self.home.chmod(0o711)
        self.clock = Clock(self.home)
        self.postgres = Postgres(self.home, self.clock)
        self._opened.callback(self.postgres.stop)
        upgrade(self.postgres.dsn)
        self.proxy = self._opened.enter_context(LossyProxy(self.postgres.dsn))
        self._opened.enter_context(self.server)
        self.forker = self._opened.enter_context(Forker(self.clock.environment))
        self.begin_queue()
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @property
    def ropo(self) -> Ropo:
        """The simulated Ropo One."""
        return self.server.ropo

    def begin_queue(self) -> None:
        """A customer number and a profile that are new, so that no answer of a date grows without end."""
        self._number += 1
        self.today = today()
        self.added: list[Row] = []
        first_day = self.today - datetime.timedelta(days=DAYS - 1)
        self._rows = bulk_rows(100 * MOST_ROWS, first_day=first_day, days=DAYS)
        self.rng.shuffle(self._rows)
        self.task = Task(
            dsn=self.proxy.dsn, url=self.server.url, cid=str(2_000_000 + self._number), apicode=APICODE,
            profile=f"soak-{self._number}", start_date=first_day, late_days=LATE_DAYS, read_timeout=2.0, ask_again=0.0,
        )  # fmt: skip
        self.ropo.add_customer(self.task.cid, APICODE)

    def add_rows(self, count: int | None = None) -> None:
        """Let changes be recorded: so many, or as many as chance will have it."""
        count = self.rng.randint(0, MOST_ROWS) if count is None else count
        more, self._rows = self._rows[:count], self._rows[count:]
        self.ropo.add_rows(more, self.task.cid)
        self.added += more

    def start(self, **changes: Any) -> Running:
        """Start a run.

        :param changes: of its task.
        """
        return self.forker.start(run, msgspec.structs.replace(self.task, **changes))

    def polls(self) -> int:
        """How many polls have reached the server."""
        return len(self.ropo.truth.polls)

    def until_polled(self, running: Running, polls: int) -> None:
        """Wait until so many more polls have come, or the run has ended."""
        wanted = self.polls() + polls
        until(lambda: self.polls() >= wanted or running.pipe.poll())

    def pause(self, most: float) -> None:
        """Let a random time pass, at most so many seconds: what a fault strikes is left to chance."""
        time.sleep(self.rng.uniform(0, most))

    def execute(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the store itself, past the proxy."""
        store = psycopg2.connect(self.postgres.dsn)
        try:
            store.autocommit = True
            return truth.rows(store, statement, *values)
        finally:
            store.close()

    def lock_holders(self) -> list[int]:
        """The backends that hold a queue's lock."""
        return [pid for (pid,) in self.execute(_LOCK_HOLDERS)]

    def end_sessions(self, backends: list[int]) -> int:
        """Terminate sessions of the store; return how many there still were."""
        statement = "SELECT pid FROM unnest(%s::int[]) AS pid WHERE pg_terminate_backend(pid)"
        return len(self.execute(statement, backends))

    def close_queue(self) -> None:
        """Let undisturbed runs end what is begun, and compare the store with the server's truth."""
        self.ropo.faults.clear()
        self.clock.jump("+0")
        until(lambda: not self.lock_holders())
        told: object = None
        for _ in range(MOST_RUNS):
            with self.start() as running:
                told = running.hear()
            if told == ("empty", "done"):
                break
        else:
            self.books.wrong.append(f"{self.task.profile}: not done after {MOST_RUNS} undisturbed runs: {told}")
        self._audit()
        self.ropo.truth.polls.clear()
        self.begin_queue()

    def _audit(self) -> None:
        profile, books = self.task.profile, self.books
        store = psycopg2.connect(self.postgres.dsn)
        store.autocommit = True
        difference = truth.compare(store, profile, self.added)
        if difference.lost:
            # Recorded after the re-read that a doubt was recovered by, and taken by a request that was executed late.
            with self.forker.start(reread_dates, self.task, DAYS) as running:
                books.found_by_date += running.hear()
            difference = truth.compare(store, profile, self.added)
        lost = truth.lost_pages(store, profile, self.ropo.truth.polls)
        books.handed_out += len(self.added)
        books.held += difference.held
        books.lost += difference.lost
        books.doubled += difference.more + abs(difference.held - difference.counted) + difference.revised
        books.pages_lost += len(lost.pages)
        books.doubts += len(lost.doubts)
        ((brought,),) = truth.rows(
            store, "SELECT count(*) FROM ropo.status_event WHERE profile = %s AND source = 'date'", profile
        )
        books.found_by_recovery += brought
        books.wrong += [f"{profile}: {wrong}" for wrong in (*difference.wrong(), *truth.wrong_windows(lost))]
        store.close()
