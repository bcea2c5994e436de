"""Nobody knows whether polls by date and by invoice number take rows out of the queue: both ways all is kept, once."""

from __future__ import annotations

import datetime
from contextlib import closing
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import psycopg2
import pytest

from include.simulator.faults import Fault
from include.simulator.ropo import Behaviour
from include.status_store.consumers import note_undrained
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.watch.consumer import OtherConsumer
from ropo_one.hooks import RopoOneHook
from tests.include.reconciliation.world import LEDGER, World
from tests.include.status_store.views import doubts, execute, outcomes
from tests.include.watch.records import told
from tests.integration.store.conftest import DAYS, accounted_for, expected, held, rows
from tests.integration.store.driver import drain, recover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.simulator.server import SimulatorServer
    from include.status_store.session import Session
    from local_airflow.embedded import Server
    from tests.integration.store.driver import Job

pytestmark = pytest.mark.parametrize("reads_consume", [False, True], ids=["reads leave the queue", "reads consume"])


@pytest.fixture
def profile(job: Job) -> Profile:
    return msgspec.structs.replace(job.profile, date_cap=1000)


@pytest.fixture
def hook(server: SimulatorServer, job: Job, reads_consume: bool) -> RopoOneHook:
    server.ropo.behaviour = Behaviour(reads_consume=reads_consume)
    return RopoOneHook()


@pytest.fixture
def world(postgres: Server, store_dsn: str, profile: Profile) -> Iterator[World]:
    name = postgres.fresh_database("ledger")
    with closing(psycopg2.connect(postgres.dsn(name))) as connection, connection, connection.cursor() as cursor:
        cursor.execute(LEDGER)
    yield World(store_dsn, postgres.dsn(name), profile)
    postgres.drop_database(name)


def dates(job: Job) -> list[datetime.date]:
    return [job.start_date + number * datetime.timedelta(days=1) for number in range(DAYS)]


def test_nothing_is_lost_or_doubled_and_every_date_is_judged_right(
    server: SimulatorServer, session: Session, store: Connection, job: Job, profile: Profile, hook: RopoOneHook,
    world: World,
) -> None:  # fmt: skip
    backlog = rows(160, job.start_date)
    for row in backlog:
        if row["amount"]:
            sent = datetime.datetime.combine(job.start_date, datetime.time(8), datetime.UTC)
            amount = str(row["amount"])
            named = {"jobid": str(row["jobid"]), "sent_at": sent, "changed_at": sent}
            world.row(str(row["billnum"]), "paid", amount, paid=amount, **named)
    drain(session, hook, profile)
    # Recorded after the 204, and first shown by re-reads, the answer to one of which is lost.
    server.ropo.add_rows(backlog[0::3])
    server.ropo.faults.add(Fault("drop_after_consuming", kind="date"))
    for date in dates(job):
        Reread(session, hook, Journal(profile)).by_date(date)
    # By questions by number, and by a drain whose answer is lost too.
    server.ropo.add_rows(backlog[1::3])
    for row in backlog[1:20:3]:
        Reread(session, hook, Journal(profile)).by_billnum(str(row["billnum"]))
    server.ropo.faults.add(Fault("drop_after_consuming", kind="drain"))
    assert drain(session, hook, profile).stopped_by == "in_doubt"
    recover(session, hook, profile)
    server.ropo.add_rows(backlog[2::3])
    assert drain(session, hook, profile).stopped_by == "empty"

    assert server.ropo.queued() == 0
    assert "in_doubt" in outcomes(store)
    assert held(store) == expected(backlog)
    assert accounted_for(store)
    assert [recovery for recovery, _ in doubts(store)] == ["recovered"]
    now = datetime.datetime.now(datetime.UTC)
    for date in dates(job):
        reread = Reread(session, hook, Journal(profile)).by_date(date)
        result = world.reconcile(date, now=now, reread_poll_id=reread.poll_id)
        assert (result.verdict, result.matched, result.reasons) == ("reconciled", result.population, [])
        assert result.population > 0


def test_a_change_that_our_own_reread_took_is_not_said_to_be_another_consumers(
    server: SimulatorServer, session: Session, store: Connection, job: Job, profile: Profile, hook: RopoOneHook,
    reads_consume: bool,
) -> None:  # fmt: skip
    drain(session, hook, profile)
    execute(store, "UPDATE ropo.status_poll SET opened_at = opened_at - interval '30 days', closed_at = opened_at")
    drain(session, hook, profile)
    first, second = rows(2, job.start_date)
    date = dates(job)[0]
    server.ropo.add_rows([first | {"statustime": f"{date} 10:00:00"}])
    Reread(session, hook, Journal(profile)).by_date(date)
    drain(session, hook, profile)
    with session.transaction() as cursor:
        assert note_undrained(cursor, profile) == reads_consume

    # Another program takes one; our re-read shows it.
    server.ropo.add_rows([second | {"statustime": f"{date} 11:00:00"}])
    hook.poll()
    Reread(session, hook, Journal(profile)).by_date(date)
    drain(session, hook, profile)

    (alert,) = told(session, OtherConsumer(profile, datetime.datetime.now(ZoneInfo("UTC"))))
    assert alert.subject.endswith(f"another consumer {'may' if reads_consume else 'seems to'} read the queue")
