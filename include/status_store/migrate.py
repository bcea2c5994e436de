"""Migrations of the store, by Alembic: ``python -m include.status_store.migrate`` (``make migrate``)."""

from __future__ import annotations

import argparse
import signal
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
from sqlalchemy import create_engine, pool
from sqlalchemy.exc import DBAPIError

from include.status_store.database import (
    MIGRATE_COMMAND,
    MIGRATION_LOCK,
    STORE_VARIABLE,
    WHO_HOLDS,
    StoreUnavailableError,
    connect,
    first_line,
    store_dsn_from_environment,
    why_read_only,
)
from include.status_store.reader import READER_VARIABLE, grant_reader
from include.status_store.rows import only_row
from include.status_store.statements import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.config import Config
    from psycopg2.extensions import connection as Connection
    from sqlalchemy import Connection as SQLAlchemyConnection

SCRIPTS = Path(__file__).with_name("migrations")
_OWNER = """
SELECT
    (SELECT quote_ident(pg_get_userbyid(nspowner)) FROM pg_namespace WHERE nspname = 'ropo'),
    quote_ident(current_user),
    quote_ident(current_database())
"""
# Of others' sessions an ordinary role sees no more than their process and role.
_HOLDERS = """
SELECT string_agg(format(
    'process %s of the role %s%s%s', pid, usename, ' (' || NULLIF(application_name, '') || ')',
    to_char(xact_start AT TIME ZONE 'UTC', '", in a transaction since "YYYY-MM-DD HH24:MI:SS"Z"')
), '; ')
FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND pid IN (
    SELECT pid
    FROM pg_locks
    JOIN pg_class ON pg_class.oid = pg_locks.relation
    JOIN pg_database ON pg_database.oid = pg_locks.database
    WHERE granted AND datname = current_database() AND relnamespace = to_regnamespace('ropo')
)
"""
_DATABASE = """
SELECT
    quote_ident(datname) AS name,
    quote_ident(current_user) AS role,
    pg_encoding_to_char(encoding) AS encoding,
    has_database_privilege(oid, 'TEMPORARY') AS may_make_temporary,
    to_regclass('ropo.alembic_version') IS NULL AS is_new
FROM pg_database
WHERE datname = current_database()
"""
# Whatever resets, restores or upgrades Airflow's database would do it to the store.
_IS_AIRFLOWS = """
SELECT count(DISTINCT relname) = 2 FROM pg_class WHERE relname IN ('dag_run', 'task_instance') AND relkind = 'r'
"""
_LACKS = (
    "lacks {}. If it was restored just now, the restore did not finish: restore it again into a new database "
    '(docs/deployment.md, "Backup and restore of the store"). Otherwise somebody has dropped it: drop nothing more, '
    "since Ropo One hands over nothing twice; make it again, as include/status_store/migrations made it"
)
_OLDER = "the code is older than the store: run the version that migrated it, or a newer one"


def upgrade(dsn: str, revision: str | None = None) -> str:
    """Bring the store of ``dsn`` to a migration, from nothing or from any earlier one; repeatable.

    :param revision: which; by default the newest.
    :return: the revision it now has.
    :raises StoreUnavailableError: if PostgreSQL does not let us in or refuses a step (a missing right, say), if the
        store was migrated by newer code or is not whole, or if it would begin in Airflow's own database or in one
        that is not in UTF-8. The store is then as it was.
    """
    from alembic import command  # as in `head`
    from alembic.util import CommandError

    revision = revision or head()
    engine = create_engine("postgresql+psycopg2://", creator=lambda: connect(dsn), poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            # A migration may write whole tables anew, while another one waits for it. For a table no migration waits
            # longer than any session does: whoever comes later to that table waits behind it.
            patience = connection.exec_driver_sql("SHOW lock_timeout").scalar()
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
            connection.exec_driver_sql("SELECT set_config('lock_timeout', %s, true)", (patience,))
            _check_database(connection)
            # Looked for first: IF NOT EXISTS asks for a right on the database even where the schema is there.
            if connection.exec_driver_sql("SELECT to_regnamespace('ropo') IS NULL").scalar():
                if connection.exec_driver_sql(_IS_AIRFLOWS).scalar():
                    raise StoreUnavailableError(
                        "The database that is named for the store holds Airflow's own tables: the store needs a "
                        f"database of its own. Make one (CREATE DATABASE ropo_store) and name it in {STORE_VARIABLE}"
                    )
                connection.exec_driver_sql("CREATE SCHEMA ropo")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
    except (DBAPIError, psycopg2.Error) as error:  # the steps go straight to the driver
        cause: Any = getattr(error, "orig", error)
        reason = _reason(cause, dsn)
        raise StoreUnavailableError(f"The store could not be migrated, and is as it was: {reason}") from error
    except CommandError as error:
        raise StoreUnavailableError(
            f"The store is at a migration that this code does not have: {error}; {_OLDER}"
        ) from error
    return revision


def _check_database(connection: SQLAlchemyConnection) -> None:
    """Check that a database can hold a store, and that the store which is in it is whole.

    :raises StoreUnavailableError: saying what somebody who may is to run.
    """
    database = connection.exec_driver_sql(_DATABASE).one()
    if not database.may_make_temporary:
        raise StoreUnavailableError(
            f"The role {database.role} may make no temporary tables: comparisons and re-reads need them. Have somebody "
            f"run GRANT TEMPORARY ON DATABASE {database.name} TO {database.role}; then run this again"
        )
    if database.is_new and database.encoding != "UTF8":
        raise StoreUnavailableError(
            f"The database {database.name} has the encoding {database.encoding}, and the store's must have UTF8: Ropo "
            f"One's texts may hold any character. Drop it, and have somebody run CREATE DATABASE {database.name} OWNER "
            f"{database.role} ENCODING 'UTF8' TEMPLATE template0"
        )
    standing = None if database.is_new else connection.exec_driver_sql(statement("migrated")).one_or_none()
    if standing is not None and standing.missing:
        raise StoreUnavailableError(f"The store that is to be migrated {_LACKS.format(', '.join(standing.missing))}")


def _reason(error: psycopg2.Error, dsn: str) -> str:
    """Return what PostgreSQL says, and on what a step failed: a view of somebody's own over a column, say."""
    reason = first_line(error)
    if isinstance(error, psycopg2.errors.InsufficientPrivilege):
        return reason + _remedy(dsn)
    if isinstance(error, psycopg2.errors.ReadOnlySqlTransaction):
        with closing(connect(dsn)) as connection:
            return why_read_only(connection)
    if isinstance(error, psycopg2.errors.LockNotAvailable):
        return f"{reason}. {_holders(dsn)}"
    detail = error.diag.message_detail if isinstance(error, psycopg2.errors.FeatureNotSupported) else None
    return reason + (f" ({detail}): drop it, migrate, and make it again" if detail else "")


def _holders(dsn: str) -> str:
    """Return who holds tables of the store, once a migration has given up waiting for one."""
    with closing(connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_HOLDERS)
        (holders,) = only_row(cursor)
    if holders is None:
        return f"{WHO_HOLDS}; then migrate again"
    return f"The store's tables are held by {holders}: end it (SELECT pg_terminate_backend(…)) and migrate again"


def _remedy(dsn: str) -> str:
    """Return what a role without the right is to do, or to have run by somebody who may."""
    with closing(connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(_OWNER)
        owner, role, database = only_row(cursor)
    if owner is None:
        return (
            f": have somebody who may run CREATE SCHEMA ropo AUTHORIZATION {role}, or "
            f"GRANT CREATE ON DATABASE {database} TO {role}; then run this again"
        )
    if owner == role:
        return ""
    return (
        f": it belongs to {owner}; migrate as that role, or have somebody run ALTER SCHEMA ropo OWNER TO {role} "
        "(and so with the tables in it)"
    )


@cache
def head() -> str:
    """Return the newest revision that this code has."""
    # Half of the time that the DAG files may take to parse, which migrate nothing.
    from alembic.script import ScriptDirectory

    revision = ScriptDirectory.from_config(_config()).get_current_head()
    if revision is None:
        raise RuntimeError(f"{SCRIPTS} holds no migration")
    return revision


def _revisions() -> set[str]:
    from alembic.script import ScriptDirectory  # as in `head`

    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def require_current(connection: Connection, connection_id: str = "ropo_store") -> None:
    """Check that the store is at the newest migration, and whole.

    :param connection: in no transaction.
    :param connection_id: where it stands in Airflow, for the error.
    :raises StoreUnavailableError: naming what mends it.
    """
    wanted = head()
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement("migrated"))
            found, missing = cursor.fetchone() or (None, [])
    except (psycopg2.errors.UndefinedTable, psycopg2.errors.InvalidSchemaName):
        found, missing = None, []
    finally:
        connection.rollback()
    if found != wanted or missing:
        store = f"The store (connection {connection_id}, database {connection.info.dbname})"
        told = _LACKS.format(", ".join(missing)) if found == wanted else _unfit(found)
        raise StoreUnavailableError(f"{store} {told}")


def _unfit(revision: str | None) -> str:
    """Return what is wrong with a store that is at another migration than this code needs, and what mends it.

    :param revision: None where the store was never set up.
    """
    if revision is None:
        return f"has not been set up: run {MIGRATE_COMMAND}"
    if revision not in _revisions():
        return f"is at migration {revision}, which this code does not have; {_OLDER}"
    return f"is at migration {revision}, this code needs {head()}: run {MIGRATE_COMMAND}"


def _config() -> Config:
    from alembic.config import Config  # as in `head`

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _place(dsn: str) -> str:
    """Return where the store is, as PostgreSQL let us in: the wrong database is seen before anything is in it."""
    with closing(connect(dsn)) as connection:
        info = connection.info
        return f"database {info.dbname} on {info.host}, port {info.port} ({STORE_VARIABLE})"


def main(arguments: Sequence[str] | None = None) -> int:
    """Migrate the store that ``AIRFLOW_CONN_ROPO_STORE`` names, and let the page's role read it where one is named."""
    argparse.ArgumentParser(
        prog="python -m include.status_store.migrate",
        description=f"Bring the store that {STORE_VARIABLE} names to the migration that this code needs; repeatable. "
        f"The role that {READER_VARIABLE} names, for the page, is made where it is not there, and may read the store.",
    ).parse_args(arguments)
    try:
        dsn = store_dsn_from_environment()
        sys.stdout.write(f"The store is at migration {upgrade(dsn)}: {_place(dsn)}.\n")
        reader = grant_reader(dsn)
    except StoreUnavailableError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if reader:
        sys.stdout.write(f"The role {reader} may read it, and no more; it can log in.\n")
    return 0


if __name__ == "__main__":
    # Python hears Ctrl-C once psycopg2 returns: after the migration that it waits for, or a step that takes minutes.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())
