"""What a process of its own does in these tests: drain and recover, as the tasks of the drain DAG do."""

from __future__ import annotations

import datetime
import os
from typing import TYPE_CHECKING, Any

import msgspec

from include.config.profiles import Profile
from include.status_store import reread
from include.status_store.database import connect
from include.status_store.drain import Drain, DrainSummary
from include.status_store.journal import Journal
from include.status_store.queue_lock import QueueBusyError
from include.status_store.recovery import Recovery, RecoverySummary
from include.status_store.session import Session
from ropo_one.hooks import RopoOneHook

if TYPE_CHECKING:
    from multiprocessing.connection import Connection as Pipe


class Job(msgspec.Struct, frozen=True):
    """Which store, which Ropo One, and since when; it must pass to another process.

    :param environment: the Airflow connection, as ``AIRFLOW_CONN_…``.
    """

    dsn: str
    environment: dict[str, str]
    start_date: datetime.date
    patience: float = 30.0

    @property
    def profile(self) -> Profile:
        return Profile(name="default", start_date=self.start_date, date_cap=1_000_000)


def drain(session: Session, hook: Any, profile: Profile, *, max_pages: int = 1000) -> DrainSummary:
    return Drain(session, hook, Journal(profile), max_pages=max_pages, max_seconds=300).run()


def recover(session: Session, hook: Any, profile: Profile) -> RecoverySummary:
    return Recovery(session, hook, Journal(profile), max_seconds=300).run()


def drain_and_recover(job: Job) -> tuple[DrainSummary, RecoverySummary]:
    """One run of the drain DAG for one profile."""
    hook = RopoOneHook()
    with Session(lambda: connect(job.dsn), patience=job.patience) as session:
        return drain(session, hook, job.profile), recover(session, hook, job.profile)


def run(job: Job, pipe: Pipe | None = None) -> None:
    """The process: says ``busy``, or how many events were new."""
    os.environ.update(job.environment)
    reread.PAUSE_SECONDS = 0.0
    try:
        said: object = drain_and_recover(job)[0].new
    except QueueBusyError:
        said = "busy"
    if pipe is not None:
        pipe.send(said)
