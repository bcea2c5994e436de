"""The connections of PostgreSQL: the store and a ledger, by their Airflow connection ids."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import tenacity

from include.status_store.airflow_connection import POSTGRES_TYPES, ConnectionInvalidError, make_dsn, require_whole
from include.status_store.database import StoreUnavailableError, connect
from include.status_store.migrate import require_current
from include.status_store.session import Session, takes_transactions
from ropo_one.airflow_connections import extra_of, look_up

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

STORE_CONNECTION = "ropo_store"
# A store that restarts or fails over is back by then.
PATIENCE_SECONDS = 60.0
T = TypeVar("T")


def connection_dsn(conn_id: str) -> str:
    """Return the libpq string of an Airflow connection of type postgres.

    :raises ConnectionInvalidError: if there is none of that id, it has another type, its extra is no JSON object, or
        it names no database or role.
    """
    connection = look_up(conn_id, POSTGRES_TYPES[0], ConnectionInvalidError)
    if connection.conn_type not in POSTGRES_TYPES:
        raise ConnectionInvalidError(
            f"Connection {conn_id}: expected the type postgres, got {connection.conn_type!r}; a URI needs the form "
            "postgres://user:password@host:port/database"
        )
    named = f"Connection {conn_id}"
    dsn = make_dsn(
        host=connection.host,
        port=connection.port,
        login=connection.login,
        password=connection.password,
        schema=connection.schema,
        extra=extra_of(connection, ConnectionInvalidError),
        named=named,
    )
    require_whole(dsn, named)
    return dsn


def store_dsn(conn_id: str = STORE_CONNECTION) -> str:
    """Return the libpq string of the store.

    :param conn_id: of the role that is to be used.
    :raises StoreUnavailableError: if the connection is missing, or has another type: there is no store without it.
    """
    try:
        return connection_dsn(conn_id)
    except ConnectionInvalidError as error:
        raise StoreUnavailableError(str(error)) from None


def open_store(longest: datetime.timedelta | None = None) -> Session:
    """Open a session of the store, at the migration that this code needs.

    :param longest: after which PostgreSQL gives a statement up; by default never.
    :raises StoreUnavailableError: naming the connection, and the command that mends it.
    """
    dsn = store_dsn()
    session = Session(lambda: connect(dsn, longest=longest))
    try:
        require_current(session.connection)
    except BaseException:
        session.close()
        raise
    return session


def insist(work: Callable[[Session], T], *, longest: datetime.timedelta | None = None) -> T:
    """Do a work with a session of the store, from its beginning again while the store is away or takes no transaction.

    For what somebody is told, or is not told: a store that is away for a second must decide neither.

    :param work: that may be done twice.
    :param longest: see :func:`open_store`.
    :raises StoreUnavailableError: if the store cannot be used after :data:`PATIENCE_SECONDS`.
    """

    def once() -> T:
        with takes_transactions(), open_store(longest) as session:
            return work(session)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(StoreUnavailableError),
        stop=tenacity.stop_after_delay(PATIENCE_SECONDS),
        wait=tenacity.wait_random_exponential(multiplier=0.5, max=10),
        reraise=True,
    )
    result: T = retrying(once)
    return result
