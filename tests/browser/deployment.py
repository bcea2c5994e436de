"""A whole deployment for the browser: Airflow's four parts, the store, an ERP's ledger and Ropo One's stand-in."""

from __future__ import annotations

import datetime
import json
import subprocess
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg2

from demo.connections import PROFILES_FILE
from include.simulator.dataset import Dataset, make_dataset
from include.simulator.ledger import plan_differences, seed_ledger
from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID
from include.simulator.rows import QueuedRow
from include.simulator.server import SimulatorServer
from include.status_store.database import STORE_VARIABLE
from include.status_store.migrate import upgrade
from local_airflow import cluster, environment
from local_airflow.api import AirflowApi
from local_airflow.embedded import LEDGER_READER
from local_airflow.migration import migrate
from local_airflow.secret_files import read_or_create
from local_airflow.serving import serving
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.simulator.ropo import Ropo
    from local_airflow.embedded import Server

PROFILE = "demo"
ENDED = "SELECT state FROM dag_run WHERE dag_id = %s AND run_id = %s AND state IN ('success', 'failed')"
# By name, with the role that Airflow's simple auth manager knows: a controller may edit DAGs, a viewer may see them.
USERS = {"admin": "admin", "controller": "user", "viewer": "viewer"}
# The queue stands still at this moment; its data reaches back over both changes of the clocks.
AS_OF = datetime.datetime(2026, 10, 30, 3, tzinfo=datetime.UTC)
_FIRST_DAY = datetime.date(2026, 3, 20)
_SCALE = 0.02
# An invoice that the ledger does not know, and whose texts are scripts.
SCRIPT_BILLNUM = "<b>B-1</b>"
SCRIPT = "<script>document.title = 'taken'</script><img src=x onerror=\"document.title = 'taken'\">"
SCRIPT_DATE = datetime.date(2026, 10, 26)


@dataclass(frozen=True)
class Deployment:
    """Where everything is.

    :param url: of Airflow's API server.
    :param passwords: of :data:`USERS`.
    :param metadata: the address of Airflow's metadata database; ``store``: of the store.
    :param ropo: the stand-in's state.
    """

    url: str
    passwords: dict[str, str] = field(repr=False)
    metadata: str = field(repr=False)
    store: str = field(repr=False)
    ropo: Ropo

    def run(self, dag_id: str, conf: dict[str, str] | None = None) -> str:
        """Trigger a run through Airflow's API and wait until it has ended.

        :return: its id.
        """
        api = AirflowApi(self.url, self.passwords["admin"])
        run = api.ask("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf or {}})
        run_id = str(run["dag_run_id"])
        self.wait_for(self.metadata, ENDED, dag_id, run_id)
        return run_id

    def ask(self, dsn: str, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of one of the databases, as they stand now."""
        with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def change(self, dsn: str, sql: str, *values: object) -> None:
        """Do something in one of the databases, committed."""
        with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(sql, values)

    def wait_for(self, dsn: str, sql: str, *values: object, seconds: float = 300) -> list[tuple[Any, ...]]:
        """The rows of a query, as soon as it has any.

        :raises TimeoutError: if it has none within so many seconds.
        """
        return until(
            lambda: self.ask(dsn, sql, *values), seconds=seconds, every=0.5, instead=lambda: f"no row of {sql}"
        )


@contextmanager
def deployed(server: Server, home: Path, *, port: int = 0) -> Iterator[Deployment]:
    """Serve a deployment of its own.

    :param server: the embedded PostgreSQL, provisioned.
    :param home: Airflow's home.
    :param port: of the API server; 0 takes a free one.
    """
    names = {what: server.fresh_database(what) for what in ("metadata", "store", "ledger")}
    upgrade(server.dsn(names["store"]))
    dataset = make_dataset(7, _FIRST_DAY, (AS_OF.date() - _FIRST_DAY).days, _SCALE)
    seed_ledger(server.dsn(names["ledger"]), dataset, plan_differences(dataset, AS_OF, 1), as_of=AS_OF)
    port = port or cluster.free_port()
    with SimulatorServer() as simulator:
        _fill(simulator.ropo, dataset)
        variables = _variables(server, home, names, simulator.url)
        migrate(variables, subprocess.DEVNULL)
        passwords = _passwords(home)
        with serving(variables, home, port):
            url = f"http://localhost:{port}"
            metadata, store = server.dsn(names["metadata"]), server.dsn(names["store"])
            yield Deployment(url, passwords, metadata, store, simulator.ropo)


def _fill(ropo: Ropo, dataset: Dataset) -> None:
    ropo.set_now(AS_OF)
    ropo.load(dataset)
    # It came early enough to be a break, and not pending, whenever it is looked at.
    ropo.add_rows([QueuedRow(_script_row(), AS_OF - datetime.timedelta(days=3))])


def _script_row() -> dict[str, Any]:
    return {
        "jobid": 9_000_001,
        "statusid": "C9000001",
        "billnum": SCRIPT_BILLNUM,
        "statustype": "comment",
        "statustime": f"{SCRIPT_DATE} 12:00:00",
        "statusref": SCRIPT,
        "statustext": SCRIPT,
        "statuscode": "98",
        "paydate": "",
        "amount": "",
    }


def _variables(server: Server, home: Path, names: dict[str, str], ropo_url: str) -> dict[str, str]:
    ropo_one = {"conn_type": "ropo_one", "host": ropo_url, "login": DEFAULT_CID, "password": DEFAULT_APICODE}
    given = {
        environment.METADATA_VARIABLE: server.dsn(names["metadata"], driver="psycopg2"),
        "AIRFLOW_CONN_ROPO_ONE_DEFAULT": json.dumps(ropo_one),
        STORE_VARIABLE: json.dumps(server.airflow_connection(names["store"])),
        "AIRFLOW_CONN_ERP_LEDGER": json.dumps(server.airflow_connection(names["ledger"], LEDGER_READER)),
        "ROPO_PROFILES_FILE": str(_profiles(home)),
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "15",
        # On a busy machine Airflow's own 5 s are too short, and tasks fail that were never run.
        "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "60",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
    }
    return environment.project_environment(given, home)


def _profiles(home: Path) -> Path:
    """The demo's profile, whose dates are settled when they end: so no run waits for that, whatever the hour is."""
    text = PROFILES_FILE.read_text(encoding="utf-8").replace("../", f"{PROFILES_FILE.parents[1]}/")
    file = home / "profiles.yaml"
    file.write_text(text.replace("- name: demo\n", "- name: demo\n    settle_hours: 0\n"), encoding="utf-8")
    return file


def _passwords(home: Path) -> dict[str, str]:
    file = home / "simple_auth_manager_passwords.json.generated"
    made = read_or_create(file, lambda: json.dumps({name: f"{name}-of-the-tests" for name in USERS}))
    return dict(json.loads(made))
