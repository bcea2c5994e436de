"""docker-compose.yaml is valid, holds no secret, and its very commands come up healthy on a real PostgreSQL."""

from __future__ import annotations

import http.server
import json
import re
import subprocess
import threading
import urllib.request
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import jsonschema
import pytest
import requests
from airflow.dag_processing.dagbag import DagBag

from local_airflow.api import AirflowApi
from ropo_one.operators.polling import RopoStatusDrainOperator
from tests.deployment import compose
from tests.deployment.deployment import DATABASES, PROCESSES, SECRETS, Deployment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.deployment.container import Container

CELERY = ("redis", "worker")
WHERE_TASKS_REPORT = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
TWO_USERS = {"AIRFLOW_USERS": "admin:admin,anna:user", "AIRFLOW_PASSWORDS": '{"anna": "annas password"}'}


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


def test_every_service_has_a_healthcheck_but_the_one_that_ends() -> None:
    services = compose.load(SECRETS)["services"]
    assert set(services) == {*DATABASES, *PROCESSES, *CELERY, "migrate"}
    assert [name for name in services if not services[name].get("healthcheck", {}).get("test")] == ["migrate"]


def test_every_service_is_confined() -> None:
    services = compose.load(SECRETS)["services"]
    for name, service in services.items():
        assert service["user"] in ("50000", "postgres", "redis"), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "network_mode", "pid"} & set(service), name
        writable = [mount.partition(":")[0] for mount in service["tmpfs"]]
        writable += [mount.split(":")[1] for mount in service.get("volumes", [])]
        assert not {"/", "/opt", "/opt/ropo"} & set(writable), name


def test_no_containers_output_grows_without_end() -> None:
    services = compose.load(SECRETS)["services"]
    for name, service in services.items():
        # Docker's own default keeps all of it.
        logging = service.get("logging", {})
        assert logging.get("driver") == "local", name
        assert {"max-size", "max-file"} <= set(logging.get("options", {})), name


def test_workers_and_their_broker_start_with_the_profile_only() -> None:
    services = compose.load(SECRETS)["services"]
    assert {name for name in services if services[name].get("profiles")} == set(CELERY)
    assert all(services[name]["profiles"] == ["celery"] for name in CELERY)
    assert services["scheduler"]["environment"]["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert services["worker"]["deploy"]["replicas"] == "2"


def test_what_the_example_offers_for_the_profile_is_what_the_file_asks_for() -> None:
    offered = _offered()
    asked = set(re.findall(r"\$\{(\w+):-", compose.COMPOSE_FILE.read_text()))
    assert asked <= offered
    assert "COMPOSE_PROFILES" in offered


def test_the_address_that_alerts_link_to_reaches_every_service_that_sends_them() -> None:
    services = compose.load(SECRETS)["services"]
    for name in (*PROCESSES, "worker"):
        assert "AIRFLOW__API__BASE_URL" in services[name]["environment"], name
    assert "AIRFLOW__API__BASE_URL" in _offered()


@pytest.mark.parametrize("name", ["scheduler", "worker"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "http://api-server:8080/execution/"),
        ({"AIRFLOW__API__BASE_URL": ""}, "http://api-server:8080/execution/"),
        ({"AIRFLOW__API__BASE_URL": "https://example.com"}, "http://api-server:8080/execution/"),
        ({"AIRFLOW__API__BASE_URL": "https://example.com/air/flow/"}, "http://api-server:8080/air/flow/execution/"),
        ({"AIRFLOW__API__BASE_URL": "https://example.com/air", WHERE_TASKS_REPORT: "mine"}, "mine"),
    ],
)
def test_tasks_report_under_the_path_of_the_address_for_people(name: str, given: dict[str, str], expected: str) -> None:
    service = compose.load(SECRETS)["services"][name]
    fixed = {key: value for key, value in service["environment"].items() if value is not None}
    machine = {"PATH": f"{compose.ROOT / '.venv' / 'bin'}:/usr/bin:/bin", "PYTHONPATH": str(compose.ROOT)}
    with _answering() as port:
        here = ("api-server:8080", f"127.0.0.1:{port}")
        command = [word.replace(*here) for word in _telling_where_tasks_report(service)["command"]]
        told = subprocess.run(
            command, check=True, env={**machine, **fixed, **given}, capture_output=True, text=True, timeout=60
        )
        assert told.stdout == f"{expected.replace(*here)}\n"


@pytest.mark.parametrize("own", ["", "erp.example"])
@pytest.mark.parametrize("name", [*PROCESSES, "worker"])
def test_services_ask_each_other_past_a_proxy(name: str, own: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Docker hands on the proxies of its own configuration to each container."""
    given = compose.load({**SECRETS, "NO_PROXY": own})["services"][name]["environment"]
    assert given["NO_PROXY"] == given["no_proxy"]
    with _answering() as port:
        for variable in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{port}")
        for variable in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(variable, given[variable])
        asked = ("localhost", "127.0.0.1", "api-server", "erp.example", "elsewhere.example")
        # Health checks ask by urllib, tasks by httpx.
        by_proxy = [host for host in asked if not urllib.request.proxy_bypass(f"{host}:1")]
        assert by_proxy == [host for host in asked if _is_answered_by_httpx(f"http://{host}:1/")]
    assert by_proxy == [host for host in ("erp.example", "elsewhere.example") if host != own]


def test_the_connection_for_mail_reaches_every_service_that_sends_alerts() -> None:
    services = compose.load(SECRETS)["services"]
    for name in (*PROCESSES, "worker"):
        assert "AIRFLOW_CONN_SMTP_DEFAULT" in services[name]["environment"], name
    assert "AIRFLOW_CONN_SMTP_DEFAULT" in _offered()


def test_a_connection_can_be_tested_in_the_ui() -> None:
    services = compose.load(SECRETS)["services"]
    assert services["api-server"]["environment"]["AIRFLOW__CORE__TEST_CONNECTION"] == "Enabled"


def test_how_many_tasks_a_run_has_at_once_reaches_who_reads_dag_files() -> None:
    """Airflow's 16 would bound a drain of all profiles, whatever pools and workers have room for."""
    given = compose.load({**SECRETS, "AIRFLOW_MAX_ACTIVE_TASKS_PER_DAG": "48"})["services"]["dag-processor"]
    assert given["environment"]["AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG"] == "48"
    default = compose.load(SECRETS)["services"]["dag-processor"]["environment"]
    assert default["AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG"] == "16"


@pytest.mark.parametrize("name", ["scheduler", "worker"])
def test_who_runs_tasks_may_end_them_and_runs_while_what_they_need_does(name: str) -> None:
    service = compose.load(SECRETS)["services"][name]
    minutes = re.fullmatch(r"(\d+)m", service["stop_grace_period"])
    assert minutes is not None
    assert int(minutes[1]) * 60 > RopoStatusDrainOperator(task_id="drain", profile="default").max_seconds
    # Compose stops a service after those that depend on it: a task asks the API server to the end, and from its start.
    assert service["depends_on"]["api-server"]["condition"] == "service_healthy"


def test_a_message_is_not_delivered_again_while_its_task_may_run() -> None:
    worker = compose.load(SECRETS)["services"]["worker"]["environment"]
    seconds = int(worker["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"])
    dags = DagBag(dag_folder=compose.ROOT / "dags").dags.values()
    longest = max(
        task.execution_timeout.total_seconds() for dag in dags for task in dag.tasks if task.execution_timeout
    )
    assert longest < seconds
    assert f"`VISIBILITY_TIMEOUT` {seconds} s" in (compose.ROOT / "docs" / "scaling.md").read_text()


@pytest.mark.parametrize("file", [".env.example", "docs/deployment.md"])
def test_json_in_the_environments_file_stands_in_single_quotes(file: str) -> None:
    """Else Compose takes `$` for a variable and ` #` for a comment, in a password say."""
    found = re.findall(r"^#?(AIRFLOW_\w+)=(.*[{].*)$", (compose.ROOT / file).read_text(), re.MULTILINE)
    assert found
    for name, value in found:
        assert re.fullmatch(r"'[^']+'", value), name
        assert isinstance(json.loads(value[1:-1]), dict), name


def test_the_broker_and_the_workers_share_a_password_from_the_environment_only() -> None:
    services = compose.load({**SECRETS, "REDIS_PASSWORD": "brokerpassword"})["services"]
    assert "brokerpassword" in services["worker"]["environment"]["AIRFLOW__CELERY__BROKER_URL"]
    assert "brokerpassword" not in json.dumps(services["redis"]["command"])
    without = subprocess.run(
        services["redis"]["command"], check=False, env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True
    )
    assert without.returncode != 0
    assert "set REDIS_PASSWORD, see .env.example" in without.stderr


def test_a_worker_knows_neither_the_metadata_database_nor_a_key_of_airflows() -> None:
    services = compose.load({**SECRETS, "REDIS_PASSWORD": "brokerpassword"})["services"]
    told = json.dumps(services["worker"])
    known = {name for name, secret in SECRETS.items() if secret in told}
    assert known == {"STORE_DB_PASSWORD"}


def test_only_the_api_server_knows_the_administrators_password() -> None:
    services = compose.load(SECRETS)["services"]
    knowing = [name for name in services if SECRETS["AIRFLOW_ADMIN_PASSWORD"] in json.dumps(services[name])]
    assert knowing == ["api-server"]


def test_a_user_without_a_password_stops_the_start_and_no_password_is_made_up(tmp_path: Path) -> None:
    users = SECRETS | {"AIRFLOW_USERS": "admin:admin,anna:user,otto:user", "AIRFLOW_PASSWORDS": '{"anna": "annas"}'}
    service = compose.load(users)["services"]["api-server"]
    passwords = tmp_path / "passwords.json"
    started = subprocess.run(
        service["command"],
        check=False,
        env={
            **{name: value for name, value in service["environment"].items() if value is not None},
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "PATH": f"{compose.ROOT / '.venv' / 'bin'}:/usr/bin:/bin",
        },
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert started.returncode != 0
    assert started.stderr == "AIRFLOW_USERS names otto, and AIRFLOW_PASSWORDS has no password of it, see .env.example\n"
    assert passwords.read_text() == ""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """With its databases up, and migrated."""
    deployment = Deployment(tmp_path_factory.mktemp("deployment"), SECRETS | TWO_USERS)
    with deployment.databases():
        deployment.migrate()
        yield deployment


@pytest.mark.timeout(900)
def test_the_services_start_and_become_healthy_within_their_confinement(deployment: Deployment) -> None:
    containers = {name: deployment.container(name) for name in PROCESSES}
    with deployment.running(containers):
        assert _can_log_in(deployment.port, "admin", SECRETS["AIRFLOW_ADMIN_PASSWORD"])
        assert not _can_log_in(deployment.port, "admin", "admin")
        assert _can_log_in(deployment.port, "anna", "annas password")
    assert _writable(containers["scheduler"]) == {"/tmp", "/opt/airflow", "/opt/airflow/logs"}


@pytest.mark.timeout(900)
def test_a_pools_slots_stay_as_they_were_set_when_the_deployment_is_migrated_again(deployment: Deployment) -> None:
    assert _slots(deployment, "UPDATE slot_pool SET slots = 16 WHERE pool = 'ropo_one' RETURNING slots") == [16]
    _slots(deployment, "DELETE FROM slot_pool WHERE pool = 'erp_ledger' RETURNING slots")

    deployment.migrate()

    assert _slots(deployment, "SELECT slots FROM slot_pool WHERE pool = 'ropo_one'") == [16]
    assert _slots(deployment, "SELECT slots FROM slot_pool WHERE pool = 'erp_ledger'") == [2]


@pytest.mark.timeout(900)
def test_under_a_path_the_api_server_becomes_healthy_and_listens_to_tasks_where_they_report(
    deployment: Deployment,
) -> None:
    def placed(name: str) -> Container:
        return replace(deployment.container(name), extra={"AIRFLOW__API__BASE_URL": "https://example.com/air/flow"})

    with deployment.running({"api-server": placed("api-server")}):
        address = f"http://127.0.0.1:{deployment.port}"
        for name in ("scheduler", "worker"):
            asked = placed(name)
            asked = replace(asked, definition=_telling_where_tasks_report(asked.definition))
            told = subprocess.run(
                asked.command(), env=asked.environment(), check=True, capture_output=True, text=True, timeout=60
            )
            assert told.stdout == f"{address}/air/flow/execution/\n", name
            assert _status(f"{told.stdout.strip()}health") == 200
        assert _status(f"{address}/execution/health") == 404
        # What looks at its health from outside, and programs that log in, find it through the proxy as people do.
        assert AirflowApi(f"{address}/air/flow", SECRETS["AIRFLOW_ADMIN_PASSWORD"]).find("/monitor/health")


def _telling_where_tasks_report(service: Mapping[str, Any]) -> dict[str, Any]:
    """A service that prints it in place of what it would run."""
    command = service["command"]
    return {**service, "command": [*command[: command.index("airflow")], "printenv", WHERE_TASKS_REPORT]}


def _status(address: str) -> int:
    return requests.get(address, timeout=60, proxies={"http": ""}).status_code


@contextmanager
def _answering() -> Iterator[int]:
    """A server that answers whatever it is asked for, as itself or as a proxy; its port."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Anything) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


class _Anything(http.server.BaseHTTPRequestHandler):
    """Answers whatever it is asked for."""

    def do_GET(self) -> None:
        """Say that it came by here."""
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on standard error."""


def _is_answered_by_httpx(address: str) -> bool:
    try:
        return httpx.get(address, timeout=10).status_code == 204
    except httpx.TransportError:
        return False


def _slots(deployment: Deployment, statement: str) -> list[int]:
    with (
        closing(deployment.connect("postgres-airflow")) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
        return [slots for (slots,) in cursor.fetchall()]


def _offered() -> set[str]:
    return set(re.findall(r"^#(\w+)=", (compose.ROOT / ".env.example").read_text(), re.MULTILINE))


def _writable(container: Container) -> set[str]:
    """Where a process of a container can make a file, of the places that it might want to; and that it is nobody."""
    places = "/ /etc /home /opt /opt/ropo /opt/ropo/dags /usr /var /var/tmp /tmp /opt/airflow /opt/airflow/logs"
    told = container.run(
        ["sh", "-c", f'id -u; grep -E "^(CapEff|CapBnd|NoNewPrivs)" /proc/self/status; for place in {places}; do '
         '(: > "$place/probe") 2>/dev/null && echo "$place"; done; true']
    )  # fmt: skip
    uid, *status = told.stdout.splitlines()[:4]
    assert uid == "50000"
    assert [int(line.split()[1], 16) for line in status] == [0, 0, 1]
    return set(told.stdout.splitlines()[4:])


def _can_log_in(port: int, user: str, password: str) -> bool:
    try:
        AirflowApi(f"http://127.0.0.1:{port}", password, user)
    except requests.HTTPError:
        return False
    return True
