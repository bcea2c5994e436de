"""The stage on which schedules are played: a simulated Ropo One in this process, a real store, runs in processes."""

from __future__ import annotations

import datetime
import itertools
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Self

import msgspec

from faults.consumer import Task, reread_dates
from faults.crash_points.consumer import Told, consume
from faults.crash_points.invariant import WINDOW, broken
from faults.crash_points.stops import Schedule, Stop, has_late_request, runs
from faults.simulated import today
from faults.truth import compare
from include.simulator.ropo import Ropo
from include.simulator.rows import bulk_rows
from include.simulator.server import SimulatorServer
from include.status_store.database import connect
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faults.forker import Forker, Running
    from include.simulator.rows import Row

PAGES = 3
ROWS_A_PAGE = 2
MOST_RUNS = 6
APICODE = "apicode-of-a-schedule"
_WAITS_FOR = "SELECT FROM pg_stat_activity WHERE pg_blocking_pids(pid) && %s"


class Played(msgspec.Struct):
    """A schedule that was played.

    :param traces: the boundaries that each run passed which came to its end.
    :param wrong: what is wrong in the end, in words.
    :param found_late: rows that only the next re-read of their date brought, see ``stops.has_late_request``.
    """

    schedule: Schedule
    traces: list[list[str]] = []
    told: list[Told] = []
    wrong: list[str] = []
    found_late: int = 0


class Stage:
    """Plays one schedule after another, each with a customer and a profile of its own.

    :param dsn: of a migrated store, which gets a profile more with each schedule.
    :param forker: starts the runs.
    """

    _numbers = itertools.count(1)

    def __init__(self, dsn: str, forker: Forker) -> None:
        self._dsn = dsn
        self._forker = forker
        self._opened = ExitStack()
        self._server = SimulatorServer(Ropo(default_customer=False))

    def __enter__(self) -> Self:
        self._server = self._opened.enter_context(self._server)
        self._store = self._opened.enter_context(closing(connect(self._dsn)))
        self._store.autocommit = True
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def play(self, schedule: Schedule) -> Played:
        """Play a schedule, let runs follow until nothing is left to do, and look whether all is right."""
        number = next(self._numbers)
        yesterday = today() - datetime.timedelta(days=1)
        # More than the first pages, which come when another consumer has emptied the queue.
        self._later = bulk_rows(4 * PAGES * ROWS_A_PAGE, first_day=yesterday, days=2)
        self._later.sort(key=lambda row: row["statusid"][1:])
        self._rows: list[Row] = []
        simulated = self._server.ropo
        simulated.reset()
        task = Task(
            dsn=self._dsn, url=self._server.url, cid=str(1_000_000 + number), apicode=APICODE,
            profile=f"schedule-{number}", start_date=yesterday,
        )  # fmt: skip
        simulated.add_customer(task.cid, APICODE)
        self._more_rows(task, PAGES)
        played = Played(schedule)
        started = 0
        for stops in runs(schedule):
            started += self._run(task, stops, played)
        started += self._finish(task, played)
        if has_late_request(schedule) and compare(self._store, task.profile, self._rows).lost:
            with self._forker.start(reread_dates, task, WINDOW) as process:
                played.found_late = process.hear()
        played.wrong += broken(self._store, task.profile, self._rows, simulated.truth, schedule, started)
        return played

    def _more_rows(self, task: Task, pages: int) -> None:
        more, self._later = self._later[: pages * ROWS_A_PAGE], self._later[pages * ROWS_A_PAGE :]
        self._rows += more
        self._server.ropo.add_rows(more, task.cid)

    def _run(self, task: Task, stops: Sequence[Stop], played: Played) -> int:
        """One run with its stops, and the other consumers that start at them.

        :return: how many runs that were.
        """
        others: list[Running] = []
        with ExitStack() as ended:
            process = ended.enter_context(self._forker.start(consume, task, [stop.point for stop in stops]))
            for stop in stops:
                said, *more = process.hear()
                if said == "done":
                    played.wrong.append(f"{stop} was not reached: {more[0].drain}, {more[0].recovery}")
                    break
                others += [ended.enter_context(other) for other in self._strike(task, stop, more[1], process)]
            for other in others:
                _hear_out(other, played)
            if stops and stops[-1].action.is_lethal:
                process.wait()
            elif not played.wrong:
                _hear_out(process, played)
        return 1 + len(others)

    def _strike(self, task: Task, stop: Stop, backends: list[int], process: Running) -> list[Running]:
        """Do what the stop says to the run that stands there; return the other consumers that started."""
        others = []
        for part in stop.action.parts:
            if part == "lost":
                self._execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", backends)
                self._until_gone(backends)
            elif part == "second":
                other = self._forker.start(consume, task, [])
                others.append(other)
                # To its end, or until it has to wait for what the run that stands here has begun in the store.
                until(lambda: other.pipe.poll() or self._execute(_WAITS_FOR, backends))  # noqa: B023 - called at once
                self._more_rows(task, 1)
        process.pipe.send("die" if stop.action.is_lethal else "go")
        if stop.action.is_lethal:
            # PostgreSQL ends the session, and with it the lock, as soon as it sees that its process is gone.
            self._until_gone(backends)
        return others

    def _finish(self, task: Task, played: Played) -> int:
        """Let runs follow until the queue is empty and no doubt is open; return how many that were."""
        for number in range(1, MOST_RUNS + 1):
            if played.wrong:
                return number - 1
            self._run(task, (), played)
            told = played.told[-1]
            if (told.drain, told.recovery) == ("empty", "done"):
                return number
        played.wrong.append(f"not done after {MOST_RUNS} undisturbed runs: {told.drain}, {told.recovery}")
        return MOST_RUNS

    def _until_gone(self, backends: list[int]) -> None:
        until(lambda: not self._execute("SELECT pid FROM pg_stat_activity WHERE pid = ANY (%s)", backends))

    def _execute(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with self._store.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall()


def _hear_out(process: Running, played: Played) -> None:
    told = process.hear()[1]
    played.told.append(told)
    played.traces.append(told.trace)
