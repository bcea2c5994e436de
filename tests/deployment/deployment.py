"""The services of docker-compose.yaml as confined processes of this machine, on one embedded PostgreSQL."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest
from psycopg2 import sql

from local_airflow import cluster, embedded
from local_airflow.waiting import until
from tests.deployment import compose
from tests.deployment.container import Container, need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SECRETS = {
    "AIRFLOW_DB_PASSWORD": "airflowdatabasepassword",
    "STORE_DB_PASSWORD": "storedatabasepassword",
    "STORE_READER_PASSWORD": "storereaderpassword",
    "AIRFLOW_FERNET_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "AIRFLOW_JWT_SECRET": "a-secret-of-more-than-thirty-two-bytes",
    "AIRFLOW_API_SECRET_KEY": "another-secret-of-more-than-thirty-two-bytes",
    "AIRFLOW_ADMIN_PASSWORD": "adminpassword",
}
DATABASES = ("postgres-airflow", "postgres-store")
PROCESSES = ("api-server", "scheduler", "dag-processor", "triggerer")
HEALTHY_SECONDS = 400
# A check of Airflow's costs more than the start of what it looks at.
CHECK_SECONDS = 2


class Deployment:
    """The file, filled in and made to fit this machine.

    :param home: for its logs and volumes.
    :param server: stands for both of the file's databases.
    :param variables: what would stand in `.env`.
    :param extra: variables on top of each Airflow service's own.
    :param configuration: a directory of files for the services, see :class:`Container`.
    """

    def __init__(
        self,
        home: Path,
        server: embedded.Server,
        variables: Mapping[str, str],
        extra: Mapping[str, str] | None = None,
        configuration: Path | None = None,
    ) -> None:
        need("bwrap", "bubblewrap")
        self._home = home
        self._extra = extra or {}
        self._configuration = configuration
        self.server = server
        self.services = compose.load(variables)["services"]
        self.port, redis = cluster.free_port(), cluster.free_port()
        self._places = {
            **{f"{name}:5432": f"{server.host}:{server.port}" for name in DATABASES},
            '"postgres-store", "port": 5432': f'"{server.host}", "port": {server.port}',
            "api-server:8080": f"127.0.0.1:{self.port}",
            "localhost:8080": f"127.0.0.1:{self.port}",
            "--port 8080": f"--host 127.0.0.1 --port {self.port}",
            "redis:6379": f"127.0.0.1:{redis}",
            "port 6379": f"port {redis}\\nbind 127.0.0.1",
            "-p 6379": f"-p {redis}",
        }
        self._volumes = {"airflow-logs": home / "airflow-logs"}
        self._users = home / "passwd"
        self._users.write_text("airflow:x:50000:50000::/home/airflow:/bin/sh\n")
        for directory in self._volumes.values():
            directory.mkdir()
        for name in DATABASES:
            _stand_in_for_the_database(server, self.services[name])

    def container(self, service: str, name: str | None = None) -> Container:
        """A service, under its own name or another."""
        definition = self.services[service]
        # The migration is done with what the file itself says.
        extra = self._extra if service in (*PROCESSES, "worker") else {}
        return Container(
            name or service, definition, self._places, self._volumes, self._users, extra, self._configuration
        )

    def migrate(self) -> None:
        """What comes before every service of Airflow's."""
        migrate = self.container("migrate")
        done = subprocess.run(
            migrate.command(), env=migrate.environment(), check=False, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def running(
        self, containers: Mapping[str, Container], waiting_for: Sequence[str] | None = None
    ) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
        """Start containers at once, and wait until they are healthy by their own healthchecks.

        :param waiting_for: the names of those that are waited for; by default all.
        """
        with ExitStack() as stack:
            processes = {name: stack.enter_context(each.started(self.log(name))) for name, each in containers.items()}
            for name in containers if waiting_for is None else waiting_for:
                self._wait_until_healthy(name, containers[name], processes[name])
            yield processes

    def log(self, name: str) -> Path:
        """What a container has said."""
        return self._home / f"{name}.log"

    def _wait_until_healthy(self, name: str, container: Container, process: subprocess.Popen[bytes]) -> None:
        complaint = ""

        def is_healthy() -> bool:
            nonlocal complaint
            check = subprocess.run(
                container.healthcheck(),
                env=container.environment(),
                check=False,
                capture_output=True,
                text=True,
                timeout=HEALTHY_SECONDS,
            )
            complaint = check.stdout + check.stderr
            if check.returncode != 0 and process.poll() is not None:
                pytest.fail(f"it has ended; {said()}")
            return check.returncode == 0

        def said() -> str:
            return f"{name}: {complaint}\n{self.log(name).read_text(errors='replace')[-4000:]}"

        until(is_healthy, seconds=HEALTHY_SECONDS, every=CHECK_SECONDS, instead=said)


def _stand_in_for_the_database(server: embedded.Server, service: dict[str, Any]) -> None:
    """What the image's entry point does with its variables; then the container's own healthcheck."""
    given = service["environment"]
    server.create_database(given["POSTGRES_DB"], owner=given["POSTGRES_USER"])
    with closing(psycopg2.connect(server.dsn("postgres"))) as admin, admin.cursor() as cursor:
        role = sql.Identifier(given["POSTGRES_USER"])
        cursor.execute(sql.SQL("ALTER ROLE {} SUPERUSER PASSWORD %s").format(role), (given["POSTGRES_PASSWORD"],))
        admin.commit()
    machine = {"PGPORT": str(server.port), "PATH": f"{cluster.binaries()}:/usr/bin:/bin"}
    _, check = service["healthcheck"]["test"]
    subprocess.run(["sh", "-c", check], env={**given, **machine}, check=True, timeout=10)
