"""A migration waits for its turn however long that takes, and for a table that others hold as long as any session."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.status_store import migrate
from include.status_store.database import MIGRATION_LOCK, StoreUnavailableError, connect
from include.status_store.migrate import head, upgrade
from local_airflow.paths import ROOT
from local_airflow.waiting import until
from tests.include.status_store.test_migrate import bare
from tests.include.status_store.views import column, execute, query
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from local_airflow import embedded

__all__ = ["bare"]
# Each step, which may wait for a table and take long, writes down for how long it may, by the session's own settings.
NOTED = """
CREATE TABLE noted (step text, lock_timeout text, statement_timeout text);
CREATE FUNCTION note_step() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.noted VALUES (tg_tag, current_setting('lock_timeout'), current_setting('statement_timeout'));
END
$$;
CREATE EVENT TRIGGER note_steps ON ddl_command_start EXECUTE FUNCTION note_step();
"""
WAITING_FOR_LONG = """
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND NOT granted AND waitstart < clock_timestamp() - interval '300 ms'
"""


def _impatient(dsn: str) -> Connection:
    connection = connect(dsn)
    execute(connection, "SET lock_timeout = '100ms'")
    connection.commit()
    return connection


def test_a_step_takes_as_long_as_it_takes_but_waits_for_nobodys_forgotten_transaction_without_an_end(
    postgres: embedded.Server, bare: str
) -> None:
    with closing(psycopg2.connect(postgres.dsn(bare))) as looking, looking:
        execute(looking, NOTED)
        execute(looking, f"ALTER DATABASE {bare} SET statement_timeout = '1h'")
        looking.commit()

        upgrade(postgres.dsn(bare))

        steps = column(looking, "SELECT step FROM noted")
        assert {"CREATE TABLE", "ALTER TABLE", "CREATE INDEX"} <= {*steps}
        assert query(looking, "SELECT DISTINCT lock_timeout, statement_timeout FROM noted") == [("10min", "0")]


def test_whoever_holds_a_table_for_longer_is_named_and_the_store_left_as_it_was(
    postgres: embedded.Server, bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade(postgres.dsn(bare), "0350")
    monkeypatch.setattr(migrate, "connect", _impatient)
    with closing(connect(postgres.dsn(bare))) as forgotten:
        execute(forgotten, "SET application_name = 'a notebook'")
        forgotten.commit()
        column(forgotten, "SELECT count(*) FROM ropo.reconciliation_break")
        with pytest.raises(StoreUnavailableError, match=r"could not be migrated, and is as it was: .*lock") as caught:
            upgrade(postgres.dsn(bare))
        holder = f"process {forgotten.info.backend_pid} of the role postgres (a notebook)"
        assert holder in str(caught.value)
        assert "pg_terminate_backend" in str(caught.value)

    assert upgrade(postgres.dsn(bare)) == head()


def test_a_migration_waits_for_its_turn_for_longer_than_other_sessions_would(
    postgres: embedded.Server, bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "connect", _impatient)
    with closing(psycopg2.connect(postgres.dsn(bare))) as looking, looking:
        execute(looking, f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        with meanwhile(lambda: upgrade(postgres.dsn(bare))):
            until(lambda: column(looking, WAITING_FOR_LONG))
            looking.rollback()
        assert column(looking, "SELECT version_num FROM ropo.alembic_version") == [head()]


def test_ctrl_c_ends_one_that_waits_for_its_turn(postgres: embedded.Server, bare: str) -> None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AIRFLOW_CONN_ROPO_STORE": json.dumps(postgres.airflow_connection(bare, "postgres")),
    }
    with closing(psycopg2.connect(postgres.dsn(bare))) as looking, looking:
        execute(looking, f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        with subprocess.Popen([sys.executable, "-m", "include.status_store.migrate"], env=environment) as migration:
            try:
                until(lambda: waiting_for_a_lock(looking))
                migration.send_signal(signal.SIGINT)
                assert migration.wait(30) == -signal.SIGINT
            finally:
                migration.kill()


def test_two_migrations_at_once_come_one_after_the_other(postgres: embedded.Server, bare: str) -> None:
    revisions: list[str] = []
    threads = [threading.Thread(target=lambda: revisions.append(upgrade(postgres.dsn(bare)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert revisions == [head()] * 4


def test_events_that_others_are_about_to_commit_have_their_day_afterwards(postgres: embedded.Server, bare: str) -> None:
    dsn = postgres.dsn(bare)
    upgrade(dsn, "0400")
    with closing(psycopg2.connect(dsn)) as storing, closing(psycopg2.connect(dsn)) as looking:
        execute(
            storing,
            "INSERT INTO ropo.status_event (profile, statusid, jobid, statustype, statustime, statuscode, statusref, "
            "statustext, raw, source, first_poll_id, content_poll_id) "
            "SELECT 'default', n, 'J', 'comment', '2026-11-13', '98', '', '', '{}', 'drain', 1, 1 "
            "FROM generate_series(1, 5) AS n",
        )

        def commit() -> None:
            try:
                until(lambda: waiting_for_a_lock(looking))
            finally:  # or the migration would wait on
                storing.commit()

        assert not waiting_for_a_lock(looking)
        with meanwhile(commit):
            upgrade(dsn)

        assert query(storing, "SELECT count(*), min(day)::text FROM ropo.event_by_day") == [(5, "2026-11-13")]
