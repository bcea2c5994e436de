"""`make demo` and `make up`, whole, as a user starts them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2
import pytest

from demo.job import DAY_DAG, DRAIN_DAG
from local_airflow import cluster, embedded
from local_airflow.api import AirflowApi
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

# A bound for a demo that hangs, not for a slow machine.
DEMO_SECONDS = 900
KEPT = """
SELECT
    (SELECT count(*) FROM ropo.status_event),
    (SELECT count(*) FROM ropo.status_event_revision),
    (SELECT count(*) FROM ropo.status_quarantine),
    (SELECT count(*) FROM ropo.status_poll WHERE outcome NOT IN ('landed', 'empty')),
    (SELECT count(*) FROM ropo.reconciliation_break),
    (SELECT count(*) FROM ropo.reconciliation_break_event)
"""

pytestmark = pytest.mark.timeout(3 * DEMO_SECONDS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


def _environment(home: Path) -> dict[str, str]:
    """A user who has an installation of their own set up beside it, at addresses that answer nobody."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ROPO"))}
    elsewhere = "postgresql://nobody@127.0.0.1:9/nothing"
    # Asked before the variables: what the demo drained of it would be gone.
    real = home.with_name("connections.json")
    real.write_text(json.dumps({"ropo_one_default": {"conn_type": "ropo_one", "host": "https://127.0.0.1:9"}}))
    return {
        **kept,
        "AIRFLOW_HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": elsewhere,
        "AIRFLOW_CONN_ROPO_STORE": elsewhere,
        "AIRFLOW_CONN_ROPO_STORE_READER": elsewhere,
        "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(real)}),
        "http_proxy": "http://127.0.0.1:9",
    }


def _demo(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "demo"],
        env=_environment(home),
        capture_output=True,
        text=True,
        check=False,
        timeout=DEMO_SECONDS,
    )


def _kept(home: Path) -> tuple[int, ...]:
    with (
        embedded.shared(home) as server,
        closing(psycopg2.connect(server.dsn("store"))) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(KEPT)
        return cursor.fetchone() or ()


def _found(printed: str) -> list[str]:
    """The lines of dates and of invoices in what the demo prints."""
    return re.findall(r"^(?:\d{4}-\d\d-\d\d|\d{8}) .*$", printed, re.MULTILINE)


def _processes_of(home: Path) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"AIRFLOW_HOME={home}\0".encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


def test_the_demo_finds_exactly_what_was_put_in_and_running_it_again_changes_nothing(home: Path) -> None:
    first = _demo(home)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "reconciled" in first.stdout
    assert "missing_in_ledger" in first.stdout
    assert "One whose date has breaks fails, as it is meant to" in first.stdout
    kept = _kept(home)
    assert kept[0] > 10_000
    assert kept[1:4] == (0, 0, 0)
    assert kept[4] > 0
    assert kept[5] == kept[4]  # each break was opened, and nothing else became of it

    second = _demo(home)
    assert second.returncode == 0, second.stdout + second.stderr
    assert "as last time" in second.stdout
    assert _kept(home) == kept
    assert _found(second.stdout) == _found(first.stdout) != []
    assert _processes_of(home) == []


@contextlib.contextmanager
def _up(home: Path, port: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.up", "--port", str(port)],
        env=_environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(DEMO_SECONDS * 2, process.kill)
    watchdog.start()
    try:
        said = []
        for line in process.stdout or ():
            said.append(line)
            login = re.search(r"http://localhost:\d+ +user admin +password (\S+)", line)
            if login:
                yield process, login[1]
                return
        pytest.fail("".join(said))
    finally:
        watchdog.cancel()
        process.terminate()
        process.communicate(timeout=120)


def test_up_serves_airflow_with_its_dags_unpaused_and_leaves_no_process_behind(home: Path) -> None:
    port = cluster.free_port()
    with _up(home, port) as (process, password):
        dags = AirflowApi(f"http://127.0.0.1:{port}", password).ask("GET", "/dags")["dags"]
        paused = {dag["dag_id"]: dag["is_paused"] for dag in dags}
        assert paused.items() >= {DRAIN_DAG: False, DAY_DAG: False}.items()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert _processes_of(home) == []
    assert cluster.running_port(home / "postgres" / "data") is None
