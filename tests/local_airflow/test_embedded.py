"""The embedded PostgreSQL is shared, protected, and gone when its last user leaves."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import psutil
import psycopg2
import pytest
import sqlalchemy
from psycopg2 import errors
from sqlalchemy.ext.asyncio import create_async_engine

from local_airflow import cluster, embedded
from local_airflow.paths import ROOT
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USER = """
import pathlib, sys
from local_airflow import embedded
with embedded.shared(pathlib.Path(sys.argv[1]), durable=False) as server:
    print(server.port, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Server]:
    with embedded.shared(tmp_path_factory.mktemp("postgres"), durable=False) as running:
        running.provision()
        yield running


def _query(dsn: str, statement: str) -> object:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
        return row[0] if row else None


def _user(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def test_it_is_reached_by_psycopg2_by_sqlalchemy_and_by_the_async_engine_of_airflow(server: embedded.Server) -> None:
    assert str(_query(server.dsn("store"), "SHOW server_version")).startswith("18")
    with sqlalchemy.create_engine(server.dsn("airflow", driver="psycopg2")).connect() as connection:
        assert connection.exec_driver_sql("SELECT current_user").scalar() == "airflow"

    async def ask() -> object:
        engine = create_async_engine(server.dsn("airflow", driver="asyncpg"))
        async with engine.connect() as connection:
            answer = (await connection.execute(sqlalchemy.text("SELECT current_user"))).scalar()
        await engine.dispose()
        return answer

    assert asyncio.run(ask()) == "airflow"


def test_nobody_gets_in_without_the_password(server: embedded.Server) -> None:
    stranger = embedded.Server(server.home, server.port, "guessed")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(stranger.dsn("store"))


def test_its_password_is_readable_by_its_owner_only_and_not_shown(server: embedded.Server) -> None:
    assert (server.home / "postgres-password").stat().st_mode & 0o777 == 0o600
    assert server.password not in repr(server)


def test_the_ledgers_reader_reads_what_is_there_later_and_writes_nothing(server: embedded.Server) -> None:
    with closing(psycopg2.connect(server.dsn("erp"))) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA erp; CREATE TABLE erp.invoice AS SELECT 7 AS total")
        connection.commit()
    reader = server.dsn("erp", embedded.LEDGER_READER)
    assert _query(reader, "SELECT total FROM erp.invoice") == 7
    with pytest.raises(errors.ReadOnlySqlTransaction):
        _query(reader, "DELETE FROM erp.invoice")
    with pytest.raises(errors.InsufficientPrivilege):
        _query(reader, "SET TRANSACTION READ WRITE; DELETE FROM erp.invoice")
    with pytest.raises(psycopg2.OperationalError, match="permission denied for database"):
        psycopg2.connect(server.dsn("store", embedded.LEDGER_READER))


def test_a_fresh_database_is_a_copy_of_its_template_and_gone_when_it_is_dropped(server: embedded.Server) -> None:
    template = server.fresh_database("template")
    with closing(psycopg2.connect(server.dsn(template))) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept AS SELECT 1 AS one")
        connection.commit()
    copy = server.fresh_database(template=template)
    assert _query(server.dsn(copy), "SELECT one FROM kept") == 1
    server.drop_database(copy)
    with pytest.raises(psycopg2.OperationalError, match="does not exist"):
        psycopg2.connect(server.dsn(copy))


def test_providing_the_databases_again_changes_nothing(server: embedded.Server) -> None:
    server.provision()
    assert not server.create_database("store", owner=embedded.OWNERS["store"])


def test_many_may_provide_the_databases_at_once(server: embedded.Server) -> None:
    """As Airflow's parts do where they are started together."""
    with ThreadPoolExecutor(8) as threads:
        for each in [threads.submit(server.provision) for _ in range(100)]:
            each.result()


def test_two_that_start_it_at_once_share_it_and_the_last_to_leave_stops_it(tmp_path: Path) -> None:
    users = [_user(tmp_path), _user(tmp_path)]
    ports = {user.stdout.readline() for user in users if user.stdout}
    assert len(ports) == 1
    users[0].communicate(timeout=30)
    assert cluster.running_port(tmp_path / "postgres" / "data") == int(ports.pop())
    users[1].communicate(timeout=30)
    assert cluster.running_port(tmp_path / "postgres" / "data") is None


def test_a_user_that_is_killed_is_not_waited_for(tmp_path: Path) -> None:
    killed = _user(tmp_path)
    assert killed.stdout is not None
    port = killed.stdout.readline()
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=30)
    with embedded.shared(tmp_path, durable=False) as server:
        assert server.port == int(port)
    assert cluster.running_port(tmp_path / "postgres" / "data") is None


def test_what_was_written_is_there_after_the_server_itself_was_killed(tmp_path: Path) -> None:
    with embedded.shared(tmp_path) as server:
        server.create_database("kept")
        pid = int((tmp_path / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGKILL)
        until(lambda: not psutil.pid_exists(pid))
        with embedded.shared(tmp_path) as again:
            assert _query(again.dsn("kept"), "SELECT current_database()") == "kept"
