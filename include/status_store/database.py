"""Connections to the store's PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2.extensions import quote_ident

from include.status_store.airflow_connection import ConnectionInvalidError, dsn_from_environment

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    Connect = Callable[[], Connection]

STORE_VARIABLE = "AIRFLOW_CONN_ROPO_STORE"
MIGRATE_COMMAND = "`make migrate` (with Docker `docker compose run --rm migrate`)"
# Of PostgreSQL's bigint, as the store counts its rows.
LARGEST_ID = 2**63 - 1

# Two migrations started at once (two containers, say) run one after the other, and so do their grants: PostgreSQL
# refuses to change one right twice at a time.
MIGRATION_LOCK = 7_302_117_260_911_003

# A statement that took too long, or waited too long for a lock of somebody else's; and what to do then.
GIVEN_UP = (psycopg2.errors.QueryCanceled, psycopg2.errors.LockNotAvailable)
WHO_HOLDS = (
    "Where another session holds what it waited for, pg_blocking_pids() and pg_stat_activity name it: end that one"
)
# SQLSTATE classes of what the server lacks, whatever it is asked to do: a full disk or no memory left, an operator's
# doing, a failing system. A deadlock is none of it, and no statement that took too long.
_OF_THE_SERVER = ("53", "57", "58")
# How PostgreSQL calls the shared memory of its parallel queries, in messages of every language. Where that is full it
# says that no space is left on the device.
_SEGMENT = '"/PostgreSQL.'
_ENLARGE_SEGMENT = (
    "No disk is full: this is the shared memory of the machine or container that PostgreSQL runs in. Give it more "
    "(with Docker: shm_size, see docs/scaling.md)"
)

# What every session of ours asks of libpq. A drain may hold its session for minutes while Ropo answers: the keepalives
# find a dead peer within a minute or two.
SESSION: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 30,
    "keepalives_count": 3,
    # Keepalives are not sent while a statement waits for its answer: this bounds that wait for a dead peer.
    "tcp_user_timeout": 120_000,
    "connect_timeout": 10,
    "application_name": "ropo_one",
    # Whatever the database's encoding is: what it cannot hold is then PostgreSQL's error on that row, not the driver's.
    "client_encoding": "UTF8",
}
# A session is idle while Ropo answers, or while the other side of a comparison works. A server has those of these
# settings that its version knows.
NEVER_ENDED_IDLE = """
SELECT set_config(name, '0', false)
FROM unnest(ARRAY['idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout']) AS name
WHERE current_setting(name, true) IS NOT NULL;
"""
# Set in the session and not in the startup options, which connection poolers refuse. A commit is only reported when it
# is on disk, since the page exists nowhere else by then. PostgreSQL's own keepalives end the session of a machine that
# vanished, which would hold the queue's lock for hours. Nobody's forgotten transaction is waited for without an end.
# What the role or the database sets for people must not hold here: a comparison at another isolation would not see that
# its month was signed meanwhile. No statement is compiled, as PostgreSQL does by the cost that it expects: for the long
# ones here that takes seconds, and saves none.
_SETTINGS = f"""
{NEVER_ENDED_IDLE}
SET default_transaction_isolation = 'read committed';
SET lock_timeout = '10min';
SET jit = off;
SET synchronous_commit = on;
SET timezone = 'UTC';
SET search_path = pg_catalog, ropo;
SET tcp_keepalives_idle = 30;
SET tcp_keepalives_interval = 30;
SET tcp_keepalives_count = 3;
"""


class StoreUnavailableError(RuntimeError):
    """The store cannot be reached, or is not at the migration that this code needs."""


def connect(dsn: str, connection_id: str = "ropo_store", *, longest: datetime.timedelta | None = None) -> Connection:
    """Open a session of the store.

    :param dsn: libpq connection string or URI.
    :param connection_id: where it stands in Airflow, for the error.
    :param longest: see :func:`give_up_after`; by default a statement may take as long as it does.
    :return: a psycopg2 connection, not in autocommit, with ``synchronous_commit`` on and TCP keepalives of 30 s.
    :raises StoreUnavailableError: if PostgreSQL does not let us in. The message holds no password.
    """
    try:
        connection: Connection = psycopg2.connect(dsn, **SESSION)
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
            give_up_after(cursor, longest)
        connection.commit()
    except psycopg2.OperationalError as error:
        reason = first_line(error)
        raise StoreUnavailableError(f"The store (connection {connection_id}) cannot be reached: {reason}") from None
    except psycopg2.ProgrammingError:
        # libpq quotes the piece that it cannot read, which may be of the password.
        raise StoreUnavailableError(
            f"The store (connection {connection_id}): its address is no libpq connection string"
        ) from None
    return connection


def give_up_after(cursor: Cursor, longest: datetime.timedelta | None) -> None:
    """Have PostgreSQL end every later statement of a session that takes longer, waiting for others' locks included.

    A process that waits for PostgreSQL hears nothing else: the time limit of an Airflow task alone would not end it.

    :param longest: None: no limit.
    """
    if longest is not None:
        milliseconds = max(1, round(longest.total_seconds() * 1000))
        cursor.execute("SELECT set_config('statement_timeout', %s, false)", (str(milliseconds),))


def store_dsn_from_environment(variable: str = STORE_VARIABLE) -> str:
    """Return the libpq string of the store that a variable names, as an Airflow connection (JSON or URI).

    :raises StoreUnavailableError: if the variable is missing or names no PostgreSQL.
    """
    try:
        return dsn_from_environment(variable, "the store")
    except ConnectionInvalidError as error:
        raise StoreUnavailableError(str(error)) from None


def is_of_the_server(error: psycopg2.Error) -> bool:
    """Tell whether the server lacks something, and would so whatever else it were asked to do."""
    return (error.pgcode or "").startswith(_OF_THE_SERVER) and not isinstance(error, psycopg2.errors.QueryCanceled)


def why_read_only(connection: Connection) -> str:
    """Return why a store takes no writing, and what somebody who may is to run.

    :param connection: on which it refused to write, still open.
    """
    if connection.info.parameter_status("in_hot_standby") == "on":
        return "its server only reads, as a standby does: name the one that takes writing"
    role, database = (quote_ident(name, connection) for name in (connection.info.user, connection.info.dbname))
    return (
        f"the role {role} or the database {database} is set to read-only: have somebody run whichever of them holds, "
        f"ALTER ROLE {role} RESET default_transaction_read_only or "
        f"ALTER DATABASE {database} RESET default_transaction_read_only"
    )


def first_line(error: psycopg2.Error) -> str:
    """Return what is wrong by PostgreSQL or libpq, in one line: those that follow may quote a statement or a row.

    Where its words would send whoever reads them to the wrong place, the right one stands beside them.
    """
    said = error.diag.message_primary or str(error)
    line = (said.strip().splitlines() or [type(error).__name__])[0]
    is_segment = isinstance(error, psycopg2.errors.DiskFull) and _SEGMENT in line
    return f"{line}. {_ENLARGE_SEGMENT}" if is_segment else line
