"""What a run does, in a process of its own: drain and recover, as the two tasks of the drain DAG do for a profile."""

from __future__ import annotations

import datetime
import json
import os
from typing import TYPE_CHECKING

import msgspec

from include.config.profiles import Profile
from include.status_store import recovery, reread
from include.status_store.database import connect
from include.status_store.drain import A_THREAD, Drain
from include.status_store.journal import Journal
from include.status_store.queue_lock import QueueBusyError
from include.status_store.recovery import Recovery
from include.status_store.reread import Reread
from include.status_store.session import Session
from ropo_one.hooks import RopoOneHook

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor
    from multiprocessing.connection import Connection as Pipe


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What a run works on.

    :param dsn: of the store; ``patience``: seconds for which its absence is borne.
    :param url: of Ropo One; ``read_timeout``: seconds.
    :param ask_again: seconds after which a date that was not shown whole is asked again; None for what is shipped.
    """

    dsn: str
    url: str
    cid: str
    apicode: str
    profile: str
    start_date: datetime.date
    late_days: int = 1
    patience: float = 30.0
    read_timeout: float = 240.0
    ask_again: float | None = None

    @property
    def settings(self) -> Profile:
        """The profile's settings: no answer of a date is ever so long that it may be cut."""
        return Profile(name=self.profile, start_date=self.start_date, late_days=self.late_days, date_cap=1_000_000)

    def session(self) -> Session:
        """A session of the store."""
        return Session(lambda: connect(self.dsn), patience=self.patience)

    def be(self) -> None:
        """Let this process be one that works on it."""
        fields = {"conn_type": "ropo_one", "host": self.url, "login": self.cid, "password": self.apicode}
        extra = {"extra": {"read_timeout": self.read_timeout}}
        os.environ["AIRFLOW_CONN_ROPO_ONE_DEFAULT"] = json.dumps(fields | extra)
        os.environ["NO_PROXY"] = "127.0.0.1"
        reread.PAUSE_SECONDS = 0.0
        if self.ask_again is not None:
            recovery.ASK_AGAIN = datetime.timedelta(seconds=self.ask_again)


def drain(task: Task, helper: Callable[[], Executor] = A_THREAD) -> str:
    """Drain; return the word that stopped it, ``busy``, or the class of its error."""
    try:
        with task.session() as session:
            bounds = {"max_pages": 1000, "max_seconds": 300}
            drain = Drain(session, RopoOneHook(), Journal(task.settings), **bounds, helper=helper)
            return drain.run().stopped_by
    except QueueBusyError:
        return "busy"
    except Exception as error:  # noqa: BLE001 - a failed task; the next run goes on
        return type(error).__name__


def recover(task: Task) -> str:
    """Recover; return ``done``, ``doubts`` where some are open still, or the class of its error."""
    try:
        with task.session() as session:
            summary = Recovery(session, RopoOneHook(), Journal(task.settings), max_seconds=300).run()
            return "doubts" if summary.pending or summary.unproven else "done"
    except Exception as error:  # noqa: BLE001 - as above
        return type(error).__name__


def run(task: Task, pipe: Pipe) -> None:
    """The process of a run: says ``(drain, recover)`` in the end; the second comes whatever became of the first."""
    task.be()
    pipe.send((drain(task), recover(task)))


def reread_dates(task: Task, days: int, pipe: Pipe) -> None:
    """The process of what a reconciliation begins with: re-read so many dates; says how many rows only that brought."""
    task.be()
    with task.session() as session:
        again = Reread(session, RopoOneHook(), Journal(task.settings))
        dates = [task.start_date + datetime.timedelta(days=number) for number in range(days)]
        new = sum(again.by_date(date).new for date in dates)
    pipe.send(new)
