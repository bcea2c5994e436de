"""One embedded PostgreSQL for each home: shared by everyone who uses it, stopped by the last one who leaves.

For tests: :func:`shared` with a directory of their own gives a server in about two seconds, and
:meth:`Server.fresh_database` a database in it in some tens of milliseconds.
"""

from __future__ import annotations

import fcntl
import secrets
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

import psycopg2
from psycopg2 import errors, sql

from local_airflow import cluster
from local_airflow.paths import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

# Each database and the role it belongs to; none of them is a superuser, as in an installation. The ledger's owner has
# another name than its schema `erp`: PostgreSQL would look there first for what the owner makes without a schema.
OWNERS = {"airflow": "airflow", "store": "ropo_store", "erp": "erp_owner"}
LEDGER_READER = "erp_reader"
# The advisory lock of whoever sets up a database: the others wait for it. It goes with the session.
ALONE = 7_024_001


@dataclass(frozen=True)
class Server:
    """A running embedded server.

    :param home: the directory it lives in.
    :param port: its TCP port on the loopback address.
    :param password: of every role in it.
    """

    home: Path
    port: int
    password: str = field(repr=False)
    host: str = cluster.HOST

    def dsn(self, database: str, user: str | None = None, driver: str = "") -> str:
        """The address of a database as a URL, for libpq (psycopg2) and, with a driver, for SQLAlchemy.

        :param database: its name.
        :param user: the role; by default the database's owner.
        :param driver: SQLAlchemy's name of a driver, such as ``psycopg2``.
        :return: the URL, with the password in it: never for a log.
        """
        user = user or OWNERS.get(database, cluster.SUPERUSER)
        scheme = f"postgresql+{driver}" if driver else "postgresql"
        return f"{scheme}://{quote(user)}:{quote(self.password)}@{self.host}:{self.port}/{quote(database)}"

    def airflow_connection(self, database: str, user: str | None = None) -> dict[str, str | int]:
        """A database as an Airflow connection.

        :param database: its name.
        :param user: the role; by default the database's owner.
        :return: the fields of an ``AIRFLOW_CONN_…`` JSON value.
        """
        return {
            "conn_type": "postgres",
            "host": self.host,
            "port": self.port,
            "login": user or OWNERS.get(database, cluster.SUPERUSER),
            "password": self.password,
            "schema": database,
        }

    def create_database(self, name: str, *, owner: str = cluster.SUPERUSER, template: str = "template1") -> bool:
        """Create a database, as a copy of another one, if it is not there.

        :param name: the new database.
        :param owner: the role it belongs to; made if it is not there.
        :param template: the database to copy; nobody may be connected to it meanwhile.
        :return: whether it was made now.
        """
        with self._admin() as admin, admin.cursor() as cursor:
            self._create_role(cursor, owner)
            try:
                # FILE_COPY copies files, not pages through the log: quicker for a small template.
                cursor.execute(
                    sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY {}").format(
                        *map(sql.Identifier, (name, owner, template, "file_copy"))
                    )
                )
            except errors.DuplicateDatabase:
                return False
        return True

    def fresh_database(self, prefix: str = "test", *, template: str = "template1") -> str:
        """Create a database that nobody else has.

        :param prefix: what its name begins with.
        :param template: the database to copy, for example one that is migrated already.
        :return: its name.
        """
        name = f"{prefix}_{secrets.token_hex(6)}"
        self.create_database(name, template=template)
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database if it is there, and end the sessions that use it.

        :param name: the database.
        """
        with self._admin() as admin, admin.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def provision(self) -> None:
        """Make all databases, their owners, and the role that may only read the ledger; repeatable."""
        with self._admin() as admin, admin.cursor() as cursor:
            # Airflow's parts may be started at once, and PostgreSQL refuses to change one right twice at a time.
            cursor.execute("SELECT pg_advisory_lock(%s)", (ALONE,))
            for name, owner in OWNERS.items():
                self.create_database(name, owner=owner)
            self._create_role(cursor, LEDGER_READER)
            reader = sql.Identifier(LEDGER_READER)
            cursor.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(reader))
            cursor.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(reader))
            for name in OWNERS:
                cursor.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
            cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE erp TO {}").format(reader))

    def create_role(self, name: str) -> None:
        """Create a role that may log in and nothing else, if it is not there.

        :param name: the role.
        """
        with self._admin() as admin, admin.cursor() as cursor:
            self._create_role(cursor, name)

    def _create_role(self, cursor: psycopg2.extensions.cursor, name: str) -> None:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,))
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD %s").format(sql.Identifier(name)), (self.password,))

    @contextmanager
    def _admin(self) -> Iterator[Connection]:
        with closing(psycopg2.connect(self.dsn("postgres"))) as admin:
            admin.autocommit = True
            yield admin


@contextmanager
def shared(home: Path, *, durable: bool = True) -> Iterator[Server]:
    """Use the server of a home: it is started if it does not run, and stopped when its last user leaves.

    Users are told apart by a lock that the kernel gives back however a process ends; who was killed is not waited for.

    :param home: the directory the server lives in; made if it is not there.
    :param durable: see :func:`local_airflow.cluster.start`; the first user's word counts.
    :return: the running server.
    :raises local_airflow.cluster.EmbeddedPostgresError: if it does not start.
    """
    private_directory(home)
    with (home / "postgres-users.lock").open("w") as users:
        with _turn(home):
            fcntl.flock(users, fcntl.LOCK_SH)
            port, password = cluster.start(home, durable=durable)
        try:
            yield Server(home, port, password)
        finally:
            with _turn(home):
                if _is_last(users):
                    cluster.stop(home)


@contextmanager
def _turn(home: Path) -> Iterator[None]:
    """One at a time may look whether the server runs and start or stop it."""
    with (home / "postgres-turn.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_last(users: IO[str]) -> bool:
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
