"""The role that may only read the store, for the page: made and granted by ``make migrate`` where it is named."""

from __future__ import annotations

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import encrypt_password, parse_dsn

from include.status_store.database import (
    MIGRATION_LOCK,
    STORE_VARIABLE,
    StoreUnavailableError,
    connect,
    first_line,
    store_dsn_from_environment,
)
from include.status_store.rows import only_row
from include.status_store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

READER_VARIABLE = "AIRFLOW_CONN_ROPO_STORE_READER"

# Tables and functions of later migrations too. Some views call functions, and not every site leaves those to everybody.
_GRANTS = """
GRANT CONNECT ON DATABASE {database} TO {role};
GRANT USAGE ON SCHEMA ropo TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA ropo TO {role};
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ropo TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA ropo GRANT SELECT ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA ropo GRANT EXECUTE ON FUNCTIONS TO {role};
"""


# A copy made by PostgreSQL's replication is the store, too: the page may read one.
_IDENTITY = """
SELECT (pg_control_system()).system_identifier, oid FROM pg_database WHERE datname = current_database()
"""


def grant_reader(dsn: str) -> str | None:
    """Make the role that :data:`READER_VARIABLE` names, if it is not there, and let it read the store; repeatable.

    A role that is there keeps its password, so it is then logged in as, once.

    :param dsn: of the store's owner.
    :return: the role's name; None where the variable is not set.
    :raises StoreUnavailableError: if the variable names no role with a password, or one that cannot log in, may more
        or less than read, or is led to another database than the store, or if the owner may not make one; it says what
        somebody who may has to run.
    """
    if not os.environ.get(READER_VARIABLE):
        return None
    reader_dsn = store_dsn_from_environment(READER_VARIABLE)
    fields = parse_dsn(reader_dsn)
    name: str = fields.get("user", "")
    password: str | None = fields.get("password")
    if not (name and password):
        raise StoreUnavailableError(f"{READER_VARIABLE}: expected a login and a password, the role that may only read")
    with closing(connect(dsn)) as connection:
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = 0")  # as a migration waits for another
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", (MIGRATION_LOCK,))
                if not _is_there(cursor, name):
                    _make(cursor, name, password)
                database = sql.Identifier(connection.info.dbname)
                cursor.execute(sql.SQL(_GRANTS).format(database=database, role=sql.Identifier(name)))
        except psycopg2.errors.InsufficientPrivilege as error:
            raise StoreUnavailableError(
                f"{READER_VARIABLE}: the store's owner may not let {name} read it: {first_line(error)}"
            ) from None
        with connection, connection.cursor() as cursor:
            store = _identity(cursor)
            quoted = _quoted(cursor, name)
    _try(reader_dsn, name, quoted, store)
    return name


def _is_there(cursor: Cursor, name: str) -> bool:
    """Tell whether there is such a role, and refuse one that no right restrains."""
    cursor.execute("SELECT rolsuper, rolname = session_user FROM pg_roles WHERE rolname = %s", (name,))
    found = cursor.fetchone()
    if found is None:
        return False
    superuser, owner = found
    if owner or superuser:
        what = "the store's owner" if owner else "a superuser"
        raise StoreUnavailableError(f"{READER_VARIABLE}: {name} is {what}; name a role of its own")
    return True


def _make(cursor: Cursor, name: str, password: str) -> None:
    # PostgreSQL logs statements that fail, and others where it is told to: none of them may show the password.
    cursor.execute("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone() != (True,):
        raise StoreUnavailableError(
            f"The store's owner may not make the role {name} ({READER_VARIABLE}): have it made by somebody who "
            f"may, as in CREATE ROLE {_quoted(cursor, name)} LOGIN PASSWORD '…', and run this again"
        )
    role = sql.Identifier(name)
    verifier = encrypt_password(password, name, cursor.connection, "scram-sha-256")
    cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(role), (verifier,))
    # A second lock beside its rights.
    cursor.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role))


def _quoted(cursor: Cursor, name: str) -> str:
    """Return a role's name as a statement that somebody is to run has it."""
    cursor.execute("SELECT quote_ident(%s)", (name,))
    return str(only_row(cursor)[0])


def _identity(cursor: Cursor) -> tuple[Any, ...]:
    """Return what no other database has, whatever it is called. An address is none: one may have several."""
    try:
        cursor.execute(_IDENTITY)
    except psycopg2.errors.InsufficientPrivilege as error:
        # A site may have taken from everybody what PostgreSQL leaves to everybody.
        raise StoreUnavailableError(
            f"{READER_VARIABLE}: whether it leads to the store cannot be told: {first_line(error)}. Have a superuser "
            "run GRANT EXECUTE ON FUNCTION pg_control_system() there, TO the store's owner and TO the reader, and run "
            "this again"
        ) from None
    return only_row(cursor)


def _try(dsn: str, name: str, quoted: str, store: tuple[Any, ...]) -> None:
    """Log in as the role, where the page will, and look at what it may do there.

    :param dsn: the reader's own.
    :param quoted: its name as in a statement.
    :param store: the database that it must lead to, by its identity.
    """
    try:
        reader = psycopg2.connect(dsn, connect_timeout=10)
    except psycopg2.OperationalError as error:
        raise StoreUnavailableError(
            f"{READER_VARIABLE}: the role {name} cannot log in: {first_line(error)}. Host, port and schema are "
            f"the store's own; a role that is there keeps its password: name that one, or run ALTER ROLE {quoted} "
            "LOGIN PASSWORD '…'"
        ) from None
    with closing(reader), reader.cursor() as cursor:
        if _identity(cursor) != store:
            place = f"database {reader.info.dbname} on {reader.info.host}, port {reader.info.port}"
            raise StoreUnavailableError(
                f"{READER_VARIABLE}: it leads to the {place}, which is not the store: name the host, port and schema "
                f"of {STORE_VARIABLE}"
            )
        cursor.execute(statement("more_than_reading"))
        too_much = cursor.fetchone()
        cursor.execute(statement("less_than_reading"))
        too_little = cursor.fetchone()
    if too_much is not None:
        raise StoreUnavailableError(f"{READER_VARIABLE}: {name} {too_much[0]}; name a role of its own")
    if too_little is not None:
        raise StoreUnavailableError(
            f"{READER_VARIABLE}: {name} {too_little[0]}: it is not the store's owner that this belongs to; migrate as "
            "whoever owns it, or have them grant it"
        )
