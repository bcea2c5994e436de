"""The role that may only read the store, for the page: made and granted by ``make migrate`` where it is named."""

from __future__ import annotations

import os
from contextlib import closing

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import parse_dsn

from include.status_store.database import StoreUnavailableError, connect, dsn_from_airflow

READER_VARIABLE = "AIRFLOW_CONN_ROPO_STORE_READER"

# Tables of later migrations too. The role's own setting is a second lock beside its rights.
_GRANTS = """
GRANT CONNECT ON DATABASE {database} TO {role};
GRANT USAGE ON SCHEMA ropo TO {role};
GRANT SELECT ON ALL TABLES IN SCHEMA ropo TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA ropo GRANT SELECT ON TABLES TO {role};
"""


def grant_reader(dsn: str) -> str | None:
    """Make the role that :data:`READER_VARIABLE` names, if it is not there, and let it read the store; repeatable.

    A role that is there keeps its password.

    :param dsn: of the store's owner.
    :return: the role's name; None where the variable is not set.
    :raises StoreUnavailableError: where the variable names no role with a password, or the owner may not make one; it
        says what somebody who may has to run.
    """
    value = os.environ.get(READER_VARIABLE)
    if not value:
        return None
    fields = parse_dsn(dsn_from_airflow(value, READER_VARIABLE))
    name: str = fields.get("user", "")
    password = fields.get("password")
    if not (name and password):
        raise StoreUnavailableError(f"{READER_VARIABLE}: expected a login and a password, the role that may only read")
    with closing(connect(dsn)) as connection:
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT session_user")
                if cursor.fetchone() == (name,):
                    raise StoreUnavailableError(
                        f"{READER_VARIABLE}: {name} is the store's owner; name a role of its own"
                    )
                cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (name,))
                role = sql.Identifier(name)
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(role), (password,))
                    cursor.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role))
                database = sql.Identifier(connection.info.dbname)
                cursor.execute(sql.SQL(_GRANTS).format(database=database, role=role))
        except psycopg2.errors.InsufficientPrivilege:
            raise StoreUnavailableError(
                f"The store's owner may not make the role {name} ({READER_VARIABLE}): have it made by somebody who "
                f"may, as in CREATE ROLE {name} LOGIN PASSWORD '…', and run this again"
            ) from None
    return name
