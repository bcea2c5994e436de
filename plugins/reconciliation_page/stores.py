"""Sessions of the store for the page: reading in read-only transactions of one moment, changing in ones that write."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Annotated

import psycopg2
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends
from psycopg2.extensions import cursor as Cursor

from include.status_store.database import MIGRATE_COMMAND, StoreUnavailableError, connect
from include.status_store.migrate import require_current
from include.status_store.session import Session
from ropo_one.store import STORE_CONNECTION, open_store, store_dsn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

READER_CONNECTION = "ropo_store_reader"
# No page may hold the store for longer; a page that needs it has lost an index.
STATEMENT_TIMEOUT = "15s"
# A hundred thousand breaks are sorted and joined in memory, not on disk.
WORK_MEMORY = "32MB"

# Of a change: a comparison's breaks are worked in within seconds, and proxies give a request up after a minute.
LOCK_TIMEOUT = "10s"
CHANGE_TIMEOUT = "50s"

_BUSY = (psycopg2.errors.LockNotAvailable, psycopg2.errors.QueryCanceled, psycopg2.errors.DeadlockDetected)
_LACKING = {
    READER_CONNECTION: f"read the store: run {MIGRATE_COMMAND} where AIRFLOW_CONN_{READER_CONNECTION.upper()} is "
    "set, which grants it that",
    STORE_CONNECTION: f"use the store: let the connection name the role that runs {MIGRATE_COMMAND}",
}


class StoreBusyError(RuntimeError):
    """Others hold what was to be changed for longer than a person waits; the transaction was rolled back."""

    def __init__(self) -> None:
        super().__init__(
            "The store is busy, with a comparison that is being recorded, say, so this was not done. "
            "Try again in a minute"
        )


def reading_connection() -> str:
    """Return the connection by which pages read: of the role that may only read, where there is one."""
    try:
        BaseHook.get_connection(READER_CONNECTION)
    except AirflowNotFoundException:
        return STORE_CONNECTION
    return READER_CONNECTION


def open_reading() -> Connection:
    """Open a connection whose transactions read one moment and can write nothing, whatever its role may do.

    :raises StoreUnavailableError: naming the connection or the command that mends it.
    """
    connection_id = reading_connection()
    with _telling_of_rights(connection_id):
        return _opened(connection_id)


def _opened(connection_id: str) -> Connection:
    connection = connect(store_dsn(connection_id), connection_id)
    try:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('statement_timeout', %s, false), set_config('work_mem', %s, false)",
                (STATEMENT_TIMEOUT, WORK_MEMORY),
            )
        connection.commit()
        require_current(connection, connection_id)
    except BaseException:
        connection.close()
        raise
    return connection


def reading() -> Iterator[Cursor]:
    """Give a request its cursor for reading."""
    connection_id = reading_connection()
    with (
        _telling_of_rights(connection_id),
        closing(_opened(connection_id)) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


@contextmanager
def changing() -> Iterator[Session]:
    """Open a session of the store that writes, and waits for others no longer than a person would.

    :raises StoreUnavailableError: naming the connection or the command that mends it.
    :raises StoreBusyError: if others were at work for longer.
    """
    with open_store() as session, _telling_of_rights(STORE_CONNECTION):
        try:
            with session.transaction() as cursor:
                cursor.execute(
                    "SELECT set_config('lock_timeout', %s, false), set_config('statement_timeout', %s, false)",
                    (LOCK_TIMEOUT, CHANGE_TIMEOUT),
                )
            yield session
        except _BUSY as error:
            raise StoreBusyError from error


@contextmanager
def _telling_of_rights(connection_id: str) -> Iterator[None]:
    try:
        yield
    except psycopg2.errors.InsufficientPrivilege as error:
        text = f"The role of the connection {connection_id} may not {_LACKING[connection_id]}"
        raise StoreUnavailableError(text) from error


Reading = Annotated[Cursor, Depends(reading)]
