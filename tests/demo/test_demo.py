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


@pytest.fixture(scope="module")
def first(home: Path) -> subprocess.CompletedProcess[str]:
    """`make demo`, in a home that is new."""
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


def test_the_demo_finds_exactly_what_was_put_in(first: subprocess.CompletedProcess[str], home: Path) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    assert "reconciled" in first.stdout
    assert "missing_in_ledger" in first.stdout
    assert "One whose date has breaks fails, as it is meant to" in first.stdout
    kept = _kept(home)
    assert kept[0] > 10_000
    assert kept[1:4] == (0, 0, 0)
    assert kept[4] > 0
    assert kept[5] == kept[4]  # each break was opened, and nothing else became of it
    assert _processes_of(home) == []


class Up:
    """`make up` while it runs.

    :param process: its process; what it says goes to a pipe.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.said = ""

    def hear(self, pattern: str) -> re.Match[str]:
        """Wait until it says this."""
        for line in self.process.stdout or ():
            self.said += line
            if found := re.search(pattern, line):
                return found
        pytest.fail(self.said)


@contextlib.contextmanager
def _up(home: Path, port: int) -> Iterator[Up]:
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
        yield Up(process)
    finally:
        watchdog.cancel()
        process.terminate()
        process.communicate(timeout=120)


def test_up_runs_the_demo_again_which_changes_nothing_then_serves_airflow_and_leaves_no_process_behind(
    first: subprocess.CompletedProcess[str], home: Path
) -> None:
    kept = _kept(home)
    port = cluster.free_port()
    with _up(home, port) as up:
        up.hear("Some of the differences")
        # Airflow's scheduler is not started yet: it waits for an API server, which takes seconds.
        assert _kept(home) == kept
        password = up.hear(r"http://localhost:\d+ +user admin +password (\S+)")[1]
        assert "as last time" in up.said
        assert "Otherwise than the data was made" not in up.said
        assert _found(up.said) == _found(first.stdout) != []

        dags = AirflowApi(f"http://127.0.0.1:{port}", password).ask("GET", "/dags")["dags"]
        paused = {dag["dag_id"]: dag["is_paused"] for dag in dags}
        assert paused.items() >= {DRAIN_DAG: False, DAY_DAG: False}.items()
        up.process.send_signal(signal.SIGINT)
        up.process.communicate(timeout=120)
        assert up.process.returncode == 0
    assert _processes_of(home) == []
    assert cluster.running_port(home / "postgres" / "data") is None
