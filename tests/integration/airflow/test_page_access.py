"""Who may see and change what on the page, by Airflow's own auth managers in Airflow's own API app."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import psycopg2
import pytest

from include.status_store.database import connect
from local_airflow import environment
from local_airflow.cluster import SUPERUSER
from local_airflow.paths import ROOT
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    import pathlib

    from local_airflow.embedded import Server

SIMPLE = "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
READS = {"read": 200, "static": 200, "export": 200, "change": 403, "check": 403, "other origin": 403}
CHANGES = {**READS, "change": 303, "check": 303}
# The style of what says so is anybody's.
MAY_NOTHING = {**dict.fromkeys(READS, 403), "static": 200}
UNKNOWN = {**dict.fromkeys(READS, 401), "static": 200}


@pytest.fixture(scope="module")
def metadata(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A metadata database with the tables of both auth managers."""
    database = postgres.fresh_database("metadata")
    variables = _variables(postgres, database, tmp_path_factory.mktemp("migration"), FAB)
    airflow = str(ROOT / ".venv" / "bin" / "airflow")
    done = subprocess.run([airflow, "db", "migrate"], env=variables, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return database


def _variables(postgres: Server, database: str, home: pathlib.Path, manager: str) -> dict[str, str]:
    given = {
        environment.METADATA_VARIABLE: postgres.dsn(database, SUPERUSER, driver="psycopg2"),
        "AIRFLOW__CORE__AUTH_MANAGER": manager,
    }
    return environment.project_environment(given, home)


@pytest.mark.parametrize(
    ("manager", "path", "users", "expected"),
    [
        pytest.param(
            SIMPLE,
            "/air/flow",
            {"vera": "viewer", "olga": "op"},
            {"vera": READS, "olga": CHANGES},
            id="simple, under a path",
        ),
        pytest.param(
            FAB,
            "",
            {"vera": "Viewer", "paul": "Public", "olga": "Op"},
            {"vera": READS, "olga": CHANGES, "paul": MAY_NOTHING},
            id="fab",
        ),
        pytest.param(FAB, "/air/flow", {"olga": "Op"}, {"olga": CHANGES}, id="fab, under a path"),
    ],
)
def test_nobody_viewer_and_operator(
    postgres: Server,
    metadata: str,
    store_name: str,
    tmp_path: pathlib.Path,
    manager: str,
    path: str,
    users: dict[str, str],
    expected: dict[str, dict[str, int]],
) -> None:
    date = datetime.date(2026, 11, 20)
    with closing(connect(postgres.dsn(store_name))) as store:
        store.autocommit = True
        number = record(store, date, "breaks", breaks=(broken("1", "5.00"), broken("2", "5.00")))
        keep_break(store, number, "b:1", "ledger_behind", "open", "5.00")
        with store.cursor() as cursor:
            cursor.execute("SELECT break_id FROM ropo.reconciliation_break")
            (break_id,) = cursor.fetchone() or (0,)
    variables = _variables(postgres, metadata, tmp_path, manager)
    variables["AIRFLOW__API__BASE_URL"] = f"http://airflow.example.com{path}"
    variables["AIRFLOW_CONN_ROPO_STORE"] = json.dumps(postgres.airflow_connection(store_name, SUPERUSER))
    variables["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"] = ",".join(f"{name}:{role}" for name, role in users.items())
    variables["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"] = str(tmp_path / "passwords.json")
    driver = str(ROOT / "tests" / "integration" / "airflow" / "page_driver.py")
    done = subprocess.run(
        [sys.executable, driver],
        env=variables,
        input=json.dumps({"users": users, "break_id": break_id}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert ["Reconciliation", f"{path}/reconciliation/", "reconciliation"] in found.pop("views")
    _signing_in_leads_to(f"{path}/reconciliation/breaks/{break_id}?profile=default", path, **found.pop("signed in"))
    _check_is_of_the_user_and_of_its_invoice(postgres.dsn(metadata), *found.pop("asked again"))
    assert found == {
        "nobody": UNKNOWN,
        "forged": MAY_NOTHING,
        **expected,
        **{f"{name} by cookie": statuses for name, statuses in expected.items()},
    }
    with closing(connect(postgres.dsn(store_name))) as store, store.cursor() as cursor:
        cursor.execute("SELECT DISTINCT by_whom, note FROM ropo.reconciliation_break_event")
        assert cursor.fetchall() == [("olga", "seen")]


def _signing_in_leads_to(wanted: str, airflow: str, login: str, page: str | None = None) -> None:
    """Airflow has taken the way back for one of its own, and FAB's form leads there; the other's is a script."""
    status, address = login.split(" ", 1)
    parts = urlsplit(address)
    assert (status, parts.path.rstrip("/")) == ("200", f"{airflow}/auth/login")
    assert parse_qs(parts.query) == {"next": [wanted]}
    assert page in (None, f"200 http://airflow.example.com{wanted}")


def _check_is_of_the_user_and_of_its_invoice(metadata: str, run_id: str, page: str, page_of_another: str) -> None:
    conf = {"profile": "default", "billnum": "1"}
    with closing(psycopg2.connect(metadata)) as airflow, airflow.cursor() as cursor:
        cursor.execute(
            "SELECT dag_id, run_type, triggered_by, triggering_user_name, conf FROM dag_run WHERE run_id = %s",
            (run_id,),
        )
        assert cursor.fetchall() == [("ropo_invoice_check", "manual", "UI", "olga", conf)]
        cursor.execute("SELECT dag_id, event, owner, owner_display_name, extra FROM log WHERE run_id = %s", (run_id,))
        ((*logged, extra),) = cursor.fetchall()
    assert logged == ["ropo_invoice_check", "trigger_dag_run", "olga", "olga"]
    assert json.loads(extra) == {"conf": conf, "from": "reconciliation page"}
    # A DAG that Airflow has just come to know is paused.
    assert "The run is made, but the DAG ropo_invoice_check is paused" in page
    assert "Airflow knows no run of this name" in page_of_another
