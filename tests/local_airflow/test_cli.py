"""`./airflow.sh`, as a user starts it: on the metadata database that is named, else on the embedded PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from local_airflow import cluster, environment
from local_airflow.paths import PASSWORDS, ROOT


def _bare() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ROPO", "PYTHONPATH"))}
    return {**kept, "PATH": os.environ["PATH"]}


def test_the_cli_uses_a_metadata_database_that_is_named_and_starts_none(tmp_path: Path) -> None:
    named = f"sqlite:///{tmp_path}/named.db"
    answer = subprocess.run(
        [ROOT / "airflow.sh", "config", "get-value", "database", "sql_alchemy_conn"],
        env={**_bare(), "AIRFLOW_HOME": str(tmp_path), environment.METADATA_VARIABLE: named},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert answer.stdout.splitlines()[-1] == named
    assert not (tmp_path / "postgres").exists()


def test_what_airflow_writes_is_its_users_alone_in_a_home_that_others_may_enter_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    (home / PASSWORDS).write_text("{}")  # by an Airflow that was started without the project
    (home / PASSWORDS).chmod(0o644)
    subprocess.run(
        [ROOT / "airflow.sh", "config", "get-value", "core", "executor"],
        env={**_bare(), "AIRFLOW_HOME": str(home), environment.METADATA_VARIABLE: f"sqlite:///{tmp_path}/named.db"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    modes = {path.relative_to(home): oct(path.stat().st_mode & 0o077) for path in home.rglob("*")}
    assert {Path("airflow.cfg"), Path("logs"), Path(PASSWORDS)} <= modes.keys()
    assert set(modes.values()) == {"0o0"}, modes
    assert home.stat().st_mode & 0o777 == 0o755


def test_the_cli_runs_on_the_embedded_postgresql_and_hands_on_the_exit_code(tmp_path: Path) -> None:
    def airflow(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "airflow.sh", *arguments],
            env={**_bare(), "AIRFLOW_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    pools = airflow("pools", "list", "--output", "json")
    assert json.loads(pools.stdout)[0]["pool"] == "default_pool", pools.stderr
    assert airflow("pools", "get", "no_such_pool").returncode == 1
    assert (tmp_path / "postgres" / "data" / "PG_VERSION").read_text().strip() == "18"
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()


def test_who_runs_tasks_waits_for_the_api_server(tmp_path: Path) -> None:
    port = cluster.free_port()
    given = {
        **_bare(),
        "AIRFLOW_HOME": str(tmp_path),
        environment.METADATA_VARIABLE: f"sqlite:///{tmp_path}/named.db",
        environment.PORT_VARIABLE: str(port),
    }
    for command in (["scheduler", "--skip-serve-logs"], ["celery", "worker"]):
        with subprocess.Popen([ROOT / "airflow.sh", *command], env=given, stderr=subprocess.PIPE, text=True) as waiting:
            assert waiting.stderr is not None
            assert waiting.stderr.readline().startswith(f"Nobody answers at http://localhost:{port}/execution/ yet")
            waiting.terminate()
    helped = subprocess.run(
        [ROOT / "airflow.sh", "scheduler", "--help"], env=given, capture_output=True, text=True, check=True, timeout=60
    )
    assert "Start a scheduler instance" in helped.stdout


def test_the_cli_without_an_environment_says_what_to_run(tmp_path: Path) -> None:
    script = tmp_path / "airflow.sh"
    script.write_text((ROOT / "airflow.sh").read_text())
    answer = subprocess.run(["bash", script, "version"], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    assert "make install" in answer.stderr
