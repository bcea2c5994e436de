"""A migration waits for its turn, and for tables that others hold, however long that takes."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2

from include.status_store import migrate
from include.status_store.database import connect
from include.status_store.migrate import head, upgrade
from tests.include.status_store.test_migrate import bare
from tests.include.status_store.views import column, execute
from tests.include.status_store.waiting import meanwhile, until

if TYPE_CHECKING:
    import pytest
    from psycopg2.extensions import connection as Connection

    from local_airflow import embedded

__all__ = ["bare"]
# Each step, which may wait for a table, writes down for how long it may, by the migrating session's own setting.
NOTED = """
CREATE TABLE noted (step text, lock_timeout text);
CREATE FUNCTION note_step() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.noted VALUES (tg_tag, current_setting('lock_timeout'));
END
$$;
CREATE EVENT TRIGGER note_steps ON ddl_command_start EXECUTE FUNCTION note_step();
"""
WAITING_FOR_LONG = """
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND NOT granted AND waitstart < clock_timestamp() - interval '300 ms'
"""


def test_a_migration_waits_for_locks_without_the_limit_of_other_sessions(postgres: embedded.Server, bare: str) -> None:
    with closing(psycopg2.connect(postgres.dsn(bare))) as looking, looking:
        execute(looking, NOTED)
        looking.commit()

        upgrade(postgres.dsn(bare))

        steps = column(looking, "SELECT step FROM noted")
        assert {"CREATE TABLE", "ALTER TABLE", "CREATE INDEX"} <= {*steps}
        assert column(looking, "SELECT DISTINCT lock_timeout FROM noted") == ["0"]


def test_a_migration_waits_for_its_turn_for_longer_than_other_sessions_would(
    postgres: embedded.Server, bare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(dsn: str) -> Connection:
        connection = connect(dsn)
        execute(connection, "SET lock_timeout = '100ms'")
        connection.commit()
        return connection

    monkeypatch.setattr(migrate, "connect", impatient)
    with closing(psycopg2.connect(postgres.dsn(bare))) as looking, looking:
        execute(looking, f"SELECT pg_advisory_xact_lock({migrate._LOCK_KEY})")
        with meanwhile(lambda: upgrade(postgres.dsn(bare))):
            until(lambda: column(looking, WAITING_FOR_LONG))
            looking.rollback()
        assert column(looking, "SELECT version_num FROM ropo.alembic_version") == [head()]


def test_two_migrations_at_once_come_one_after_the_other(postgres: embedded.Server, bare: str) -> None:
    revisions: list[str] = []
    threads = [threading.Thread(target=lambda: revisions.append(upgrade(postgres.dsn(bare)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert revisions == [head()] * 4
