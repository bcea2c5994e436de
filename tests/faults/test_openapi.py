"""Any request that the OpenAPI of the simulator or of the page describes, over real HTTP: none is a server's error.

Schemathesis makes the requests, valid ones and invalid ones. Both apps keep their OpenAPI to themselves: it is taken
from the apps. What it makes up exists in no store, so a part of the requests names what does: see :func:`naming`.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok

from include.simulator.app import create_app as simulator_app
from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Ropo
from include.simulator.rows import bulk_rows
from include.simulator.server import SimulatorServer
from reconciliation_page import invoice
from reconciliation_page.app import create_app as reconciliation_app
from reconciliation_page.checking import may_check
from tests.include.reconciliation.world import DAY, NOW, World, at
from tests.plugins.reconciliation_page.conftest import (
    SAME_ORIGIN,
    page_app,  # noqa: F401 - a fixture
    serving,
    store_connection,  # noqa: F401 - a fixture
    world,  # noqa: F401 - a fixture
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fastapi import FastAPI
    from schemathesis import Case
    from schemathesis.schemas import APIOperation, BaseSchema

    from local_airflow.embedded import Server

    Operation = APIOperation[Any, Any, Any, Any]
    Request = Case[Any]

FUZZ = settings(
    # Of each operation, of which there are many.
    max_examples=max(5, int(os.environ.get("FUZZ_EXAMPLES", "5")) // 40),
    deadline=None,
    # The same requests in every run of `make test`; others in each `make fuzz`.
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
# Of an address that leads nowhere, or of a parameter that is wrong.
REFUSED = {404, 422}
ROWS = bulk_rows(10)
# A data set of years takes minutes to make.
simulator = schemathesis.openapi.from_dict(simulator_app(Ropo()).openapi()).exclude(path="/simulator/dataset")
page = schemathesis.openapi.from_dict(reconciliation_app().openapi())


def operations(schema: BaseSchema) -> list[Any]:
    """Each operation as a parameter of its own: Schemathesis gives all its tests one id, of which xdist runs one."""
    parameters = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found.err()
        parameters.append(pytest.param(found.ok(), id=found.ok().label))
    return parameters


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatorServer]:
    with SimulatorServer(Ropo()) as server:
        yield server


def test_the_simulator_describes_what_ropo_ones_endpoints_take() -> None:
    """What is not described is not tried."""
    paths = simulator_app(Ropo()).openapi()["paths"]

    body = paths["/rest/token"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(body["properties"]) == {"cid", "apicode"}
    filters = {each["name"] for each in paths["/rest/jobs/statusupdates"]["get"]["parameters"]}
    assert filters == {"date", "billnum"}


@pytest.mark.parametrize("operation", operations(simulator))
def test_no_request_is_an_error_of_the_simulator(simulated: SimulatorServer, operation: Operation) -> None:
    ropo = simulated.ropo
    known = {
        "cid": DEFAULT_CID,
        "apicode": DEFAULT_APICODE,
        "date": ROWS[0]["statustime"][:10],
        "billnum": ROWS[0]["billnum"],
        "jobid": ROWS[0]["jobid"],
    }

    def ask(case: Request) -> int:
        # What the requests before have done to it is not to keep this one from an answer.
        ropo.faults.clear()
        ropo.set_now(None)
        ropo.add_rows(ROWS)
        token = ropo.issue_token(DEFAULT_CID, DEFAULT_APICODE)
        headers = {"Authorization": f"Bearer {json_token(token.body)}"}
        response = case.call(base_url=simulated.url, headers=headers, timeout=30)
        case.validate_response(response, checks=[not_a_server_error])
        return response.status_code

    fuzz(operation, ask, known)


@pytest.mark.parametrize(
    "wish",
    [
        {"days": 10**20},
        {"days": -1},
        {"days": 4000, "first_day": "9999-12-31"},
        {"scale": 1e300},
        {"scale": "NaN"},
        {"timezone": "../nowhere"},
    ],
)
def test_a_data_set_out_of_all_measure_is_refused(simulated: SimulatorServer, wish: dict[str, Any]) -> None:
    whole = {"seed": 1, "first_day": "2026-01-01", "days": 1, "scale": 0.01, **wish}

    assert requests.post(f"{simulated.url}/simulator/dataset", json=whole, timeout=30).status_code in (400, 404, 422)


def fuzz(operation: Operation, ask: Callable[[Request], int], known: dict[str, Any]) -> None:
    """Send requests of an operation, valid and invalid ones, and look that some are not refused at the door.

    :param ask: sends one; returns the answer's status.
    :param known: what there is, by the names of parameters and of fields.
    """

    @FUZZ
    @given(st.data())
    def made_up(data: st.DataObject) -> None:
        ask(data.draw(operation.as_strategy(data.draw(st.sampled_from(GenerationMode)))))

    statuses = set()

    @FUZZ
    @given(operation.as_strategy(GenerationMode.POSITIVE))
    def of_what_there_is(case: Request) -> None:
        statuses.add(ask(naming(known, case)))

    made_up()
    of_what_there_is()
    assert statuses - REFUSED, f"{operation.label}: every request was refused"


def naming(known: dict[str, Any], case: Request) -> Request:
    """The request with what there is in the place of what was made up for it; other parameters stay as they are."""
    for place in (case.path_parameters, case.query, case.body):
        if isinstance(place, dict):
            place |= {name: value for name, value in known.items() if name in place}
    return case


def json_token(body: bytes) -> str:
    return str(json.loads(body)["token"])


@pytest.fixture
def known(world: World) -> dict[str, Any]:  # noqa: F811 - the fixture
    """A store with something of everything; how it is named."""
    world.payment("100", "60.00")
    world.row("100")
    world.row("200", "paid", paid="100")
    # Long after, so that no grace is left.
    found = world.reconcile(reread_poll_id=world.know_all(), now=at("2026-04-20 08:00"))
    world.poll("drain", "in_doubt", window_to=DAY, recovery="unproven", opened_at=NOW, closed_at=NOW)
    world.quarantine(b"{}", NOW)
    world.page(complete=True)
    ((break_id,),) = world.store("SELECT min(break_id) FROM ropo.reconciliation_break")
    ((poll_id,),) = world.store("SELECT poll_id FROM ropo.status_poll WHERE outcome = 'in_doubt'")
    ((quarantine_id,),) = world.store("SELECT quarantine_id FROM ropo.status_quarantine")
    return {
        "profile": "default",
        "date": str(DAY),
        "month": f"{DAY:%Y-%m}",
        "key": "b:100",
        "reconciliation": found.reconciliation_id,
        "break_id": break_id,
        "poll_id": poll_id,
        "quarantine_id": quarantine_id,
        "shown_by": found.reconciliation_id,
        "category": "",
        "note": "asked Ropo One",
        "text": "1",
        "signature": "sign",
    }


@pytest.fixture
def served(
    page_app: FastAPI,  # noqa: F811 - the fixture
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The page, by itself, at an address; the ledger is a database that has none."""
    # Each of them asks Airflow's metadata database, which there is none of here.
    page_app.dependency_overrides[may_check] = lambda: True
    monkeypatch.setattr(invoice, "start_check", lambda *_: "run")
    monkeypatch.setattr(invoice, "find_check", lambda *_: None)
    monkeypatch.setenv("AIRFLOW_CONN_ERP_LEDGER", json.dumps(postgres.airflow_connection("erp")))
    with serving(page_app) as url:
        yield url


@pytest.mark.parametrize("operation", operations(page))
def test_no_request_is_an_error_of_the_page(served: str, known: dict[str, Any], operation: Operation) -> None:
    def ask(case: Request) -> int:
        headers: dict[str, Any] = dict(SAME_ORIGIN)
        response = case.call(base_url=served, headers=headers, allow_redirects=False, timeout=30)
        case.validate_response(response, checks=[not_a_server_error])
        return response.status_code

    fuzz(operation, ask, known)
