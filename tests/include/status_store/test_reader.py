"""The role that may only read the store."""

from __future__ import annotations

import json
import os
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from include.status_store import migrate
from include.status_store.database import MIGRATION_LOCK, STORE_VARIABLE, StoreUnavailableError, connect
from include.status_store.reader import READER_VARIABLE, grant_reader
from local_airflow.waiting import until
from tests.include.status_store.views import execute, query
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from local_airflow.embedded import Server

ROLE = "a reader of the tests"


@pytest.fixture
def reader_dsn(postgres: Server, store_name: str, store: Connection, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the role reads, once it is made."""
    fields = {**postgres.airflow_connection(store_name, ROLE), "password": postgres.password}
    monkeypatch.setenv(READER_VARIABLE, json.dumps(fields))
    yield postgres.dsn(store_name, ROLE)
    with store.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", (ROLE,))
        if cursor.fetchone() is not None:
            cursor.execute(f'DROP OWNED BY "{ROLE}"')
            cursor.execute(f'DROP ROLE "{ROLE}"')


@pytest.fixture
def maker(postgres: Server, store: Connection) -> Iterator[str]:
    """A role that may make roles and hand on reading, and is neither the store's owner nor a superuser."""
    execute(store, "CREATE ROLE maker CREATEROLE LOGIN PASSWORD %s", (postgres.password,))
    execute(store, "GRANT USAGE ON SCHEMA ropo TO maker WITH GRANT OPTION")
    execute(store, "GRANT SELECT ON ALL TABLES IN SCHEMA ropo TO maker WITH GRANT OPTION")
    yield "maker"
    execute(store, "DROP OWNED BY maker CASCADE; DROP ROLE maker")


@pytest.fixture
def password(reader_dsn: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The role's password, which is nobody else's."""
    fields = json.loads(os.environ[READER_VARIABLE])
    monkeypatch.setenv(READER_VARIABLE, json.dumps({**fields, "password": "s3cret of the reader"}))
    return "s3cret of the reader"


def logged(postgres: Server) -> str:
    """What PostgreSQL has written into its log."""
    return (postgres.home / "postgres" / "server.log").read_text(errors="replace")


def test_it_reads_every_table_and_writes_none_whatever_its_session_says(store_dsn: str, reader_dsn: str) -> None:
    for _ in range(2):  # repeatable
        assert grant_reader(store_dsn) == ROLE
    with closing(connect(reader_dsn)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ropo.reconciliation_break")
        cursor.execute("SELECT count(*) FROM ropo.break_today")
        reader.rollback()
        cursor.execute("SHOW default_transaction_read_only")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE")
        reader.commit()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("DELETE FROM ropo.status_event")


def test_it_reads_the_tables_of_later_migrations(store_dsn: str, store: Connection, reader_dsn: str) -> None:
    grant_reader(store_dsn)
    with store.cursor() as cursor:
        cursor.execute("CREATE TABLE ropo.later AS SELECT 1 AS one")
    with closing(connect(reader_dsn)) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT one FROM ropo.later")
        assert cursor.fetchone() == (1,)


def test_it_may_call_the_stores_functions_where_the_site_lets_nobody(
    store_dsn: str, store: Connection, reader_dsn: str
) -> None:
    execute(store, "REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA ropo FROM PUBLIC")
    execute(store, "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")

    grant_reader(store_dsn)

    execute(store, "CREATE FUNCTION ropo.later() RETURNS integer LANGUAGE sql RETURN 1")
    with closing(connect(reader_dsn)) as reader:
        assert query(reader, "SELECT ropo.later(), count(*) FROM ropo.break_today") == [(1, 0)]


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ("SELECT ON ropo.profile_pin", "may not read ropo.profile_pin"),
        ("EXECUTE ON FUNCTION ropo.id_range", r"may not call ropo.id_range\(id text\)"),
    ],
)
def test_what_the_owner_could_not_grant_is_told_and_not_left_to_the_page(
    postgres: Server, store_name: str, store: Connection, reader_dsn: str, maker: str, right: str, told: str
) -> None:
    """PostgreSQL says of a right without the option to grant it that nothing was granted, and goes on."""
    execute(store, f"REVOKE {right} FROM PUBLIC; REVOKE {right} FROM maker; GRANT {right} TO maker")

    with pytest.raises(StoreUnavailableError, match=f"{READER_VARIABLE}: {ROLE} {told}: it is not the store's owner"):
        grant_reader(postgres.dsn(store_name, maker))


def test_two_migrations_at_once_grant_one_after_the_other(store_dsn: str, store: Connection, reader_dsn: str) -> None:
    with closing(connect(store_dsn)) as another:
        execute(another, f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        # What PostgreSQL refuses to whoever comes second.
        execute(another, "GRANT USAGE ON SCHEMA ropo TO erp_reader")
        with meanwhile(lambda: grant_reader(store_dsn)):
            until(lambda: waiting_for_a_lock(store))
            another.commit()


def test_without_its_connection_nothing_is_made(store_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(READER_VARIABLE, raising=False)
    assert grant_reader(store_dsn) is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"conn_type": "postgres", "host": "h", "schema": "s"}, "login is empty: expected the name of the role"),
        ({"conn_type": "postgres", "login": "l", "schema": "s"}, "expected a login and a password"),
        ({"conn_type": "http", "host": "h"}, "expected a connection of type postgres"),
    ],
)
def test_a_connection_that_names_no_role_is_refused(
    store_dsn: str, monkeypatch: pytest.MonkeyPatch, fields: dict[str, str], told: str
) -> None:
    monkeypatch.setenv(READER_VARIABLE, json.dumps(fields))
    with pytest.raises(StoreUnavailableError, match=f"{READER_VARIABLE}: {told}"):
        grant_reader(store_dsn)


def test_an_owner_who_may_not_make_roles_is_told_what_to_have_run(
    postgres: Server, store: Connection, store_name: str, reader_dsn: str
) -> None:
    with store.cursor() as cursor:
        cursor.execute("GRANT USAGE ON SCHEMA ropo TO ropo_store")
    with pytest.raises(StoreUnavailableError, match=f'may not make the role {ROLE} .* CREATE ROLE "{ROLE}" LOGIN'):
        grant_reader(postgres.dsn(store_name, "ropo_store"))


def test_the_servers_log_of_statements_shows_no_password(
    postgres: Server, store_name: str, store_dsn: str, store: Connection, password: str
) -> None:
    with store.cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {store_name} SET log_statement = 'ddl'")
    before = len(logged(postgres))

    assert grant_reader(store_dsn) == ROLE

    shown = logged(postgres)[before:]
    assert "CREATE ROLE" in shown
    assert password not in shown


def test_an_owner_who_may_not_make_roles_does_not_even_name_the_password(
    postgres: Server, store_name: str, store: Connection, password: str
) -> None:
    """PostgreSQL logs a statement that fails."""
    with store.cursor() as cursor:
        cursor.execute("GRANT USAGE ON SCHEMA ropo TO ropo_store")
    before = len(logged(postgres))

    with pytest.raises(StoreUnavailableError) as told:
        grant_reader(postgres.dsn(store_name, "ropo_store"))

    assert password not in str(told.value)
    assert "CREATE ROLE" not in logged(postgres)[before:]


def test_an_owner_who_may_make_roles_and_is_no_superuser_makes_it(
    postgres: Server, store_name: str, reader_dsn: str, maker: str
) -> None:
    assert grant_reader(postgres.dsn(store_name, maker)) == ROLE


def test_a_role_with_another_password_is_named_and_keeps_it(store_dsn: str, store: Connection, reader_dsn: str) -> None:
    with store.cursor() as cursor:
        cursor.execute(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD 'the one it has'")
    with pytest.raises(
        StoreUnavailableError, match=f'the role {ROLE} cannot log in: .*password auth.* ALTER ROLE "{ROLE}" LOGIN'
    ):
        grant_reader(store_dsn)

    with closing(connect(make_dsn(reader_dsn, password="the one it has"))) as reader, reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ropo.status_event")


def test_a_connection_that_leads_to_another_database_is_refused_though_the_role_may_read_the_store(
    postgres: Server, store_dsn: str, reader_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant_reader(store_dsn)
    other = postgres.fresh_database("other")
    fields = json.loads(os.environ[READER_VARIABLE])
    monkeypatch.setenv(READER_VARIABLE, json.dumps({**fields, "schema": other}))

    with pytest.raises(StoreUnavailableError) as caught:
        grant_reader(store_dsn)

    assert str(caught.value) == (
        f"{READER_VARIABLE}: it leads to the database {other} on {postgres.host}, port {postgres.port}, which is not "
        f"the store: name the host, port and schema of {STORE_VARIABLE}"
    )


@pytest.mark.parametrize("is_owner", [False, True])
def test_a_site_that_lets_nobody_ask_which_server_it_is_is_told_what_to_grant(
    postgres: Server, store_name: str, store_dsn: str, store: Connection, reader_dsn: str, maker: str, *, is_owner: bool
) -> None:
    grant_reader(store_dsn)
    asked = postgres.dsn(store_name, maker) if is_owner else store_dsn
    execute(store, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    try:
        with pytest.raises(StoreUnavailableError) as caught:
            grant_reader(asked)
        assert str(caught.value).startswith(
            f"{READER_VARIABLE}: whether it leads to the store cannot be told: permission denied for function "
            "pg_control_system. Have a superuser run GRANT EXECUTE ON FUNCTION pg_control_system() there"
        )
        execute(store, f'GRANT EXECUTE ON FUNCTION pg_control_system() TO "{ROLE}", {maker}')
        assert grant_reader(asked) == ROLE
    finally:
        execute(store, "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"port": 9}, "refused"), ({"schema": "nowhere"}, "does not exist"), ({"extra": {"sslmode": "require"}}, "SSL")],
)
def test_what_the_page_would_fail_on_is_told_at_once(
    store_dsn: str, reader_dsn: str, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], told: str
) -> None:
    fields = json.loads(os.environ[READER_VARIABLE])
    monkeypatch.setenv(READER_VARIABLE, json.dumps({**fields, **changes}))

    with pytest.raises(StoreUnavailableError, match=f"{READER_VARIABLE}: the role {ROLE} cannot log in: .*{told}"):
        grant_reader(store_dsn)


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ('ALTER ROLE "{role}" SUPERUSER', "is a superuser"),
        ('GRANT INSERT ON ropo.status_event TO "{role}"', "may write the store"),
        ('GRANT pg_write_all_data TO "{role}"', "may write the store"),
        ('GRANT UPDATE (recovery) ON ropo.status_poll TO "{role}"', "may write the store"),
        ('GRANT pg_write_all_data TO "{role}"; ALTER ROLE "{role}" NOINHERIT', "may write the store"),
        ('GRANT INSERT ON ropo.break_today TO "{role}"', "may write the store"),
        ('GRANT UPDATE ON ALL SEQUENCES IN SCHEMA ropo TO "{role}"', "may write the store"),
        ('GRANT TRIGGER ON ropo.status_poll TO "{role}"', "may write the store"),
        ('GRANT REFERENCES ON ropo.status_poll TO "{role}"', "may write the store"),
        ('GRANT MAINTAIN ON ropo.status_poll TO "{role}"', "may write the store"),
        ('GRANT CREATE ON SCHEMA ropo TO "{role}"', "may make something of its own in the schema ropo"),
        ('GRANT CREATE ON DATABASE {database} TO "{role}"', "may make schemas in the database {database}"),
        ('ALTER ROLE "{role}" CREATEROLE', "may make roles or databases"),
        ('ALTER ROLE "{role}" CREATEDB', "may make roles or databases"),
        ('ALTER ROLE "{role}" REPLICATION', "may make roles or databases, replicate"),
        ('ALTER ROLE "{role}" BYPASSRLS', "may make roles or databases, replicate, or is a superuser or past row"),
        ('GRANT pg_execute_server_program TO "{role}"', "is a member of pg_execute_server_program"),
        ('GRANT pg_signal_backend TO "{role}" WITH INHERIT FALSE', "is a member of pg_signal_backend"),
    ],
)
def test_a_role_that_may_more_than_read_is_refused(
    store_dsn: str, store_name: str, store: Connection, reader_dsn: str, postgres: Server, right: str, told: str
) -> None:
    with store.cursor() as cursor:
        cursor.execute(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD '{postgres.password}'")
        cursor.execute(right.format(role=ROLE, database=store_name))
    told = told.format(database=store_name)
    with pytest.raises(StoreUnavailableError, match=f"{READER_VARIABLE}: {ROLE} {told}.*name a role of its own"):
        grant_reader(store_dsn)


def test_a_role_that_reads_everything_and_watches_the_server_is_taken(
    store_dsn: str, store: Connection, reader_dsn: str, postgres: Server
) -> None:
    with store.cursor() as cursor:
        cursor.execute(f"CREATE ROLE \"{ROLE}\" LOGIN PASSWORD '{postgres.password}'")
        cursor.execute(f'GRANT pg_read_all_data, pg_monitor TO "{ROLE}"')
    assert grant_reader(store_dsn) == ROLE


def test_the_command_says_that_the_store_is_migrated_before_it_says_what_is_wrong_with_the_role(
    postgres: Server,
    store_name: str,
    store: Connection,
    reader_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(STORE_VARIABLE, json.dumps(postgres.airflow_connection(store_name)))
    with store.cursor() as cursor:
        cursor.execute(f'CREATE ROLE "{ROLE}" LOGIN')

    assert migrate.main([]) == 1

    told = capsys.readouterr()
    assert told.out.startswith(f"The store is at migration {migrate.head()}: database {store_name} on ")
    assert "cannot log in" in told.err

    with store.cursor() as cursor:
        cursor.execute(f"ALTER ROLE \"{ROLE}\" PASSWORD '{postgres.password}'")
    assert migrate.main([]) == 0
    assert capsys.readouterr().out.endswith(f"The role {ROLE} may read it, and no more; it can log in.\n")
