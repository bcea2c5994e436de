"""A migration waits for its turn, and for tables that others hold, however long that takes."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2

from include.status_store.migrate import head, upgrade
from tests.include.status_store.test_migrate import bare
from tests.include.status_store.views import column, execute

if TYPE_CHECKING:
    from local_airflow import embedded

__all__ = ["bare"]
# Every wait of a migration writes down how long it may take, by the migrating session's own setting: that for its turn
# (the store's schema comes first where a session looks for a function), and each step, which may wait for a table.
NOTED = """
CREATE TABLE noted (step text, lock_timeout text);
CREATE SCHEMA ropo;
CREATE FUNCTION ropo.pg_advisory_xact_lock(key bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO public.noted VALUES ('its turn', current_setting('lock_timeout'));
    SELECT pg_catalog.pg_advisory_xact_lock(key);
$$;
CREATE FUNCTION note_step() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.noted VALUES (tg_tag, current_setting('lock_timeout'));
END
$$;
CREATE EVENT TRIGGER note_steps ON ddl_command_start EXECUTE FUNCTION note_step();
"""


def test_a_migration_waits_for_locks_without_the_limit_of_other_sessions(postgres: embedded.Server, bare: str) -> None:
    with closing(psycopg2.connect(postgres.dsn(bare))) as looking, looking:
        execute(looking, NOTED)
        looking.commit()

        upgrade(postgres.dsn(bare))

        first, *steps = column(looking, "SELECT step FROM noted")
        assert (first, {"CREATE TABLE", "ALTER TABLE", "CREATE INDEX"} - {*steps}) == ("its turn", set())
        assert column(looking, "SELECT DISTINCT lock_timeout FROM noted") == ["0"]


def test_two_migrations_at_once_come_one_after_the_other(postgres: embedded.Server, bare: str) -> None:
    revisions: list[str] = []
    threads = [threading.Thread(target=lambda: revisions.append(upgrade(postgres.dsn(bare)))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert revisions == [head()] * 4
