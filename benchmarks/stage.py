"""What every benchmark runs on: one PostgreSQL of this project, durable, and the fast Ropo One."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.environments import HOME, ROOT, project_python
from include.status_store.migrate import upgrade
from local_airflow import embedded

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Stage:
    """What every benchmark is given.

    :param server: the PostgreSQL.
    :param url: of the Ropo One.
    :param template: a migrated, empty store.
    """

    server: embedded.Server
    url: str
    template: str

    @contextmanager
    def store(self) -> Iterator[str]:
        """An empty store, by its database's name."""
        name = self.server.fresh_database("bench", template=self.template)
        try:
            yield name
        finally:
            self.server.drop_database(name)

    def queue(self, pages: int, days: int = 1) -> str:
        """The customer number of a queue that nobody has read."""
        return f"{pages}-{days}-{secrets.token_hex(4)}"

    def variables(self, database: str, cid: str = "") -> dict[str, str]:
        """The connections, as Airflow reads them from the environment."""
        ropo_one = {"conn_type": "ropo_one", "host": self.url, "login": cid, "password": "apicode"}
        return {
            "AIRFLOW_HOME": str(HOME / "airflow"),
            "AIRFLOW_CONN_ROPO_STORE": json.dumps(self.server.airflow_connection(database)),
            "AIRFLOW_CONN_ROPO_ONE_DEFAULT": json.dumps(ropo_one),
        }


@contextmanager
def queue_server() -> Iterator[str]:
    """The fast Ropo One in a process of its own, by its address."""
    command = [str(project_python()), "-m", "benchmarks.queue_server"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the queue server has no pipes")
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


@contextmanager
def stage() -> Iterator[Stage]:
    """Set it up, and take it down again."""
    with queue_server() as url, embedded.shared(HOME / "server") as server:
        template = server.fresh_database("bench_template")
        upgrade(server.dsn(template))
        yield Stage(server, url, template)
        server.drop_database(template)
