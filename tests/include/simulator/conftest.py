"""A simulator on loopback, and a client that has its token."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Behaviour, Ropo
from include.simulator.server import SimulatorServer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from include.simulator.rows import Row


class Client:
    """What a plain integration does: fetch a token, poll."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.http = requests.Session()

    @property
    def authorization(self) -> str:
        """The header with its token."""
        return str(self.http.headers["Authorization"])

    def token(self, cid: str = DEFAULT_CID, apicode: str = DEFAULT_APICODE) -> requests.Response:
        answer = self.http.post(f"{self.url}/rest/token", json={"cid": cid, "apicode": apicode}, timeout=10)
        if answer.status_code == 201:
            self.http.headers["Authorization"] = f"Bearer {answer.json()['token']}"
        return answer

    def poll(self, **query: str) -> requests.Response:
        return self.http.get(f"{self.url}/rest/jobs/statusupdates", params=query, timeout=10, allow_redirects=False)

    def drain(self) -> list[Row]:
        rows = []
        while (answer := self.poll()).status_code == 200:
            rows.extend(answer.json()["result"]["status"])
        assert answer.status_code == 204
        return rows


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorServer]:
    with SimulatorServer() as server:
        yield server


@pytest.fixture
def ropo(simulator: SimulatorServer) -> Ropo:
    """The running server's state, as new."""
    simulator.ropo.reset()
    simulator.ropo.behaviour = Behaviour()
    simulator.ropo.set_now(None)
    return simulator.ropo


@pytest.fixture
def client(simulator: SimulatorServer, ropo: Ropo) -> Iterator[Client]:
    client = Client(simulator.url)
    with client.http:
        assert client.token().status_code == 201
        yield client
