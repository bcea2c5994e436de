"""Rounds on a real Airflow, whose scheduler is killed or stopped while it runs the drain DAG, and started again."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections import Counter
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import psutil
import requests
import yaml

from faults.soak.ground import MOST_ROWS
from include.simulator.faults import Fault
from include.status_store.database import STORE_VARIABLE
from local_airflow import cluster, environment
from local_airflow.api import AirflowApi
from local_airflow.cli import AIRFLOW
from local_airflow.migration import migrate
from local_airflow.paths import ROOT
from local_airflow.processes import started
from local_airflow.serving import HOST, admin_password
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from faults.soak.ground import Ground
    from local_airflow.processes import Running

KIND = "Airflow's scheduler restarted"
DAG = "ropo_status_drain"
METADATA = "soak_metadata"
SECONDS = 300
_PARTS = {
    "api-server": ("api-server", "--host", HOST),
    "scheduler": ("scheduler", "--skip-serve-logs"),
    "dag-processor": ("dag-processor",),
}


class Airflow:
    """A context manager: Airflow with the drain DAG alone, on the ground's present queue."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._home = ground.home / "airflow"
        self._opened = ExitStack()
        self._scheduler = ExitStack()
        self._port = cluster.free_port()
        self._url = f"http://{HOST}:{self._port}"

    def __enter__(self) -> Airflow:
        server = self._ground.postgres.server
        server.create_database(METADATA)
        self._variables = self._environment()
        migrate(self._variables, subprocess.DEVNULL)
        self._password = admin_password(self._home)
        for name in ("api-server", "dag-processor"):
            self._opened.enter_context(self._part(name))
        self._start_scheduler()
        self._opened.callback(self._close_scheduler)
        self._api = until(self._logged_in, seconds=SECONDS)
        until(lambda: self._api.find(f"/dags/{DAG}"), seconds=SECONDS)
        self._api.ask("PATCH", f"/dags/{DAG}", {"is_paused": False})
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def round(self) -> str | None:
        """Let the scheduler be ended in the middle of a drain, and a new one go on.

        :return: how it was ended; None where the drain had ended before.
        """
        ground = self._ground
        ground.ropo.faults.add(Fault("slow", delay=0.3, times=20, kind="drain"))
        polls = ground.polls()
        run = self._api.ask("POST", f"/dags/{DAG}/dagRuns", {"logical_date": None})
        until(lambda: ground.polls() >= polls + ground.rng.randint(1, 4), seconds=SECONDS)
        under_way = bool(ground.lock_holders())
        how = ground.rng.choice(["killed with its tasks", "killed alone", "stopped"])
        self._end_scheduler(how)
        ground.ropo.faults.clear()
        self._start_scheduler()
        until(
            lambda: self._state(run["dag_run_id"]) in ("success", "failed"),
            seconds=SECONDS,
            instead=lambda: f"after the scheduler was {how}: {self._tasks(run['dag_run_id'])}",
        )
        return how if under_way else None

    def _tasks(self, run_id: str) -> dict[str, str | None]:
        found = self._api.ask("GET", f"/dags/{DAG}/dagRuns/{run_id}/taskInstances")
        return {task["task_id"]: task["state"] for task in found["task_instances"]}

    def _state(self, run_id: str) -> str | None:
        """Its state; None while the API server has no answer to give, as in a busy moment of its database."""
        with suppress(requests.RequestException):
            return str(self._api.ask("GET", f"/dags/{DAG}/dagRuns/{run_id}")["state"])
        return None

    def _start_scheduler(self) -> None:
        self._scheduler = ExitStack()
        self._running = self._scheduler.enter_context(self._part("scheduler"))

    def _end_scheduler(self, how: str) -> None:
        process = self._running.process
        if how == "killed with its tasks":
            # Each task has a process group of its own.
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            for member in family:
                with suppress(psutil.NoSuchProcess):
                    member.kill()
        elif how == "killed alone":
            process.kill()
            process.wait()
            # Its tasks go on without it: the stack, which would end them too, is left as it is until the very end.
            self._opened.push(self._scheduler.pop_all())
            return
        self._scheduler.close()

    def _close_scheduler(self) -> None:
        self._scheduler.close()

    @contextmanager
    def _part(self, name: str) -> Iterator[Running]:
        options = ("--port", str(self._port)) if name == "api-server" else ()
        log = self._home / "logs" / f"{name}.log"
        with started(name, (AIRFLOW, *_PARTS[name], *options), self._variables, log) as running:
            yield running

    def _logged_in(self) -> AirflowApi | None:
        """Log in; None while the API server has no answer to give."""
        with suppress(requests.RequestException):
            return AirflowApi(self._url, self._password)
        return None

    def _environment(self) -> dict[str, str]:
        ground, task = self._ground, self._ground.task
        dags = ground.home / "dags"
        dags.mkdir(exist_ok=True)
        shutil.copy(ROOT / "dags" / f"{DAG}.py", dags)
        settings = task.settings
        profile = {name: getattr(settings, name) for name in ("name", "start_date", "late_days", "date_cap")}
        profiles = ground.home / "profiles.yaml"
        profiles.write_text(yaml.safe_dump({"profiles": [profile]}))
        ropo_one = {"conn_type": "ropo_one", "host": task.url, "login": task.cid, "password": task.apicode}
        server = ground.postgres.server
        given = {
            environment.METADATA_VARIABLE: server.dsn(METADATA, cluster.SUPERUSER, driver="psycopg2"),
            "AIRFLOW_CONN_ROPO_ONE_DEFAULT": json.dumps(ropo_one),
            STORE_VARIABLE: json.dumps(server.airflow_connection("soak", cluster.SUPERUSER)),
            "ROPO_PROFILES_FILE": str(profiles),
            "NO_PROXY": HOST,
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self._url}/execution/",
            "AIRFLOW__API__BASE_URL": self._url,
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
            # How soon a new scheduler sees that a task is dead; it is minutes as shipped.
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "10",
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "5",
        }
        given |= {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return environment.project_environment(given, self._home)


def play(ground: Ground, rounds: int, tell: Callable[[str], object]) -> Counter[str]:
    """Play so many rounds, on a queue of their own.

    :param tell: is told how far it is.
    :return: how often the scheduler was ended in the middle of a drain, and how.
    """
    struck: Counter[str] = Counter()
    with Airflow(ground) as airflow:
        for number in range(1, rounds + 1):
            ground.add_rows(MOST_ROWS)
            if how := airflow.round():
                struck[f"{KIND}: {how}"] += 1
            tell(f"{number} rounds of the scheduler")
    ground.close_queue()
    return struck
