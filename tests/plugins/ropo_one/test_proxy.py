"""What fails on the way through a proxy is told with the proxy, and never with its user or password."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ropo_one.exceptions import RopoTokenUnavailableError, RopoUnreachableError
from ropo_one.hooks import RopoOneHook
from ropo_one.http_session import Bearer, RopoSession
from tests.plugins.ropo_one.scripted_server import ScriptedServer, answer

if TYPE_CHECKING:
    from tests.plugins.ropo_one.conftest import Connect

USER, PASSWORD = "svc-ropo", "Winter2026"


@pytest.fixture(autouse=True)
def _connection(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    connect(host="https://ropo.invalid")


@pytest.fixture
def gone() -> str:
    """Where no proxy listens (any more)."""
    with ScriptedServer() as server:
        return server.address


def failure_of_a_poll() -> str:
    with pytest.raises(RopoTokenUnavailableError) as failed:
        RopoOneHook().poll()
    told = str(failed.value)
    assert USER not in told
    assert PASSWORD not in told
    return told


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("before", [f"http://{USER}:{PASSWORD}@", f"http://{USER}:{PASSWORD}@x@", "http://", ""])
def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, gone: str, name: str, before: str) -> None:
    monkeypatch.setenv(name, f"{before}{gone}/")
    told = failure_of_a_poll()
    assert f"the token request to ropo.invalid through the proxy {gone} ({name}) failed: NewConnectionError: " in told


def test_a_proxy_that_lets_nobody_in_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer() as proxy:
        proxy.script = [answer(407)] * 3
        monkeypatch.setenv("https_proxy", f"http://{USER}:{PASSWORD}@{proxy.address}")
        told = failure_of_a_poll()
        assert f"through the proxy {proxy.address} (HTTPS_PROXY) failed: OSError: Tunnel connection failed: 407" in told


def test_a_poll_that_a_proxy_keeps_from_ropo_one_names_it(monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    monkeypatch.setattr(RopoOneHook, "fetch_token", lambda _: None)
    monkeypatch.setenv("HTTPS_PROXY", f"http://{gone}")
    expected = rf"ropo\.invalid cannot be reached through the proxy {gone} \(HTTPS_PROXY\): NewConnectionError"
    with pytest.raises(RopoUnreachableError, match=expected):
        RopoOneHook().poll()


@pytest.mark.parametrize(
    "login",
    [
        f"http://{USER}:12/{PASSWORD}",
        f"http://{USER}:{PASSWORD}#1",
        f"http://{USER}:{PASSWORD}?1",
        f"{USER}:{PASSWORD}",
    ],
)
def test_one_whose_login_is_taken_for_its_address_is_named_by_its_variable_alone(
    monkeypatch: pytest.MonkeyPatch, login: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"{login}@127.0.0.1:9")
    told = failure_of_a_poll()
    assert "the token request to ropo.invalid through a proxy (HTTPS_PROXY) failed: " in told
    assert "is malformed" in told


def test_a_host_that_goes_through_no_proxy_is_told_without_one(monkeypatch: pytest.MonkeyPatch, gone: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://{gone}")
    monkeypatch.setenv("NO_PROXY", "ropo.invalid")
    assert "the token request to ropo.invalid failed: " in failure_of_a_poll()


@pytest.mark.parametrize(
    ("address", "place"), [("http://u:p@[::1]:3128", "[::1]:3128"), ("HTTP://u:p@Proxy.corp:3128", "Proxy.corp:3128")]
)
def test_the_variable_of_the_scheme_goes_before_that_of_all(
    monkeypatch: pytest.MonkeyPatch, address: str, place: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://another:1")
    monkeypatch.setenv("HTTPS_PROXY", address)
    assert RopoSession(Bearer()).proxy("https://ropo.invalid") == ("HTTPS_PROXY", place)
