"""Those who run tasks wait for the API server to which tasks report: nobody else does after a reboot."""

from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from include.config.execution_api import ADDRESS_VARIABLE, URL_VARIABLE, execution_url, wait_for
from local_airflow import cluster
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# A shell has what it starts in the background ignore Ctrl-C, the tests too: here it is heard.
MODULE = ["env", "--default-signal=INT", sys.executable, "-m", "include.config.execution_api"]
PROGRAM = ["printenv", URL_VARIABLE]


@contextmanager
def started(*arguments: str, given: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """The module, with such variables and no others; killed in the end."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), **given}
    with subprocess.Popen(
        [*MODULE, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        yield process
        process.kill()


@contextmanager
def api_server(port: int = 0, status: int = 200) -> Iterator[int]:
    """A server that answers each question with such a status; its port."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/execution/health" else 404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def line_of(process: subprocess.Popen[str]) -> str:
    """The next line that it writes to standard error."""
    assert process.stderr is not None
    return process.stderr.readline()


def test_the_program_starts_once_the_api_server_answers_and_is_told_where() -> None:
    port = cluster.free_port()
    server = f"http://127.0.0.1:{port}"
    with started("--server", server, *PROGRAM, given={}) as process:
        assert line_of(process).startswith(f"Nobody answers at {server}/execution/ yet: waiting for the API server")
        assert process.poll() is None
        with api_server(port):
            out, error = process.communicate(timeout=60)
    assert (out, error, process.returncode) == (f"{server}/execution/\n", "", 0)


def test_the_program_is_the_process_itself_so_that_it_hears_signals() -> None:
    with (
        api_server() as port,
        started("--server", f"http://127.0.0.1:{port}", "sh", "-c", "echo $$", given={}) as process,
    ):
        assert process.communicate(timeout=60)[0] == f"{process.pid}\n"


def test_a_variable_that_is_set_says_where() -> None:
    with api_server() as port:
        url = f"http://127.0.0.1:{port}/execution"  # as Airflow takes it, too
        given = {URL_VARIABLE: url}
        with started("--server", "http://127.0.0.1:1", *PROGRAM, given=given) as process:
            assert process.communicate(timeout=60) == (f"{url}\n", "")


def test_a_proxy_whose_server_is_away_is_not_taken_for_it() -> None:
    with api_server(status=502) as port:
        assert not wait_for(f"http://127.0.0.1:{port}/execution/", seconds=0)


@pytest.mark.parametrize("path", ["elsewhere/", "execution/"])
def test_who_answers_anything_else_is_there(path: str) -> None:
    """Whether tasks get on with it is not known before one has tried."""
    with api_server(status=401) as port:
        assert wait_for(f"http://127.0.0.1:{port}/{path}", seconds=0)


@pytest.mark.parametrize("url", ["mine", "ftp://somewhere/execution/"])
def test_no_time_is_lost_on_what_no_time_mends(url: str) -> None:
    assert wait_for(url)


def test_a_wait_ends(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{cluster.free_port()}/execution/"
    assert not wait_for(url, seconds=1)
    assert capsys.readouterr().err.count(url) == 1


def test_ctrl_c_ends_the_wait_without_a_traceback() -> None:
    with started("--server", f"http://127.0.0.1:{cluster.free_port()}", *PROGRAM, given={}) as process:
        line_of(process)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 130


@pytest.mark.parametrize("arguments", [[], ["--server", "http://127.0.0.1:1"], PROGRAM])
def test_what_is_missing_is_said(arguments: list[str]) -> None:
    with started(*arguments, given={}) as process:
        error = process.communicate(timeout=60)[1]
    assert f"expected a program, and --server or the variable {URL_VARIABLE}" in error
    assert process.returncode == 2


@pytest.mark.parametrize(
    ("address", "path"),
    [("", ""), ("https://example.com", ""), ("https://example.com/air/flow/", "/air/flow"), ("/air/flow", "/air/flow")],
)
def test_tasks_report_under_the_path_of_the_address_for_people(address: str, path: str) -> None:
    assert execution_url("http://here:80", {ADDRESS_VARIABLE: address}) == f"http://here:80{path}/execution/"
    assert execution_url("http://here:80", {**os.environ, ADDRESS_VARIABLE: ""}) == "http://here:80/execution/"
