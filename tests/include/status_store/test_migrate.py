"""The store is migrated from nothing and from anything, once, however often it is asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.status_store.airflow_connection import make_dsn
from include.status_store.content import contents
from include.status_store.database import StoreUnavailableError, connect
from include.status_store.migrate import head, main, require_current, upgrade
from include.status_store.parsing import parse_rows
from include.status_store.session import Session
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.views import column, drain, events, execute, query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from local_airflow import embedded

ROOT = Path(__file__).parents[3]
CONTRACT = {
    "status_poll", "status_page", "status_event", "status_event_revision", "status_quarantine",
}  # fmt: skip


@pytest.fixture
def bare(postgres: embedded.Server) -> Iterator[str]:
    """A database in which nobody has been yet, by its name."""
    name = postgres.fresh_database("bare")
    yield name
    postgres.drop_database(name)


def test_an_empty_database_becomes_a_store(postgres: embedded.Server, bare: str) -> None:
    assert upgrade(postgres.dsn(bare)) == head()

    with closing(connect(postgres.dsn(bare))) as connection:
        require_current(connection)
        assert set(column(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'ropo'")) >= CONTRACT


def test_migrating_twice_changes_nothing(session: Session, store: Connection, store_dsn: str, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(page(row(1))))

    assert upgrade(store_dsn) == head()
    assert events(store) == ["P1"]


EARLY_ROWS = """
INSERT INTO ropo.status_poll (profile, kind, outcome, http_status, row_count, closed_at, window_from)
VALUES
    (%(profile)s, 'drain', 'landed', 200, 1, now(), '2026-11-01'),
    (%(profile)s, 'drain', 'empty', 204, 0, now(), '2026-11-01');
INSERT INTO ropo.status_page (poll_id, body, sha256, received_at, complete, parsed_at)
VALUES (1, %(body)s, sha256(%(body)s), now(), true, now());
INSERT INTO ropo.status_event (
    profile, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, paydate, amount, raw,
    source, first_poll_id, first_seen_at, content_poll_id, content_sha256
)
VALUES (
    %(profile)s, 'P1', '3000001', '10001', 'payment', '2026-11-13', '', 'Maksettu toimeksiantajalle', '1', '2026-11-13',
    96.72, %(raw)s, 'drain', 1, now(), 1, %(sha256)s
);
INSERT INTO ropo.status_event_revision (profile, statusid, revision, content_sha256, raw, poll_id)
VALUES
    (%(profile)s, 'P1', 1, '\\x00', '{"amount": "1.00"}', 1),
    (%(profile)s, 'P1', 2, '\\x01', '{"jobid": 3000001, "billnum": " 100\\u00a001\\t", "statustime": "2026-11-12"}', 1),
    (%(profile)s, 'P1', 3, '\\x02', '{"jobid": "", "statustime": "soon"}', 1);
INSERT INTO ropo.status_quarantine (profile, poll_id, ordinal, raw, sha256, error, first_seen_at, last_seen_at)
VALUES (%(profile)s, 1, 1, '"bad"', sha256('"bad"'), 'row: expected a JSON object', now(), now());
"""


def test_a_store_of_the_first_release_keeps_its_rows_and_goes_on(
    postgres: embedded.Server, bare: str, profile: Profile
) -> None:
    shown = json.dumps(row(1)).encode()
    sha256 = bytes.fromhex(*contents(parse_rows([shown], profile.zone).events).values())
    values = {"profile": profile.name, "body": page(row(1)).body, "raw": shown.decode(), "sha256": sha256}
    upgrade(postgres.dsn(bare), "0002")
    with closing(connect(postgres.dsn(bare))) as connection, connection:
        execute(connection, EARLY_ROWS, values)

    upgrade(postgres.dsn(bare))

    with closing(connect(postgres.dsn(bare))) as connection, Session(lambda: connect(postgres.dsn(bare))) as session:
        require_current(connection)
        summary = drain(session, profile, ScriptedSource(page(row(1), row(2), "bad")))
        assert (summary.new, summary.revised, summary.quarantined, summary.taken_up) == (1, 0, 1, 0)
        assert events(connection) == ["P1", "P2"]
        assert column(connection, "SELECT raw ->> 'amount' FROM ropo.status_event ORDER BY statusid") == ["96.72"] * 2
        revisions = "SELECT raw ->> 'amount', jobid, billnum, statustime::text FROM ropo.status_event_revision"
        assert query(connection, revisions) == [
            ("1.00", None, None, None),
            (None, "3000001", "100\u00a001", "2026-11-12 00:00:00"),
            (None, None, None, None),
        ]
        quarantined = "SELECT times_seen, equal_rows, drained_poll_id FROM ropo.status_quarantine"
        assert query(connection, quarantined) == [(2, 1, 1)]


@pytest.mark.parametrize(
    ("table", "ids"),
    [
        ("status_event", ["statusid", "jobid", "billnum"]),
        ("status_event_revision", ["statusid", "jobid", "billnum"]),
        ("undrained_event", ["statusid"]),
    ],
)
def test_ids_are_compared_by_their_bytes_in_a_database_of_any_language(
    store: Connection, table: str, ids: list[str]
) -> None:
    # The order in which a drain stores them; two sessions that lock them in different orders would be a deadlock.
    collations = """
        SELECT attribute.attname
        FROM pg_attribute AS attribute
        JOIN pg_collation AS rule ON rule.oid = attribute.attcollation
        WHERE attribute.attrelid = ('ropo.' || %s)::regclass AND rule.collname = 'C'
        ORDER BY attribute.attnum
    """
    assert column(store, collations, (table,)) == ids


def test_a_store_that_an_earlier_checkout_migrated_gets_what_its_migrations_lacked(
    postgres: embedded.Server, bare: str
) -> None:
    upgrade(postgres.dsn(bare), "0370")
    with closing(connect(postgres.dsn(bare))) as connection, connection:
        execute(connection, "DROP VIEW ropo.incompleteness_accepted; DROP FUNCTION ropo.item_evidence")
        execute(connection, "ALTER TABLE ropo.period_sign_off_flag ALTER COLUMN reconciliation_id SET NOT NULL")

    upgrade(postgres.dsn(bare))

    with closing(connect(postgres.dsn(bare))) as connection:
        assert column(connection, "SELECT count(*) FROM ropo.incompleteness_accepted") == [0]
        nullable = """
            SELECT NOT attnotnull FROM pg_attribute
            WHERE attrelid = 'ropo.period_sign_off_flag'::regclass AND attname = 'reconciliation_id'
        """
        assert column(connection, nullable) == [True]


def test_a_migration_that_fails_leaves_the_store_as_it_was(postgres: embedded.Server, bare: str) -> None:
    with closing(psycopg2.connect(postgres.dsn(bare))) as connection:
        connection.autocommit = True
        execute(connection, "CREATE SCHEMA ropo; CREATE TABLE ropo.status_event ()")

        with pytest.raises(StoreUnavailableError, match='is as it was: relation "status_event" already exists'):
            upgrade(postgres.dsn(bare))

        assert column(connection, "SELECT tablename FROM pg_tables WHERE schemaname = 'ropo'") == ["status_event"]


def test_a_view_of_somebodys_own_over_a_column_is_named(postgres: embedded.Server, bare: str) -> None:
    upgrade(postgres.dsn(bare), "0150")
    with closing(psycopg2.connect(postgres.dsn(bare))) as connection, connection:
        execute(connection, "CREATE VIEW numbers AS SELECT billnum FROM ropo.status_event")

    with pytest.raises(StoreUnavailableError, match=r"on view public.numbers depends on column .*: drop it, migrate"):
        upgrade(postgres.dsn(bare))


def test_a_role_without_rights_is_a_clear_error(postgres: embedded.Server, bare: str) -> None:
    with closing(psycopg2.connect(postgres.dsn(bare))) as connection, connection:
        execute(connection, 'GRANT CONNECT ON DATABASE "%s" TO erp_reader' % bare)  # noqa: UP031

    with pytest.raises(StoreUnavailableError, match="could not be migrated"):
        upgrade(postgres.dsn(bare, "erp_reader"))


@pytest.fixture
def given(postgres: embedded.Server, bare: str) -> Iterator[Connection]:
    """The superuser in that database, who prepares it for a role that may do less."""
    with closing(psycopg2.connect(postgres.dsn(bare))) as connection:
        connection.autocommit = True
        yield connection


def test_a_role_needs_no_right_on_the_database_where_the_schema_is_its_own(
    postgres: embedded.Server, bare: str, given: Connection
) -> None:
    execute(given, "CREATE SCHEMA ropo AUTHORIZATION ropo_store")

    assert upgrade(postgres.dsn(bare, "ropo_store")) == head()
    assert upgrade(postgres.dsn(bare, "ropo_store")) == head()


def test_a_role_that_may_make_no_schema_is_told_what_to_have_run(
    postgres: embedded.Server, bare: str, given: Connection
) -> None:
    with pytest.raises(StoreUnavailableError, match="permission denied for database") as caught:
        upgrade(postgres.dsn(bare, "ropo_store"))

    told = str(caught.value)
    for remedy in ("CREATE SCHEMA ropo AUTHORIZATION ropo_store", f"GRANT CREATE ON DATABASE {bare} TO ropo_store"):
        assert remedy in told
    (remedy,) = column(given, "SELECT substring(%s FROM 'GRANT CREATE ON DATABASE [^;]*')", (told,))
    execute(given, str(remedy))
    assert upgrade(postgres.dsn(bare, "ropo_store")) == head()


def test_a_role_whose_schema_it_is_not_is_told_whose_it_is(
    postgres: embedded.Server, bare: str, given: Connection
) -> None:
    execute(given, "CREATE SCHEMA ropo AUTHORIZATION erp_owner")

    with pytest.raises(
        StoreUnavailableError,
        match="permission denied for schema ropo: it belongs to erp_owner; migrate as that role, or have somebody run "
        "ALTER SCHEMA ropo OWNER TO ropo_store",
    ):
        upgrade(postgres.dsn(bare, "ropo_store"))


def test_a_database_that_is_set_to_read_only_is_told_with_what_to_run(
    postgres: embedded.Server, bare: str, given: Connection
) -> None:
    execute(given, f"ALTER DATABASE {bare} SET default_transaction_read_only = on")

    with pytest.raises(
        StoreUnavailableError,
        match=rf'migrated, and is as it was: the role .* is set to read-only: .*ALTER DATABASE "{bare}" RESET',
    ):
        upgrade(postgres.dsn(bare))


def test_a_role_that_may_make_no_temporary_tables_is_told_what_to_have_run(
    postgres: embedded.Server, bare: str, given: Connection
) -> None:
    """A re-read and each comparison make some; the migration alone would do without."""
    execute(given, f"CREATE SCHEMA ropo AUTHORIZATION ropo_store; REVOKE TEMPORARY ON DATABASE {bare} FROM PUBLIC")
    remedy = f"GRANT TEMPORARY ON DATABASE {bare} TO ropo_store"

    with pytest.raises(StoreUnavailableError, match=f"role ropo_store may make no temporary tables: .* {remedy}; then"):
        upgrade(postgres.dsn(bare, "ropo_store"))

    execute(given, remedy)
    assert upgrade(postgres.dsn(bare, "ropo_store")) == head()


@pytest.fixture
def other_encoding(postgres: embedded.Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of an encoding that is not every character's, by its name."""
    with closing(psycopg2.connect(postgres.dsn("postgres"))) as admin:
        admin.autocommit = True
        name = f"other_{request.param.lower()}"
        execute(admin, f"CREATE DATABASE {name} ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0")
    yield name
    postgres.drop_database(name)


@pytest.mark.parametrize("other_encoding", ["LATIN1", "SQL_ASCII"], indirect=True)
def test_no_store_begins_in_a_database_that_cannot_hold_every_text(
    postgres: embedded.Server, other_encoding: str
) -> None:
    remedy = rf"CREATE DATABASE {other_encoding} OWNER postgres ENCODING 'UTF8' TEMPLATE template0"
    with pytest.raises(StoreUnavailableError, match=f"{other_encoding} .* the encoding .*, .* UTF8: .* {remedy}"):
        upgrade(postgres.dsn(other_encoding))


@pytest.mark.parametrize("other_encoding", ["SQL_ASCII"], indirect=True)
def test_a_store_that_began_in_such_a_database_goes_on_and_counts_characters_as_any_other(
    postgres: embedded.Server, other_encoding: str, profile: Profile
) -> None:
    """It counted bytes: an event with an umlaut was other content each time that it was seen."""
    with closing(connect(postgres.dsn(other_encoding))) as connection, connection:
        execute(connection, "CREATE SCHEMA ropo; CREATE TABLE ropo.alembic_version (version_num text PRIMARY KEY)")

    upgrade(postgres.dsn(other_encoding))

    with Session(lambda: connect(postgres.dsn(other_encoding))) as session:
        for new in (1, 0):
            summary = drain(session, profile, ScriptedSource(page(row(1, statusref="Maksettu pääomaksi"))))
            assert (summary.new, summary.revised) == (new, 0)


def test_no_store_begins_in_airflows_own_database(postgres: embedded.Server, bare: str) -> None:
    with closing(connect(postgres.dsn(bare))) as connection, connection:
        execute(connection, "CREATE TABLE public.dag_run (); CREATE TABLE public.task_instance ()")

    with pytest.raises(StoreUnavailableError, match=r"holds Airflow's own tables: .* a database of its own"):
        upgrade(postgres.dsn(bare))
    with closing(connect(postgres.dsn(bare))) as connection:
        assert column(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'ropo'") == []


@pytest.mark.parametrize(
    "prepare", ["", "CREATE SCHEMA ropo", "CREATE SCHEMA ropo; CREATE TABLE ropo.alembic_version (version_num text)"]
)
def test_a_store_that_was_never_migrated_says_the_command(postgres: embedded.Server, bare: str, prepare: str) -> None:
    with closing(connect(postgres.dsn(bare))) as connection:
        if prepare:
            execute(connection, prepare)
            connection.commit()

        with pytest.raises(StoreUnavailableError, match=rf"database {bare}.* has not been set up: run `make migrate`"):
            require_current(connection)
        assert column(connection, "SELECT 1") == [1]


def test_a_store_at_another_migration_says_the_command(store: Connection) -> None:
    execute(store, "UPDATE ropo.alembic_version SET version_num = '0002'")

    with pytest.raises(
        StoreUnavailableError, match=f"is at migration 0002, this code needs {head()}: run `make migrate`"
    ):
        require_current(store)


def test_a_store_of_newer_code_is_left_alone(store: Connection, store_dsn: str) -> None:
    execute(store, "UPDATE ropo.alembic_version SET version_num = '9999'")

    with pytest.raises(
        StoreUnavailableError, match=r"at a migration that this code does not have: .*9999.*older than the store"
    ):
        upgrade(store_dsn)


def test_code_older_than_the_store_is_not_told_to_migrate_it(store: Connection) -> None:
    execute(store, "UPDATE ropo.alembic_version SET version_num = '9999'")

    with pytest.raises(
        StoreUnavailableError, match=r"is at migration 9999, .* older than the store: run the version"
    ) as caught:
        require_current(store)
    assert "make migrate" not in str(caught.value)


def migrate(connection: dict[str, str | int] | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "AIRFLOW_CONN_ROPO_STORE"}
    if connection is not None:
        environment["AIRFLOW_CONN_ROPO_STORE"] = json.dumps(connection)
    return subprocess.run(
        [sys.executable, "-m", "include.status_store.migrate"],
        capture_output=True, check=False, text=True, cwd=ROOT, env=environment | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_asked_for_help_the_command_touches_no_store(
    postgres: embedded.Server, bare: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE", json.dumps(postgres.airflow_connection(bare, "postgres")))
    for arguments, code in ((["--help"], 0), (["downgrade"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == code

    assert "AIRFLOW_CONN_ROPO_STORE" in capsys.readouterr().out
    with closing(psycopg2.connect(postgres.dsn(bare))) as connection:
        assert column(connection, "SELECT 1 FROM pg_namespace WHERE nspname = 'ropo'") == []


def test_it_runs_as_a_command(postgres: embedded.Server, bare: str) -> None:
    done = migrate(postgres.airflow_connection(bare, "postgres"))

    place = f"database {bare} on {postgres.host}, port {postgres.port} (AIRFLOW_CONN_ROPO_STORE)"
    said = f"The store is at migration {head()}: {place}.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, said, "")


def test_the_command_says_in_one_line_what_is_wrong(postgres: embedded.Server) -> None:
    nowhere = postgres.airflow_connection("no_such_database", "postgres")

    for connection, error in ((None, "is not set"), (nowhere, 'database "no_such_database" does not exist')):
        done = migrate(connection)
        assert (done.returncode, done.stdout) == (1, "")
        assert error in done.stderr
        assert done.stderr.count("\n") == 1


def test_its_address_may_hold_any_character(postgres: embedded.Server) -> None:
    name = postgres.fresh_database("per cent % and 'quote'")
    dsn = make_dsn(host=postgres.host, port=postgres.port, login="postgres", password=postgres.password, schema=name)
    try:
        upgrade(dsn)
        with closing(psycopg2.connect(dsn)) as store:
            assert column(store, "SELECT version_num FROM ropo.alembic_version") == [head()]
    finally:
        postgres.drop_database(name)
