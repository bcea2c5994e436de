"""A side that fails while it is compared is named."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from psycopg2.extensions import make_dsn, parse_dsn

from include.reconciliation.ledger_contract import LedgerContractError
from include.reconciliation.sides import LedgerUnavailableError, connect_ledger
from include.status_store.database import StoreUnavailableError
from tests.include.reconciliation.world import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.config.profiles import Profile, Scope
    from tests.include.reconciliation.world import World


def _with_number_from(world: World, folder: Path, function: str) -> Profile:
    """A profile whose SELECT calls a function for each row's invoice number."""
    world.ledger(function)
    world.row("1", changed_at=at("2026-03-10 08:00"))
    path = folder / "erp.sql"
    query = (
        "SELECT fail() AS billnum, jobid, status, total, paid, discount, credited, open, currency, sent_at, changed_at"
    )
    path.write_text(f"{query}, payments_by_ropo FROM ropo_ledger", encoding="utf-8")
    ledger = msgspec.structs.replace(world.profile.ledger, query=path, connection="erp_of_x")
    return msgspec.structs.replace(world.profile, ledger=ledger)


def _ends_sessions(condition: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION fail() RETURNS text LANGUAGE sql AS $$
            SELECT string_agg(pg_terminate_backend(pid)::text, '') FROM pg_stat_activity WHERE {condition}
        $$
    """


def test_a_ledger_that_goes_away_is_named_with_its_connection(world: World, tmp_path: Path) -> None:
    profile = _with_number_from(world, tmp_path, _ends_sessions("pid = pg_backend_pid()"))
    with pytest.raises(LedgerUnavailableError, match=r"Profile default: the ledger \(connection erp_of_x\)"):
        world.reconcile(profile=profile)
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(0,)]


def test_a_copy_of_the_ledger_that_cancels_a_statement_is_no_other_comparison(world: World, tmp_path: Path) -> None:
    """As a hot standby does: PostgreSQL has one SQLSTATE for both."""
    function = """
        CREATE OR REPLACE FUNCTION fail() RETURNS text LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'canceling statement due to conflict with recovery' USING ERRCODE = '40001';
        END
        $$
    """
    profile = _with_number_from(world, tmp_path, function)
    with pytest.raises(LedgerUnavailableError, match=r"erp_of_x.*: canceling statement due to"):
        world.reconcile(profile=profile)


def test_a_ledger_that_fails_before_its_first_row_is_named_by_a_full_comparison_too(
    world: World, tmp_path: Path
) -> None:
    """As a SELECT that sorts or groups does, whatever it fails on."""
    create = "CREATE OR REPLACE FUNCTION fail() RETURNS text LANGUAGE sql AS 'SELECT pg_sleep(60)::text'"
    profile = _with_number_from(world, tmp_path, create)
    world.ledger_dsn = make_dsn(world.ledger_dsn, options="-c statement_timeout=300ms")

    told = r"Profile default: the ledger \(connection erp_of_x\).*canceling statement due to statement timeout"
    with pytest.raises(LedgerUnavailableError, match=told):
        world.reconcile(profile=profile, scope="full")


@pytest.mark.parametrize("scope", ["date", "full"])
@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("SELECT (1 / (random() * 0)::integer)::text", "division by zero"),
        ("SELECT nextval('numbers')::text", r"cannot execute nextval\(\) in a read-only transaction"),
    ],
)
def test_a_select_that_stumbles_over_its_rows_is_at_fault_and_not_its_database(
    world: World, tmp_path: Path, function: str, told: str, scope: Scope
) -> None:
    """So that nobody is told that the ledger is away, and no task waits for it to come back."""
    world.ledger("CREATE SEQUENCE IF NOT EXISTS numbers")
    create = f"CREATE OR REPLACE FUNCTION fail() RETURNS text LANGUAGE sql AS $${function}$$"
    profile = _with_number_from(world, tmp_path, create)

    whose = r"Profile default: the ledger's SELECT \(connection erp_of_x, query .*\)"
    with pytest.raises(LedgerContractError, match=rf"{whose}: PostgreSQL cannot give its rows: {told}"):
        world.reconcile(profile=profile, scope=scope)


def test_a_store_that_goes_away_is_named(world: World, tmp_path: Path) -> None:
    name = parse_dsn(world.store_dsn)["dbname"]
    profile = _with_number_from(world, tmp_path, _ends_sessions(f"datname = '{name}' AND state <> 'idle'"))
    told = r"^Profile default, .*: the store's connection was lost .*run it again"
    with pytest.raises(StoreUnavailableError, match=told):
        world.reconcile(profile=profile)
    assert world.store("SELECT count(*) FROM ropo.reconciliation") == [(0,)]


SEGMENT = 'could not resize shared memory segment "/PostgreSQL.1549209350" to 16777216 bytes: No space left on device'
FILE = 'could not extend file "base/5/24711": No space left on device'


def _fails(name: str, returns: str, said: str) -> str:
    """A function that fails as PostgreSQL does where it has no space left."""
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS {returns} LANGUAGE plpgsql AS $$
        BEGIN
            RAISE '{said}' USING ERRCODE = 'disk_full';
        END
        $$;
    """


@contextmanager
def _no_space(world: World, said: str) -> Iterator[None]:
    """Let the store, which other tests use too, take no reconciliation in the block."""
    world.row("1", changed_at=at("2026-03-10 08:00"))
    world.store(_fails("refuse", "trigger", said))
    world.store("CREATE TRIGGER no_space BEFORE INSERT ON ropo.reconciliation FOR EACH ROW EXECUTE FUNCTION refuse()")
    try:
        yield
    finally:
        world.store("DROP FUNCTION refuse CASCADE")


def test_a_store_whose_disk_is_full_is_told_with_profile_and_date(world: World) -> None:
    told = r"^Profile default, business date 2026-03-10: .*: could not extend"
    with _no_space(world, FILE), pytest.raises(StoreUnavailableError, match=told) as caught:
        world.reconcile()
    assert "shm_size" not in str(caught.value)


def test_a_store_whose_shared_memory_is_full_is_told_with_what_to_do(world: World) -> None:
    """PostgreSQL's own words for it send people to a disk that has room."""
    told = r"^Profile default, business date 2026-03-10: .*: could not resize .*\. No disk is full: .*shm_size"
    with _no_space(world, SEGMENT), pytest.raises(StoreUnavailableError, match=told):
        world.reconcile()


def test_a_ledger_whose_shared_memory_is_full_is_told_with_what_to_do(world: World, tmp_path: Path) -> None:
    profile = _with_number_from(world, tmp_path, _fails("fail", "text", SEGMENT))
    with pytest.raises(LedgerUnavailableError, match=r"erp_of_x.*: could not resize .*\. No disk is full: .*shm_size"):
        world.reconcile(profile=profile)


def test_a_ledgers_server_that_vanishes_is_noticed_within_minutes(world: World) -> None:
    with closing(connect_ledger(world.ledger_dsn, world.profile)) as ledger:
        asked = ledger.get_dsn_parameters()
    assert (asked["keepalives_idle"], asked["tcp_user_timeout"], asked["connect_timeout"]) == ("30", "120000", "10")


def test_a_ledger_that_lets_nobody_in_is_named_without_a_password(world: World) -> None:
    refused = (
        r"Profile default: the ledger \(connection erp_ledger\) cannot be reached: .*refused.*\. Nothing is recorded"
    )
    with pytest.raises(LedgerUnavailableError, match=refused) as caught:
        connect_ledger("host=127.0.0.1 port=9 password=hush", world.profile)
    assert "hush" not in str(caught.value)


def test_a_ledgers_session_is_not_ended_while_the_store_works(world: World) -> None:
    names = ["idle_in_transaction_session_timeout", "idle_session_timeout", "transaction_timeout"]
    with closing(connect_ledger(world.ledger_dsn, world.profile)) as ledger, ledger.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_settings WHERE name = ANY (%s)", (names,))
        known = [name for (name,) in cursor.fetchall()]
    options = " ".join(f"-c {name}=3s" for name in known)

    dsn = make_dsn(world.ledger_dsn, options=options)
    with closing(connect_ledger(dsn, world.profile)) as ledger, ledger.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", (names,))
        assert dict(cursor.fetchall()) == dict.fromkeys(known, "0")


def test_a_store_that_is_set_to_read_only_is_told_as_that(world: World) -> None:
    world.row("1", changed_at=at("2026-03-10 08:00"))
    world.store_dsn = make_dsn(world.store_dsn, options="-c default_transaction_read_only=on")

    told = r"^Profile default, business date 2026-03-10: the role \S+ or the database \S+ is set to read-only: .* RESET"
    with pytest.raises(StoreUnavailableError, match=told):
        world.reconcile()
