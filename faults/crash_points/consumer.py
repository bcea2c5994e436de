"""A run in a process of its own: drain and recover as the tasks of the drain DAG do, under a watch."""

from __future__ import annotations

import datetime
import json
import os
from typing import TYPE_CHECKING

import msgspec

from faults.crash_points.boundaries import Watch
from include.config.profiles import Profile
from include.status_store import reread
from include.status_store.database import connect
from include.status_store.drain import Drain
from include.status_store.journal import Journal
from include.status_store.queue_lock import QueueBusyError
from include.status_store.recovery import Recovery
from include.status_store.reread import Reread
from include.status_store.session import Session
from ropo_one.hooks import RopoOneHook

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe


# Dates of a doubt: the day before, today, tomorrow.
WINDOW = 3


class Task(msgspec.Struct, frozen=True):
    """What a run works on.

    :param dsn: of the store.
    :param url: of Ropo One.
    """

    dsn: str
    url: str
    cid: str
    apicode: str
    profile: str
    start_date: datetime.date
    late_days: int = 1

    @property
    def settings(self) -> Profile:
        """The profile's settings."""
        return Profile(name=self.profile, start_date=self.start_date, late_days=self.late_days)


class Told(msgspec.Struct, frozen=True):
    """What a run says at its end.

    :param drain: the word that stopped the drain, ``busy``, or the class of its error.
    :param recovery: ``done``, ``doubts`` where some are open still, or the class of its error.
    :param trace: the boundaries that it passed.
    :param missed: the stops that it did not come to.
    """

    drain: str
    recovery: str
    trace: list[str]
    missed: list[str]


def consume(task: Task, points: list[str], pipe: Pipe) -> None:
    """The process: a run, which says ``("done", Told)`` in the end."""
    _connect(task)
    watch = Watch(points, pipe)
    # As in the DAG: two tasks, each with its own session of the store and its own token; the second comes in any case.
    watch.phase = "drain"
    drained = _drain(task)
    watch.phase = "recover"
    recovered = _recover(task)
    watch.phase = "end"
    pipe.send(("done", Told(drained, recovered, watch.trace, watch.missed)))


def reread_dates(task: Task, pipe: Pipe) -> None:
    """The process: re-read the dates of the window, as the reconciliation of each date does."""
    _connect(task)
    with Session(lambda: connect(task.dsn), patience=30) as session:
        again = Reread(session, RopoOneHook(), Journal(task.settings))
        new = [again.by_date(task.start_date + datetime.timedelta(days=number)).new for number in range(WINDOW)]
    pipe.send(("reread", sum(new)))


def _connect(task: Task) -> None:
    fields = {"conn_type": "ropo_one", "host": task.url, "login": task.cid, "password": task.apicode}
    os.environ["AIRFLOW_CONN_ROPO_ONE_DEFAULT"] = json.dumps(fields)
    os.environ["NO_PROXY"] = "127.0.0.1"
    reread.PAUSE_SECONDS = 0.0


def _drain(task: Task) -> str:
    try:
        with Session(lambda: connect(task.dsn), patience=30) as session:
            drain = Drain(session, RopoOneHook(), Journal(task.settings), max_pages=1000, max_seconds=300)
            return drain.run().stopped_by
    except QueueBusyError:
        return "busy"
    except Exception as error:  # noqa: BLE001 - a failed task; the next run goes on
        return type(error).__name__


def _recover(task: Task) -> str:
    try:
        with Session(lambda: connect(task.dsn), patience=30) as session:
            summary = Recovery(session, RopoOneHook(), Journal(task.settings), max_seconds=300).run()
            return "doubts" if summary.pending or summary.unproven else "done"
    except Exception as error:  # noqa: BLE001 - as above
        return type(error).__name__
