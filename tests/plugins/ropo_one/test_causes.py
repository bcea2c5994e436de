"""A request counts as never sent only where that is certain."""

from __future__ import annotations

import socket
import ssl
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import requests

from ropo_one.causes import cause, never_connected, timed_out
from tests.plugins.ropo_one.scripted_server import then_close, then_hang, then_reset

if TYPE_CHECKING:
    from tests.plugins.ropo_one.scripted_server import ScriptedServer, Step


def failure(url: str, **options: Any) -> requests.RequestException:
    with pytest.raises(requests.RequestException) as failed:
        requests.get(url, timeout=0.5, **options)
    return failed.value


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


def test_a_host_without_an_address_was_never_connected() -> None:
    error = failure("http://ropo.invalid/")
    assert never_connected(error)
    assert "ropo.invalid" in cause(error)


def test_a_refused_port_was_never_connected() -> None:
    error = failure(f"http://127.0.0.1:{closed_port()}/")
    assert never_connected(error)
    assert cause(error).startswith("NewConnectionError: ")
    assert "Connection refused" in cause(error)
    assert "0x" not in cause(error)


def test_a_host_that_does_not_answer_the_call_was_never_connected() -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        error = failure(f"http://127.0.0.1:{full.getsockname()[1]}/")
    assert never_connected(error)
    assert not timed_out(error)


@pytest.mark.parametrize("password", ["Winter2026#x", "Winter2026/x", "Winter2026?x"])
def test_an_address_of_a_proxy_that_is_malformed_is_not_repeated(password: str) -> None:
    proxies = {"http": f"http://svc:{password}@proxy.corp:3128"}
    error = failure("http://ropo.invalid/", proxies=proxies)
    assert "Winter" not in cause(error)
    assert "svc" not in cause(error)
    assert "HTTPS_PROXY" in cause(error)


def test_behind_a_proxy_that_is_not_there_nothing_was_connected() -> None:
    proxies = {"http": f"http://127.0.0.1:{closed_port()}"}
    assert never_connected(failure("http://ropo.invalid/", proxies=proxies))


@pytest.mark.parametrize("step", [then_close(), then_reset()])
def test_a_proxy_that_breaks_off_may_have_passed_the_request_on(server: ScriptedServer, step: Step) -> None:
    server.polls_will_be(step)
    error = failure("http://ropo.invalid/", proxies={"http": server.url})
    assert not never_connected(error)
    assert len(server.requests) == 1


@pytest.mark.parametrize("step", [then_close(), then_reset(), then_close(b"HTTP/1.1")])
def test_a_connection_that_breaks_off_was_there(server: ScriptedServer, step: Step) -> None:
    server.polls_will_be(step)
    error = failure(f"{server.url}/?secret")
    assert not never_connected(error)
    assert not timed_out(error)
    assert "secret" not in cause(error)


@pytest.mark.parametrize(
    ("of_tls", "before"),
    [
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), True),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), False),
        (ssl.SSLError(1, "decryption failed or bad record mac"), False),
    ],
)
def test_of_what_tls_stumbles_over_a_certificate_alone_comes_before_the_request(
    of_tls: ssl.SSLError, *, before: bool
) -> None:
    assert never_connected(requests.exceptions.SSLError(of_tls)) is before


def test_an_answer_that_does_not_come_in_time_timed_out(server: ScriptedServer) -> None:
    server.polls_will_be(then_hang())
    error = failure(server.url)
    assert timed_out(error)
    assert not never_connected(error)
