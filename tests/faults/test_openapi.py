"""Any request that the OpenAPI of the simulator or of the page describes, over real HTTP: none is a server's error.

Schemathesis makes the requests, valid ones and invalid ones. Both apps keep their OpenAPI to themselves: it is taken
from the apps.
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

from include.simulator.app import create_app as simulator_app
from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Ropo
from include.simulator.rows import bulk_rows
from include.simulator.server import SimulatorServer
from reconciliation_page.app import create_app as reconciliation_app
from reconciliation_page.checking import may_check
from tests.plugins.reconciliation_page.conftest import (
    SAME_ORIGIN,
    page_app,  # noqa: F401 - a fixture
    serving,
    store_connection,  # noqa: F401 - a fixture
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from schemathesis import Case
    from schemathesis.schemas import APIOperation
    from schemathesis.specs.openapi.schemas import OpenApiSchema

    from local_airflow.embedded import Server

FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "5")),
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much],
)
# A data set of years takes minutes to make.
simulator = schemathesis.openapi.from_dict(simulator_app(Ropo()).openapi()).exclude(path="/simulator/dataset")
page = schemathesis.openapi.from_dict(reconciliation_app().openapi())


def operations(schema: OpenApiSchema) -> list[Any]:
    """Each operation as a parameter of its own: Schemathesis gives all its tests one id, of which xdist runs one."""
    return [pytest.param(found.ok(), id=found.ok().label) for found in schema.get_all_operations()]


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatorServer]:
    with SimulatorServer(Ropo()) as server:
        server.ropo.add_rows(bulk_rows(10))
        yield server


@pytest.mark.parametrize("operation", operations(simulator))
@FUZZ
@given(data=st.data())
def test_no_request_is_an_error_of_the_simulator(
    simulated: SimulatorServer, operation: APIOperation, data: st.DataObject
) -> None:
    case = draw(data, operation)
    token = simulated.ropo.issue_token(DEFAULT_CID, DEFAULT_APICODE)
    headers = {"Authorization": f"Bearer {json_token(token.body)}"} if token.status == 201 else {}

    response = case.call(base_url=simulated.url, headers=headers, timeout=30)

    case.validate_response(response, checks=[not_a_server_error])


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


def draw(data: st.DataObject, operation: APIOperation) -> Case:
    """A request, valid or invalid."""
    case: Case = data.draw(operation.as_strategy(data.draw(st.sampled_from(GenerationMode))))
    return case


def json_token(body: bytes) -> str:
    return str(json.loads(body)["token"])


@pytest.fixture
def served(
    page_app: FastAPI,  # noqa: F811
    store_connection: str,  # noqa: F811
    postgres: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The page, by itself, at an address; the ledger is a database that has none."""
    # Asks Airflow's metadata database, which there is none of here.
    page_app.dependency_overrides[may_check] = lambda: True
    monkeypatch.setenv("AIRFLOW_CONN_ERP_LEDGER", json.dumps(postgres.airflow_connection("erp")))
    with serving(page_app) as url:
        yield url


@pytest.mark.parametrize("operation", operations(page))
@FUZZ
@given(data=st.data())
def test_no_request_is_an_error_of_the_page(served: str, operation: APIOperation, data: st.DataObject) -> None:
    headers: dict[str, Any] = dict(SAME_ORIGIN)
    case = draw(data, operation)

    response = case.call(base_url=served, headers=headers, allow_redirects=False, timeout=30)

    case.validate_response(response, checks=[not_a_server_error])
