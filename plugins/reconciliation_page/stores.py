"""Sessions of the store for the page: reading in read-only transactions of one moment, changing in ones that write."""

from __future__ import annotations

from contextlib import closing, contextmanager
from functools import cache
from typing import TYPE_CHECKING, Annotated

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends
from psycopg2.extensions import cursor as Cursor

from include.status_store.database import MIGRATE_COMMAND, StoreUnavailableError, connect
from include.status_store.migrate import head
from include.status_store.session import Session
from ropo_one.store import STORE_CONNECTION, connection_dsn, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

READER_CONNECTION = "ropo_store_reader"
# No page may hold the store for longer; a page that needs it has lost an index.
STATEMENT_TIMEOUT = "15s"
# A hundred thousand breaks are sorted and joined in memory, not on disk.
WORK_MEMORY = "32MB"

_needed = cache(head)


def reading_dsn() -> str:
    """Return where pages read: the role that may only read, where there is a connection of it, else the store's own.

    :raises StoreUnavailableError: naming the connection and what to do.
    """
    try:
        BaseHook.get_connection(READER_CONNECTION)
    except AirflowNotFoundException:
        return connection_dsn(STORE_CONNECTION)
    return connection_dsn(READER_CONNECTION)


def open_reading() -> Connection:
    """Open a connection whose transactions read one moment and can write nothing, whatever its role may do.

    :raises StoreUnavailableError: naming the connection or the command that mends it.
    """
    connection = connect(reading_dsn())
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, false), set_config('work_mem', %s, false)",
                (STATEMENT_TIMEOUT, WORK_MEMORY),
            )
            cursor.execute("SELECT to_regclass('ropo.alembic_version') IS NOT NULL")
            found = None
            if cursor.fetchone() == (True,):
                cursor.execute("SELECT version_num FROM ropo.alembic_version")
                found = cursor.fetchone()
        connection.commit()
        if found != (_needed(),):
            state = f"is at migration {found[0]}, this code needs {_needed()}" if found else "has not been set up"
            raise StoreUnavailableError(f"The store (connection {STORE_CONNECTION}) {state}: run `{MIGRATE_COMMAND}`")
    except BaseException:
        connection.close()
        raise
    return connection


def reading() -> Iterator[Cursor]:
    """Give a request its cursor for reading."""
    with closing(open_reading()) as connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def changing() -> Iterator[Session]:
    """Open a session of the store that writes.

    :raises StoreUnavailableError: naming the connection or the command that mends it.
    """
    with open_store() as session:
        yield session


Reading = Annotated[Cursor, Depends(reading)]
