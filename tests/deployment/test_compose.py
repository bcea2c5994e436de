"""docker-compose.yaml is valid, holds no secret, and its very commands come up healthy on a real PostgreSQL."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import psycopg2
import pytest
from psycopg2 import sql

from demo import cluster, embedded
from tests.deployment import compose

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRETS = {
    "AIRFLOW_DB_PASSWORD": "airflowdatabasepassword",
    "STORE_DB_PASSWORD": "storedatabasepassword",
    "AIRFLOW_FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "AIRFLOW_JWT_SECRET": "a-secret-of-more-than-thirty-two-bytes",
    "AIRFLOW_API_SECRET_KEY": "another-secret-of-more-than-thirty-two-bytes",
    "AIRFLOW_ADMIN_PASSWORD": "adminpassword",
}
DATABASES = ("postgres-airflow", "postgres-store")
PROCESSES = ("api-server", "scheduler", "dag-processor", "triggerer")
HEALTHY_SECONDS = 120


def test_the_file_is_valid_by_the_compose_specification() -> None:
    schema = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(compose.load(SECRETS))


def test_the_schema_would_refuse_a_misspelt_key() -> None:
    schema = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text())
    broken = compose.load(SECRETS)
    broken["services"]["scheduler"]["health_check"] = {}
    assert not jsonschema.Draft202012Validator(schema).is_valid(broken)


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_a_missing_secret_stops_the_start_and_is_named(name: str) -> None:
    with pytest.raises(compose.MissingVariableError, match=name):
        compose.load({**SECRETS, name: ""})


def test_the_example_of_the_environment_lists_what_is_required_and_holds_none_of_it() -> None:
    lines = (compose.ROOT / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert given == dict.fromkeys(compose.required_variables(), "")
    assert set(given) == set(SECRETS)


def test_every_service_that_stays_has_a_healthcheck_and_none_of_ours_runs_as_root() -> None:
    services = compose.load(SECRETS)["services"]
    assert set(services) == {*DATABASES, *PROCESSES, "migrate"}
    for name in (*DATABASES, *PROCESSES):
        assert services[name]["healthcheck"]["test"], name
    for name in (*PROCESSES, "migrate"):
        assert services[name]["user"] == "50000", name


def test_only_the_api_server_knows_the_administrators_password() -> None:
    services = compose.load(SECRETS)["services"]
    knowing = [name for name in services if SECRETS["AIRFLOW_ADMIN_PASSWORD"] in json.dumps(services[name])]
    assert knowing == ["api-server"]


def test_the_services_migrate_start_and_become_healthy(tmp_path: Path) -> None:
    services = compose.load(SECRETS)["services"]
    port = cluster.free_port()
    with embedded.shared(tmp_path / "postgres", durable=False) as server, ExitStack() as running:
        for name in DATABASES:
            _stand_in_for_the_database_container(server, services[name])
        network = {f"{name}:5432": f"{server.host}:{server.port}" for name in DATABASES}
        places = {
            **network,
            '"postgres-store", "port": 5432': f'"{server.host}", "port": {server.port}',
            "api-server:8080": f"127.0.0.1:{port}",
            "localhost:8080": f"127.0.0.1:{port}",
            "--port 8080": f"--host 127.0.0.1 --port {port}",
            "/opt/ropo": str(compose.ROOT),
            "/opt/airflow": str(tmp_path / "airflow"),
            "/tmp/passwords.json": str(tmp_path / "passwords.json"),
        }
        here = {name: compose.LocalService(services[name], places) for name in (*PROCESSES, "migrate")}

        subprocess.run(here["migrate"].command(), env=here["migrate"].environment(), check=True, timeout=60)
        for name in PROCESSES:
            running.enter_context(_started(here[name], tmp_path / f"{name}.log"))
        for name in PROCESSES:
            _wait_until_healthy(here[name], tmp_path / f"{name}.log")

        assert _can_log_in(port, "admin", SECRETS["AIRFLOW_ADMIN_PASSWORD"])
        assert not _can_log_in(port, "admin", "admin")


def _stand_in_for_the_database_container(server: embedded.Server, service: dict[str, Any]) -> None:
    """What the image's entry point does with its variables; then the container's own healthcheck."""
    given = service["environment"]
    server.create_database(given["POSTGRES_DB"], owner=given["POSTGRES_USER"])
    with closing(psycopg2.connect(server.dsn("postgres"))) as admin, admin.cursor() as cursor:
        role = sql.Identifier(given["POSTGRES_USER"])
        cursor.execute(sql.SQL("ALTER ROLE {} PASSWORD %s").format(role), (given["POSTGRES_PASSWORD"],))
        admin.commit()
    machine = {"PGHOST": server.host, "PGPORT": str(server.port), "PATH": f"{cluster.binaries()}:/usr/bin:/bin"}
    subprocess.run(compose.LocalService(service, {}).healthcheck(), env={**given, **machine}, check=True, timeout=10)


@contextmanager
def _started(service: compose.LocalService, log: Path) -> Iterator[None]:
    with (
        log.open("w") as output,
        subprocess.Popen(
            service.command(),
            env=service.environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(30)
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)


def _wait_until_healthy(service: compose.LocalService, log: Path) -> None:
    deadline = time.monotonic() + HEALTHY_SECONDS
    while True:
        check = subprocess.run(
            service.healthcheck(), env=service.environment(), check=False, capture_output=True, text=True, timeout=60
        )
        if check.returncode == 0:
            return
        if time.monotonic() > deadline:
            pytest.fail(f"not healthy: {check.stdout}{check.stderr}\n{log.read_text()[-4000:]}")


def _can_log_in(port: int, user: str, password: str) -> bool:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/auth/token",
        json.dumps({"username": user, "password": password}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(json.load(answer)["access_token"])
    except urllib.error.HTTPError:
        return False
