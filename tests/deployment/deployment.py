"""The services of docker-compose.yaml as confined processes of this machine, by the embedded PostgreSQL's programs."""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from local_airflow import cluster
from local_airflow.waiting import until
from tests.deployment import compose
from tests.deployment.container import CONFIGURATION, Container, need

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from psycopg2.extensions import connection as Connection

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
# What PostgreSQL's image starts its commands by, as it is.
ENTRY_POINT = Path(__file__).parent / "data" / "docker-entrypoint.sh"
PROCESSES = ("api-server", "scheduler", "dag-processor", "triggerer")
HEALTHY_SECONDS = 400
# A check of Airflow's costs more than the start of what it looks at.
CHECK_SECONDS = 2


class Deployment:
    """The file, filled in and made to fit this machine.

    :param home: for its logs and volumes.
    :param variables: what would stand in `.env`.
    :param extra: variables on top of each Airflow service's own.
    :param configuration: a directory of files for Airflow's services, see :class:`Container`.
    """

    def __init__(
        self,
        home: Path,
        variables: Mapping[str, str],
        extra: Mapping[str, str] | None = None,
        configuration: Path | None = None,
    ) -> None:
        need("bwrap", "bubblewrap")
        self._home = home
        self._extra = extra or {}
        self._configuration = configuration
        self.services = compose.load(variables)["services"]
        self.port, redis = cluster.free_port(), cluster.free_port()
        self._database_ports = {name: cluster.free_port() for name in DATABASES}
        self._places = {
            **{f"{name}:5432": f"127.0.0.1:{port}" for name, port in self._database_ports.items()},
            '"postgres-store", "port": 5432': f'"127.0.0.1", "port": {self._database_ports["postgres-store"]}',
            "api-server:8080": f"127.0.0.1:{self.port}",
            "localhost:8080": f"127.0.0.1:{self.port}",
            "--port 8080": f"--host 127.0.0.1 --port {self.port}",
            "redis:6379": f"127.0.0.1:{redis}",
            "port 6379": f"port {redis}\\nbind 127.0.0.1",
            "-p 6379": f"-p {redis}",
            # What is lost with a test's machine may be.
            "docker-entrypoint.sh postgres": "docker-entrypoint.sh postgres -c fsync=off -c full_page_writes=off",
            # Places of PostgreSQL's image, which this machine's root, being read-only, has not.
            "/docker-entrypoint-initdb.d": "/opt/initdb.d",
            "/var/run/postgresql": "/opt/postgresql-socket",
            "/var/lib/postgresql": "/opt/postgresql",
        }
        self._volumes = {name: home / name for name in ("airflow-logs", "airflow-database", "store-database")}
        self._users = home / "passwd"
        self._users.write_text("airflow:x:50000:50000::/home/airflow:/bin/sh\n")
        for directory in self._volumes.values():
            directory.mkdir()
        self._image_of_postgresql = home / "image-of-postgresql"
        self._image_of_postgresql.mkdir()
        entry_point = self._image_of_postgresql / ENTRY_POINT.name
        entry_point.write_text(self._here(ENTRY_POINT.read_text()))
        entry_point.chmod(0o755)

    def container(self, service: str, name: str | None = None) -> Container:
        """A service, under its own name or another."""
        definition = self.services[service]
        # The migration is done with what the file itself says.
        extra = self._extra if service in (*PROCESSES, "worker") else {}
        return Container(
            name or service, definition, self._here, self._volumes, self._users, extra, self._configuration
        )

    @contextmanager
    def databases(self) -> Iterator[None]:
        """Both of them, set up at their first start and healthy."""
        with self.running({name: self._database(name) for name in DATABASES}):
            yield

    def _database(self, name: str) -> Container:
        """A PostgreSQL by its image's entry point, and what that knows of its image."""
        image = {
            "PATH": os.pathsep.join([CONFIGURATION, str(cluster.binaries()), "/usr/bin", "/bin"]),
            "PG_MAJOR": "18",
            "PGDATA": "/var/lib/postgresql/18/docker",
            "PGPORT": str(self._database_ports[name]),
        }
        return Container(
            name, self.services[name], self._here, self._volumes, self._users, image, self._image_of_postgresql
        )

    def connection(self, name: str) -> dict[str, Any]:
        """A database as an Airflow connection of its owner's.

        :param name: its service.
        """
        given = self.services[name]["environment"]
        return {
            "conn_type": "postgres",
            "host": "127.0.0.1",
            "port": self._database_ports[name],
            "login": given["POSTGRES_DB"],
            "password": given["OWNER_PASSWORD"],
            "schema": given["POSTGRES_DB"],
        }

    def connect(self, name: str, **changes: str) -> Connection:
        """A session of a database's owner.

        :param name: its service.
        :param changes: fields of its connection that are others, such as another ``login``.
        """
        fields = self.connection(name) | changes
        connection: Connection = psycopg2.connect(
            host=fields["host"],
            port=fields["port"],
            user=fields["login"],
            password=fields["password"],
            dbname=fields["schema"],
        )
        return connection

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

    def _here(self, text: str) -> str:
        for there, here in self._places.items():
            text = text.replace(there, here)
        return text

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
