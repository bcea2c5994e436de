from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests

from include.simulator.__main__ import main
from include.simulator.faults import Fault
from include.simulator.ropo import Ropo
from include.simulator.rows import make_row
from include.simulator.server import SimulatorServer
from tests.include.simulator.conftest import Client


def test_a_server_takes_a_free_port_and_stops_listening_at_the_end() -> None:
    with SimulatorServer() as one, SimulatorServer() as other:
        assert one.port != other.port
        assert requests.get(f"{one.url}/simulator/health", timeout=10).ok
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{one.url}/simulator/health", timeout=10)


def test_the_state_outlives_a_restart_at_the_same_port() -> None:
    ropo = Ropo()
    ropo.add_rows([make_row(1)])
    with SimulatorServer(ropo) as server:
        client = Client(server.url)
        client.token()
    with SimulatorServer(ropo, port=server.port):
        assert client.drain() == [make_row(1)]


def test_a_server_stops_though_an_answer_is_under_way() -> None:
    with SimulatorServer() as server:
        client = Client(server.url)
        client.token()
        server.ropo.faults.add(Fault("slow", delay=600))
        with pytest.raises(requests.ReadTimeout):
            client.http.get(f"{server.url}/rest/jobs/statusupdates", timeout=0.2)


def test_a_port_that_is_taken_is_an_error_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        SimulatorServer(port=taken.getsockname()[1])


def test_a_connection_is_kept_alive_between_polls(simulator: SimulatorServer) -> None:
    with closing(HTTPConnection(simulator.host, simulator.port, timeout=10)) as connection:
        connection.connect()
        opened = connection.sock
        for _ in range(2):
            connection.request("GET", "/simulator/health")
            assert connection.getresponse().read()
            assert connection.sock is opened


def test_a_cut_body_promises_more_bytes_than_come(client: Client, simulator: SimulatorServer) -> None:
    simulator.ropo.add_rows([make_row(1)])
    simulator.ropo.faults.add(Fault("cut_body"))
    with socket.create_connection((simulator.host, simulator.port), timeout=10) as connection:
        request = (
            f"GET /rest/jobs/statusupdates HTTP/1.1\r\nHost: simulator\r\nAuthorization: {client.authorization}\r\n\r\n"
        )
        connection.sendall(request.encode())
        received = b""
        while part := connection.recv(65_536):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    promised = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
    assert 0 < len(body) < promised


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--port", "99999"), "argument --port: expected a port from 0 to 65535, got 99999"),
        (("--days", "0"), "argument --days: expected a day at least, got 0"),
        (("--scale", "-1"), "argument --scale: expected a number above 0, got -1"),
        (("--scale", "nan"), "argument --scale: expected a number above 0, got nan"),
        (("--timezone", "Foo/Bar"), "argument --timezone: expected a zone such as Europe/Helsinki, got 'Foo/Bar'"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--seed", "7", *arguments])
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_port_that_is_taken_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with SimulatorServer() as server:
        assert main(["--port", str(server.port)]) == 1
    assert f"cannot listen at 127.0.0.1, port {server.port}: Address already in use" in capsys.readouterr().err


def test_as_a_process_it_prints_its_url_serves_its_data_set_and_ends_on_a_signal() -> None:
    command = [sys.executable, "-m", "include.simulator", "--seed", "7", "--days", "3", "--scale", "0.05"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "SIMULATOR_APICODE": "from the environment"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            client = Client(process.stdout.readline().strip())
            assert client.token(apicode="from the environment").status_code == 201
            assert client.drain()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) in (0, -signal.SIGTERM)
