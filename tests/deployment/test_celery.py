"""The profile `celery` of docker-compose.yaml: two workers drain many profiles, and one of them is killed meanwhile.

How many profiles: ``SCALE_PROFILES``; `make scale` runs it with 200. What it measured is printed.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import psutil
import pytest
import yaml

from include.simulator.faults import Fault
from include.simulator.ropo import Ropo
from include.simulator.rows import make_row
from include.simulator.server import SimulatorServer
from local_airflow.waiting import until
from tests.deployment.container import need
from tests.deployment.deployment import SECRETS, Deployment
from tests.integration.store.conftest import accounted_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

T = TypeVar("T")
PROFILES = int(os.environ.get("SCALE_PROFILES", "8"))
ROWS, DAYS = 60, 3
# Of each worker: what this machine bears.
SLOTS = 2 if PROFILES < 50 else 4
DAG_ID = "ropo_status_drain"
pytestmark = pytest.mark.timeout(1200 + 60 * PROFILES)
# Of the connections nothing is in the environment: they come from a secrets backend, and it is asked first.
SECRETS_BACKEND = {
    "AIRFLOW__SECRETS__BACKEND": "airflow.secrets.local_filesystem.LocalFilesystemBackend",
    "AIRFLOW__SECRETS__BACKEND_KWARGS": '{"connections_file_path": "/opt/configuration/connections.json"}',
    "AIRFLOW_CONN_ROPO_STORE": "postgres://nobody@nowhere/nothing",
    "ROPO_PROFILES_FILE": "/opt/configuration/profiles.yaml",
}
# Each of the two is the file's own setting, shortened: the test must not wait a quarter of an hour for a lost message.
QUICKER = {
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "10",
}
VARIABLES = {
    **SECRETS,
    "REDIS_PASSWORD": "brokerpassword",
    "AIRFLOW_EXECUTOR": "CeleryExecutor",
    "AIRFLOW_WORKER_CONCURRENCY": str(SLOTS),
    "AIRFLOW_PARALLELISM": str(2 * SLOTS),
}
WORKERS = ("worker-1", "worker-2")
HELD = """
SELECT profile, array_agg(
    concat_ws('|', statusid, jobid, billnum, statustime, coalesce(statuscode, ''), coalesce(amount::text, ''))
)
FROM ropo.status_event GROUP BY profile
"""
STANDING = """
SELECT count(*) FILTER (WHERE outcome = 'open'), count(*) FILTER (WHERE outcome = 'in_doubt'),
    count(*) FILTER (WHERE recovery IN ('pending', 'unproven')), count(*) FILTER (WHERE recovery = 'recovered')
FROM ropo.status_poll
"""
TASKS = """
SELECT hostname, count(*) FILTER (WHERE state = 'success'),
    round(sum(duration) FILTER (WHERE state = 'success')::numeric, 1),
    round(avg(duration) FILTER (WHERE state = 'success')::numeric, 2)
FROM task_instance WHERE hostname <> '' GROUP BY hostname ORDER BY hostname
"""


class Scene:
    """The deployment while it runs.

    :param deployment: with its services up.
    :param ropo: the server's state.
    """

    def __init__(self, deployment: Deployment, ropo: Ropo) -> None:
        self.deployment = deployment
        self.ropo = ropo
        self._scheduler = deployment.container("scheduler")

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Airflow's metadata."""
        with closing(self.deployment.connect("postgres-airflow")) as connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall())

    def airflow(self, *commands: str) -> None:
        """Run commands of Airflow's CLI, as `docker compose run scheduler` would."""
        done = self._scheduler.run(["sh", "-ec", "\n".join(f"airflow {command}" for command in commands)], timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr

    def runs(self) -> list[str]:
        """The states of the drain's runs, in their order."""
        return [state for (state,) in self.ask("SELECT state FROM dag_run WHERE dag_id = %s ORDER BY id", DAG_ID)]

    def holder_of_the_slow_poll(self) -> str | None:
        """The worker whose drain waits for the answer that the server delays."""
        slow = [poll.cid for poll in self.ropo.truth.polls if poll.fault == "slow"]
        found = self.ask(
            "SELECT hostname FROM task_instance WHERE dag_id = %s AND task_id = 'profile.drain' AND map_index = %s "
            "AND state = 'running'",
            DAG_ID,
            int(slow[0] or "0") if slow else -1,
        )
        return found[0][0] if found else None

    def wait(self, condition: Callable[[], T | None]) -> T:
        """Wait until something is so, and return it."""
        return until(condition, seconds=1800, every=0.5, instead=self._as_it_stands)

    def _as_it_stands(self) -> str:
        logs = {name: self.deployment.log(name).read_text()[-3000:] for name in ("scheduler", *WORKERS)}
        states = self.ask("SELECT task_id, state, hostname, count(*) FROM task_instance GROUP BY 1, 2, 3")
        return f"{states}\n{logs}"


@pytest.fixture
def postgres() -> None:
    """Not needed here: the deployment has servers of its own."""


def rows(profile: int) -> list[dict[str, Any]]:
    """A profile's own rows, dated on the days before today."""
    today = datetime.now(UTC).date()
    return [
        make_row(
            profile * 10_000 + number,
            statustime=f"{today - timedelta(days=1 + number % DAYS)} 08:00:00",
            statustype="payment" if number % 3 == 0 else "comment",
        )
        for number in range(ROWS)
    ]


def configure(directory: Path, url: str, store: dict[str, Any]) -> None:
    """Write the profiles' file, and all connections as a secrets backend reads them."""
    start = (datetime.now(UTC) - timedelta(days=DAYS)).date()
    names = [f"customer-{number:03}" for number in range(PROFILES)]
    profiles = [{"name": name, "connection": name, "start_date": start} for name in names]
    (directory / "profiles.yaml").write_text(yaml.safe_dump({"profiles": profiles}))
    connections = {
        name: {"conn_type": "ropo_one", "host": url, "login": str(number), "password": f"apicode-of-{number}"}
        for number, name in enumerate(names)
    }
    (directory / "connections.json").write_text(json.dumps({**connections, "ropo_store": store}))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Everything that happened; the services are up once, for all tests."""
    need("redis-server", "redis-server")
    home = tmp_path_factory.mktemp("celery")
    ropo = Ropo(default_customer=False)
    for number in range(PROFILES):
        ropo.add_customer(str(number), f"apicode-of-{number}")
        ropo.add_rows(rows(number), str(number))
    # In the middle of the drain a poll takes its page out of the queue and gets no answer before its worker is killed.
    ropo.faults.add(Fault("slow", kind="drain", after=PROFILES, delay=3600))
    with ExitStack() as stack:
        url = stack.enter_context(SimulatorServer(ropo)).url
        files = home / "configuration"
        files.mkdir()
        deployment = Deployment(home, VARIABLES, {**QUICKER, **SECRETS_BACKEND}, files)
        configure(files, url, deployment.connection("postgres-store"))
        stack.enter_context(deployment.databases())
        deployment.migrate()
        # Nothing is deferred here, so there is no triggerer.
        services = ("api-server", "scheduler", "dag-processor", "redis")
        containers = {name: deployment.container(name) for name in services}
        containers |= {name: deployment.container("worker", name) for name in WORKERS}
        running = deployment.running(containers, waiting_for=("redis", "api-server", *WORKERS))
        processes = stack.enter_context(running)
        yield drained(Scene(deployment, ropo), processes)


def drained(scene: Scene, processes: dict[str, Any]) -> dict[str, Any]:
    """Drain, kill a worker in the middle, and let the next run go on."""
    scene.wait(lambda: scene.ask("SELECT FROM dag WHERE dag_id = %s", DAG_ID))
    begun, idle = time.monotonic(), {name: loaded(process.pid) for name, process in processes.items()}
    scene.airflow(
        f"pools set ropo_one {2 * SLOTS} 'as many as the workers have slots'",
        f"dags unpause {DAG_ID}",
    )
    killed = scene.wait(scene.holder_of_the_slow_poll)
    victim = processes.pop(killed)
    load = {killed: loaded(victim.pid)}
    victim.kill()
    at_the_kill = time.monotonic()
    scene.wait(lambda: scene.runs()[0] in ("success", "failed"))
    first = time.monotonic()
    failed = scene.ask("SELECT task_id, map_index, hostname FROM task_instance WHERE state = 'failed'")
    # With many profiles the schedule's next run is due by now, and is the next run.
    if len(scene.runs()) < 2:
        scene.airflow(f"dags trigger {DAG_ID}")
    scene.wait(lambda: len(scene.runs()) >= 2 and scene.runs()[1] in ("success", "failed"))
    ended = time.monotonic()
    load |= {name: loaded(process.pid) for name, process in processes.items()}
    with closing(scene.deployment.connect("postgres-store")) as store:
        with store.cursor() as cursor:
            cursor.execute(HELD)
            held = dict(cursor.fetchall())
            cursor.execute(STANDING)
            standing = cursor.fetchone()
        whole = accounted_for(store)
    return {
        "killed": killed,
        "runs": scene.runs(),
        "failed": failed,
        "held": held,
        "standing": standing,
        "accounted_for": whole,
        "truth": scene.ropo.truth,
        "tasks": {host: figures for host, *figures in scene.ask(TASKS)},
        "load": {name: (cpu - idle[name][0], memory) for name, (cpu, memory) in load.items()},
        "seconds": (at_the_kill - begun, first - at_the_kill, ended - first),
    }


def loaded(pid: int) -> tuple[float, float]:
    """The CPU seconds of a process and all that it has started, and their memory (PSS) in MB."""
    seconds, memory = 0.0, 0.0
    for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
        # One that ends meanwhile is counted with its parent's children.
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
            memory += process.memory_full_info().pss / 1e6
    return seconds, memory


def test_every_profile_is_complete_and_nothing_is_doubled(
    told: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        sys.stdout.write(f"\n{report(told)}\n")
    expected = {
        f"customer-{number:03}": sorted(
            "|".join(
                str(row[field]) for field in ("statusid", "jobid", "billnum", "statustime", "statuscode", "amount")
            )
            for row in told["truth"].handed_out(str(number))
        )
        for number in range(PROFILES)
    }
    assert {name: len(events) for name, events in told["held"].items()} == dict.fromkeys(expected, ROWS)
    assert {name: sorted(events) for name, events in told["held"].items()} == expected
    assert told["accounted_for"]


def test_both_workers_had_their_part_and_the_killed_ones_tasks_were_missed(told: dict[str, Any]) -> None:
    assert set(told["tasks"]) == set(WORKERS)
    lost = {host for task, _, host in told["failed"] if task == "profile.drain"}
    assert lost == {told["killed"]}


def test_the_next_run_completes_what_the_killed_worker_left(told: dict[str, Any]) -> None:
    assert told["runs"][:2] == ["failed", "success"]
    still_open, doubts, standing, recovered = told["standing"]
    assert (still_open, standing) == (0, 0)
    assert doubts == recovered >= 1


def report(told: dict[str, Any]) -> str:
    """What was measured."""
    until_the_kill, until_the_end, again = told["seconds"]
    lines = [
        f"{PROFILES} profiles of {ROWS} changes, 2 workers of {SLOTS} slots; {told['killed']} killed in the middle",
        f"first run: {until_the_kill:.0f} s to the kill and {until_the_end:.0f} s after it; next run: {again:.0f} s",
    ]
    for name, (cpu, memory) in sorted(told["load"].items()):
        did = "{} tasks of {} s, {} s each; ".format(*told["tasks"][name]) if name in WORKERS else ""
        lines.append(f"{name}: {did}{cpu:.0f} CPU seconds, {memory:.0f} MB")
    return "\n".join(lines)
