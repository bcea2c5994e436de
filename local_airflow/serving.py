"""Airflow's parts as processes on this machine: API server, scheduler, DAG processor and triggerer."""

from __future__ import annotations

import json
import secrets
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from local_airflow.cli import AIRFLOW
from local_airflow.paths import PASSWORDS
from local_airflow.processes import ProcessDiedError, Running, started
from local_airflow.secret_files import read_or_create

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

HOST = "127.0.0.1"
USER = "admin"
HEALTHY_SECONDS = 180
_COMMANDS = {
    "api-server": ("api-server", "--host", HOST),
    "dag-processor": ("dag-processor",),
    "triggerer": ("triggerer", "--skip-serve-logs"),
    # Last: a task that it starts before the API server answers fails, with nothing in its log. The API server reads the
    # tasks' logs from the same disk.
    "scheduler": ("scheduler", "--skip-serve-logs"),
}
_POLL_SECONDS = 1


@contextmanager
def serving(environment: Mapping[str, str], home: Path, port: int) -> Iterator[list[Running]]:
    """Start Airflow's parts, wait until all are healthy, and stop them in the end.

    :param environment: the variables to run Airflow with; its databases are migrated.
    :param home: Airflow's home; the parts' own logs go to ``logs/processes`` in it.
    :param port: the API server's TCP port on the loopback address.
    :return: the running parts.
    :raises ProcessDiedError: if one of them ends, or does not become healthy in time.
    """
    variables = {
        **environment,
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{HOST}:{port}/execution/",
    }
    with ExitStack() as stack:
        parts: list[Running] = []
        for name, command in _COMMANDS.items():
            options = ("--port", str(port)) if name == "api-server" else ()
            log = home / "logs" / "processes" / f"{name}.log"
            if name == "scheduler":
                _wait_until(parts, lambda: _health(port) is not None)
            parts.append(stack.enter_context(started(name, (AIRFLOW, *command, *options), variables, log)))
        _wait_until(parts, lambda: _is_healthy(port))
        yield parts


def admin_password(home: Path) -> str:
    """The password of the user ``admin``, made before Airflow would make it and write it into its log.

    :param home: Airflow's home, where its simple auth manager looks for it.
    :return: the password.
    """
    return str(
        json.loads(read_or_create(home / PASSWORDS, lambda: json.dumps({USER: secrets.token_urlsafe(12)})))[USER]
    )


def _wait_until(parts: list[Running], is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HEALTHY_SECONDS
    while not is_so():
        for part in parts:
            part.check()
        if time.monotonic() > deadline:
            logs = ", ".join(str(part.log) for part in parts)
            raise ProcessDiedError(f"Airflow is not healthy after {HEALTHY_SECONDS} s; see {logs}")
        time.sleep(_POLL_SECONDS)


def _health(port: int) -> dict[str, Any] | None:
    """Return what the API server says of each part, None where it does not answer."""
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with without_proxy.open(f"http://{HOST}:{port}/api/v2/monitor/health", timeout=10) as answer:
            parts: dict[str, Any] = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None
    return parts


def _is_healthy(port: int) -> bool:
    parts = _health(port)
    return parts is not None and all(part and part["status"] == "healthy" for part in parts.values())
