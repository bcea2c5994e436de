"""`make migrate` on Airflow's metadata database: an own one and the embedded one, new or used for long."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2

from local_airflow import embedded, environment
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def _environment(home: Path, metadata: str = "") -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ROPO"))}
    named = {environment.METADATA_VARIABLE: metadata} if metadata else {}
    return {**kept, **named, "AIRFLOW_HOME": str(home), "PYTHONPATH": f"{ROOT}:{ROOT / 'plugins'}"}


def _run(command: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=240)


def _migrate(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return _run([sys.executable, "-m", "local_airflow.migration"], variables)


def _asked(dsn: str, statement: str) -> list[tuple[object, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_a_new_database_of_ones_own_is_migrated_and_what_was_set_in_it_stays_the_next_time(
    postgres: embedded.Server, tmp_path: Path
) -> None:
    name = postgres.fresh_database("metadata")
    metadata, variables = postgres.dsn(name), _environment(tmp_path, postgres.dsn(name, driver="psycopg2"))

    first = _migrate(variables)
    assert first.returncode == 0, first.stderr
    pools = "SELECT pool, slots FROM slot_pool WHERE pool <> 'default_pool' ORDER BY pool"
    assert _asked(metadata, pools) == [("erp_ledger", 2), ("ropo_one", 4)]
    _asked(metadata, "UPDATE slot_pool SET slots = 0 WHERE pool = 'ropo_one' RETURNING slots")
    _asked(metadata, "DELETE FROM slot_pool WHERE pool = 'erp_ledger' RETURNING slots")

    again = _migrate(variables)
    assert again.returncode == 0, again.stderr
    assert _asked(metadata, pools) == [("erp_ledger", 2), ("ropo_one", 0)]
    assert "Pool ropo_one: there already, with 0 slots" in again.stdout
    assert not (tmp_path / "postgres").exists()


def test_the_database_that_airflows_configuration_file_names_is_migrated_and_it_is_said(tmp_path: Path) -> None:
    named = f"sqlite:///{tmp_path}/named.db"
    (tmp_path / "airflow.cfg").write_text(f"[database]\nsql_alchemy_conn = {named}\n")

    done = _migrate(_environment(tmp_path))

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == (
        f"Airflow's tables and pools go to {named} (sql_alchemy_conn in {tmp_path / 'airflow.cfg'})."
    )
    assert (tmp_path / "named.db").stat().st_size > 0
    assert not (tmp_path / "postgres").exists()


def test_asked_for_help_the_command_migrates_nothing(tmp_path: Path) -> None:
    for arguments, code in ((["--help"], 0), (["downgrade"], 2)):
        done = _run([sys.executable, "-m", "local_airflow.migration", *arguments], _environment(tmp_path / "home"))
        assert done.returncode == code
        assert "python -m local_airflow.migration" in done.stdout + done.stderr
        assert not (tmp_path / "home").exists()


def test_a_database_that_cannot_be_reached_is_told_in_one_line(tmp_path: Path) -> None:
    done = _migrate(_environment(tmp_path, "postgresql+psycopg2://nobody:s3cret@127.0.0.1:9/nothing"))
    assert done.returncode == 1
    (told,) = done.stderr.splitlines()
    assert told.startswith(
        "make migrate: Airflow's metadata database cannot be reached "
        "(AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: database nothing on 127.0.0.1, port 9): "
    )
    assert "refused" in told


def test_a_wrong_password_is_told_in_one_line_without_it(postgres: embedded.Server, tmp_path: Path) -> None:
    wrong = postgres.dsn("airflow", driver="psycopg2").replace(postgres.password, "s3cret")
    done = _migrate(_environment(tmp_path, wrong))
    (told,) = done.stderr.splitlines()
    assert "password authentication failed" in told
    assert (done.returncode, "s3cret" in done.stdout + done.stderr) == (1, False)


def test_the_stores_own_database_is_none_for_airflows_metadata(
    postgres: embedded.Server, store_name: str, tmp_path: Path
) -> None:
    done = _migrate(_environment(tmp_path, postgres.dsn(store_name, driver="psycopg2")))
    (told,) = done.stderr.splitlines()
    assert told.startswith("make migrate: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN names the store's database.")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert (done.returncode, _asked(postgres.dsn(store_name), tables)) == (1, [(0,)])


def test_an_address_that_cannot_be_read_is_told_in_one_line_without_it(tmp_path: Path) -> None:
    done = _migrate(_environment(tmp_path, "postgresql+psycopg2//airflow:s3cret@db/airflow"))
    (told,) = done.stderr.splitlines()
    assert told.startswith("make migrate: AIRFLOW__DATABASE__SQL_ALCHEMY_CONN: expected an address such as ")
    assert (done.returncode, "s3cret" in done.stdout + done.stderr) == (1, False)


def test_a_step_that_fails_is_named(tmp_path: Path) -> None:
    """Of an address that only Airflow can read."""
    variables = _environment(tmp_path)
    variables[f"{environment.METADATA_VARIABLE}_CMD"] = "echo postgresql+psycopg2://nobody@127.0.0.1:9/nothing"
    done = _migrate(variables)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"make migrate: `{ROOT}/.venv/bin/airflow db migrate` failed."


def test_pools_that_cannot_be_made_are_named_as_the_step_that_failed(postgres: embedded.Server, tmp_path: Path) -> None:
    name = postgres.fresh_database("metadata")
    variables = _environment(tmp_path, postgres.dsn(name, driver="psycopg2"))
    assert _migrate(variables).returncode == 0
    with closing(psycopg2.connect(postgres.dsn(name))) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLE slot_pool ADD CHECK (pool <> 'erp_ledger') NOT VALID")
        cursor.execute("DELETE FROM slot_pool WHERE pool = 'erp_ledger'")

    done = _migrate(variables)

    assert done.returncode == 1
    assert "The pools cannot be made: Airflow's metadata database says: new row for relation" in done.stderr
    assert done.stderr.splitlines()[-1] == f"make migrate: `{ROOT}/.venv/bin/python -m include.config.pools` failed."


def test_two_that_find_the_embedded_database_new_migrate_it_one_after_the_other(tmp_path: Path) -> None:
    listed = [str(ROOT / "airflow.sh"), "pools", "list", "--output", "plain"]
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(_run, listed, _environment(tmp_path)) for _ in range(2)]
        told = [each.result() for each in both]
    assert [each.returncode for each in told] == [0, 0], told
    assert sum("Pool ropo_one: made" in each.stderr for each in told) == 1


def test_the_embedded_database_is_migrated_once_for_each_version_of_airflow(tmp_path: Path) -> None:
    variables = _environment(tmp_path)
    pools = "SELECT pool FROM slot_pool ORDER BY pool"
    with embedded.shared(tmp_path, durable=False) as server:
        listed = [str(ROOT / "airflow.sh"), "pools", "list", "--output", "plain"]
        assert "ropo_one" in _run(listed, variables).stdout
        metadata = server.dsn("airflow")
        _asked(metadata, "DELETE FROM slot_pool WHERE pool = 'ropo_one' RETURNING slots")

        assert "ropo_one" not in _run(listed, variables).stdout

        with closing(psycopg2.connect(metadata)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("COMMENT ON DATABASE airflow IS 'Airflow 3.0.0'")
        assert "ropo_one" in _run(listed, variables).stdout

        _asked(metadata, "DELETE FROM slot_pool WHERE pool = 'ropo_one' RETURNING slots")
        assert _migrate(variables).returncode == 0
        assert _asked(metadata, pools) == [("default_pool",), ("erp_ledger",), ("ropo_one",)]
