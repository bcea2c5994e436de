"""A store that lacks what a dump brings back last is refused, and what it lacks is named."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from include.status_store.database import StoreUnavailableError, connect
from include.status_store.migrate import require_current, upgrade
from tests.include.status_store.test_migrate import bare
from tests.include.status_store.views import execute, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from local_airflow import embedded

__all__ = ["bare"]
KEPT = """
SELECT
    format('trigger %s of ropo.%s', tgname, tgrelid::regclass),
    format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass)
FROM pg_trigger
WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ropo'::regnamespace)
ORDER BY tgname
"""
RESTORE = r".*\. If it was restored just now, .*: restore it again into a new database .* Otherwise .* drop nothing"


def test_a_store_whose_restore_broke_off_before_its_last_trigger_is_refused(store: Connection, store_dsn: str) -> None:
    drops = query(store, KEPT)
    assert drops
    store.autocommit = False
    for trigger, drop in drops:
        execute(store, str(drop))
        with pytest.raises(StoreUnavailableError, match=f"lacks the {trigger}{RESTORE}"):
            # In the same transaction, which it rolls back.
            require_current(store)

    store.autocommit = True
    execute(store, str(drops[-1][1]))
    with pytest.raises(StoreUnavailableError, match=f"lacks the {drops[-1][0]}{RESTORE}"):
        upgrade(store_dsn)


def test_a_store_whose_restore_broke_off_before_its_keys_is_refused_whatever_its_migration(
    postgres: embedded.Server, bare: str
) -> None:
    upgrade(postgres.dsn(bare), "0010")
    with closing(connect(postgres.dsn(bare))) as connection, connection:
        execute(connection, "ALTER TABLE ropo.status_event DROP CONSTRAINT status_event_pkey CASCADE")

    with pytest.raises(StoreUnavailableError, match=f"lacks the primary key of ropo.status_event{RESTORE}"):
        upgrade(postgres.dsn(bare))
