"""The server's certificate is always verified, and what is secret stays out of what is said."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from airflow.sdk.log import mask_logs

from ropo_one.exceptions import RopoTokenRefusedError, RopoTokenUnavailableError
from ropo_one.hooks import RopoOneHook
from ropo_one.http_session import Bearer, RopoSession
from tests.plugins.ropo_one.conftest import APICODE, certificate
from tests.plugins.ropo_one.scripted_server import ScriptedServer, answer

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator
    from pathlib import Path

    from tests.plugins.ropo_one.conftest import Connect

CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str, str]:
    """A server's context with a self-signed certificate, the file to trust it by, and that of somebody else."""
    directory = tmp_path_factory.mktemp("tls")
    tls, trusted = certificate(directory, "ropo")
    _, stranger = certificate(directory, "stranger")
    return tls, str(trusted), str(stranger)


@pytest.fixture
def tls_server(certificates: tuple[ssl.SSLContext, str, str]) -> Iterator[ScriptedServer]:
    with ScriptedServer(certificates[0]) as server:
        yield server


@pytest.fixture
def trusted(certificates: tuple[ssl.SSLContext, str, str]) -> str:
    return certificates[1]


@pytest.fixture
def stranger(certificates: tuple[ssl.SSLContext, str, str]) -> str:
    return certificates[2]


def test_a_self_signed_certificate_is_refused_before_the_api_code_is_sent(
    tls_server: ScriptedServer, connect: Connect
) -> None:
    connect(host=tls_server.url)
    with pytest.raises(
        RopoTokenUnavailableError, match=r"Connection ropo_one_default: .* self.signed certificate.* extra ca_file"
    ) as refused:
        RopoOneHook().poll()
    assert APICODE not in str(refused.value)
    assert tls_server.requests == []
    assert RopoOneHook().test_connection()[0] is False


def failure_of_a_poll() -> str:
    with pytest.raises(RopoTokenUnavailableError) as failed:
        RopoOneHook().poll()
    return str(failed.value)


def test_a_certificate_of_another_name_is_a_matter_of_the_host_and_not_of_trust(
    tls_server: ScriptedServer, connect: Connect, trusted: str
) -> None:
    connect(host=f"https://localhost:{tls_server.port}", extra={"ca_file": trusted})
    told = failure_of_a_poll()
    assert "certificate is not valid for 'localhost'" in told
    assert told.endswith(". The host's certificate has other names: check the connection's host")


def test_a_certificate_that_is_over_is_a_matter_of_whoever_runs_the_host(connect: Connect, tmp_path: Path) -> None:
    tls, trusted = certificate(tmp_path, "ropo", is_over=True)
    with ScriptedServer(tls) as server:
        connect(host=server.url, extra={"ca_file": str(trusted)})
        told = failure_of_a_poll()
    assert "certificate has expired" in told
    assert told.endswith(". If this machine's clock is right, whoever runs the host must renew it")


def test_certificates_of_ones_own_that_lack_the_hosts_ca_are_named(
    tls_server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, stranger: str
) -> None:
    connect(host=tls_server.url, extra={"ca_file": stranger})
    assert failure_of_a_poll().endswith("; trusted is what the connection's extra ca_file names")
    connect(host=tls_server.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "")
    monkeypatch.setenv("CURL_CA_BUNDLE", stranger)
    assert failure_of_a_poll().endswith("extra ca_file; trusted is what CURL_CA_BUNDLE names")


NO_CERTIFICATES = ("", "no PEM", "-----BEGIN CERTIFICATE-----\nxxxx\n-----END CERTIFICATE-----\n")


@pytest.mark.parametrize("content", NO_CERTIFICATES)
def test_a_ca_file_without_a_certificate_is_told_by_its_name(
    tls_server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(content, encoding="ascii")
    told = ". The file of certificates to trust, which {} names, is not there or holds none in PEM"
    connect(host=tls_server.url, extra={"ca_file": str(file)})
    assert failure_of_a_poll().endswith(told.format("the connection's extra ca_file"))
    connect(host=tls_server.url)
    for name in reversed(CA_VARIABLES):
        monkeypatch.setenv(name, str(file))
        assert failure_of_a_poll().endswith(told.format(name))


def test_a_server_that_speaks_no_tls_is_told_with_how_plain_http_is_written(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:

        def refuse() -> None:
            peer, _ = plain.accept()
            with peer:
                peer.recv(65_536)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        server = threading.Thread(target=refuse)
        server.start()
        connect(host=f"127.0.0.1:{plain.getsockname()[1]}")
        with pytest.raises(
            RopoTokenUnavailableError, match=r"does not speak TLS on this port: check .* as in http://127\.0\.0\.1:8000"
        ):
            RopoOneHook().fetch_token()
        server.join()


def test_a_ca_of_ones_own_can_be_given_and_the_environment_does_not_overrule_it(
    tls_server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, trusted: str, stranger: str
) -> None:
    for name in CA_VARIABLES:
        monkeypatch.setenv(name, stranger)
    connect(host=tls_server.url, extra={"ca_file": trusted})
    assert RopoOneHook().poll().http_status == 204

    connect(host=tls_server.url, extra={"ca_file": stranger})
    with pytest.raises(RopoTokenUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        RopoOneHook().poll()


@pytest.mark.parametrize("name", CA_VARIABLES)
def test_the_environment_may_say_whom_to_trust_but_not_to_trust_everyone(
    tls_server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, trusted: str, name: str
) -> None:
    connect(host=tls_server.url)
    monkeypatch.setenv(name, trusted)
    assert RopoOneHook().poll().http_status == 204
    for nothing in ("", "false", "0"):
        monkeypatch.setenv(name, nothing)
        with pytest.raises(RopoTokenUnavailableError):
            RopoOneHook().poll()


def test_code_that_switches_verification_off_is_stopped(tls_server: ScriptedServer) -> None:
    session = RopoSession(Bearer())
    stopped = pytest.raises(ValueError, match="verify: the server's certificate is always verified")
    nothings: tuple[Any, ...] = (False, 0, "")
    for nothing in nothings:
        with stopped:
            session.get(tls_server.url, verify=nothing)
    session.verify = False
    with stopped:
        session.get(tls_server.url)
    with stopped:
        session.send(requests.Request("GET", tls_server.url).prepare())
    assert tls_server.requests == []


def test_airflow_masks_the_api_code_and_the_token_in_whatever_a_task_logs(
    server: ScriptedServer, connect: Connect
) -> None:
    connect(host=server.url)
    RopoOneHook().poll()
    (poll,) = server.polls
    token = poll.headers["authorization"].removeprefix("Bearer ")

    line = {"event": f"{APICODE} and {token}", "headers": poll.headers, "error": f"{token} of {APICODE}"}
    # What every line of a task passes on its way to the log.
    masked = repr(mask_logs(None, "info", line))

    assert masked.count("***") >= 3
    assert APICODE not in masked
    assert token not in masked


def test_a_server_that_repeats_the_api_code_does_not_get_it_into_the_error(
    server: ScriptedServer, connect: Connect
) -> None:
    connect(host=server.url)
    server.tokens_will_be(answer(400, {"errorId": 7, "errorText": f"{APICODE} is not known"}))
    with pytest.raises(RopoTokenRefusedError, match=r"\*\*\* is not known") as refused:
        RopoOneHook().poll()
    assert APICODE not in str(refused.value)
