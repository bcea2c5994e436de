"""What became of a poll is said by the exception's base class, and a parameterless GET is never sent twice."""

from __future__ import annotations

import gzip
import os
import signal
from typing import TYPE_CHECKING

import pytest
from airflow.sdk.exceptions import AirflowTaskTimeout

from include.status_store.polling import poll_rows
from include.status_store.source import PollInDoubtError
from ropo_one import hooks
from ropo_one.exceptions import (
    RopoConnectionLostError,
    RopoRedirectedError,
    RopoServerError,
    RopoTimeoutError,
    RopoTokenUnavailableError,
    RopoUnreachableError,
)
from ropo_one.hooks import RopoOneHook
from tests.plugins.ropo_one.conftest import certificate
from tests.plugins.ropo_one.scripted_server import (
    EMPTY,
    ScriptedServer,
    answer,
    page,
    then_close,
    then_drip,
    then_hang,
    then_reset,
)

if TYPE_CHECKING:
    from pathlib import Path
    from types import FrameType

    from tests.plugins.ropo_one.conftest import Connect
    from tests.plugins.ropo_one.scripted_server import Peer, Step

BODY = b'{"result": {"status": ['
CHUNKED = answer(200, Transfer_Encoding="chunked").replace(b"Content-Length: 0\r\n", b"")
CHUNKED_204 = CHUNKED.replace(b"200", b"204")
LONG = BODY + b" " * 300_000
# More than the system holds back of a connection that nobody reads from.
LONGEST = BODY + b" " * 30_000_000


def cut(body: bytes = BODY) -> bytes:
    """An answer that ends before the length that it names."""
    return answer(200, body, Content_Length=str(len(body) + 1000))


def chunk(body: bytes = BODY) -> bytes:
    return CHUNKED + f"{len(body):x}\r\n".encode() + body + b"\r\n"


def test_a_host_that_nobody_knows_leaves_the_poll_unsent(connect: Connect) -> None:
    connect(host="https://ropo.invalid")
    with pytest.raises(RopoTokenUnavailableError, match=r"Connection ropo_one_default: .*ropo\.invalid failed"):
        RopoOneHook().poll()


def test_a_port_where_nobody_listens_leaves_the_poll_unsent(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.stop()
    with pytest.raises(RopoTokenUnavailableError, match="Connection refused"):
        hook.poll()


def test_a_host_that_goes_away_during_a_drain_leaves_the_poll_unsent(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(then_close(page()))
    hook.poll()
    server.stop()
    server.wait_until_closed()

    with pytest.raises(RopoUnreachableError, match=r"Connection ropo_one_default: .* cannot be reached: .*refused"):
        hook.poll()

    assert len(server.polls) == 1


def test_an_untrusted_certificate_leaves_the_poll_unsent(connect: Connect, tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, "stranger")
    with ScriptedServer(tls) as server:
        connect(host=server.url)
        with pytest.raises(RopoTokenUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
            RopoOneHook().poll()
        assert server.requests == []


def test_a_certificate_that_changes_during_a_drain_leaves_the_poll_unsent(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, trusted = certificate(tmp_path, "ropo")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with ScriptedServer(tls) as server:
        connect(host=server.url)
        hook = RopoOneHook()
        server.polls_will_be(then_close(page()))
        hook.poll()
        server.wait_until_closed()
        server.tls, _ = certificate(tmp_path, "stranger")

        with pytest.raises(RopoUnreachableError, match="CERTIFICATE_VERIFY_FAILED"):
            hook.poll()

        assert len(server.polls) == 1


def test_a_tls_connection_that_breaks_after_the_request_is_in_doubt(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its error is of TLS as that of a certificate is, and yet the page may be gone."""
    tls, trusted = certificate(tmp_path, "ropo")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))

    def speak_plainly(peer: Peer) -> None:
        peer.send_beneath_tls(b"HTTP/1.1 502 Bad\r\n\r\n")
        peer.close()

    with ScriptedServer(tls) as server:
        connect(host=server.url)
        server.polls_will_be(speak_plainly)

        with pytest.raises(PollInDoubtError, match="SSLError"):
            RopoOneHook().poll()

        assert len(server.polls) == 1


def test_a_missing_ca_bundle_leaves_the_poll_unsent(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    connect(host="https://127.0.0.1:9")
    with pytest.raises(RopoTokenUnavailableError, match=r"invalid path: .*nothing\.pem\. .*REQUESTS_CA_BUNDLE names"):
        RopoOneHook().poll()


@pytest.mark.parametrize(
    ("step", "kind", "status", "kept"),
    [
        pytest.param(then_reset(), RopoConnectionLostError, None, b"", id="reset after the request"),
        pytest.param(then_close(), RopoConnectionLostError, None, b"", id="closed without a byte"),
        pytest.param(then_close(b"nonsense\r\n\r\n"), RopoConnectionLostError, None, b"", id="no HTTP at all"),
        pytest.param(then_hang(), RopoTimeoutError, None, b"", id="no answer in time"),
        pytest.param(then_hang(cut()[:40]), RopoTimeoutError, None, b"", id="no whole header in time"),
        pytest.param(
            then_close(page().replace(b"Content-Length", b"Content-Length: 7\r\nContent-Length")),
            RopoConnectionLostError, None, b"", id="two lengths that differ",
        ),
        pytest.param(then_close(cut()), RopoConnectionLostError, 200, BODY, id="cut body"),
        pytest.param(then_close(cut(LONG)), RopoConnectionLostError, 200, LONG, id="long cut body"),
        pytest.param(then_reset(cut(b"")), RopoConnectionLostError, 200, b"", id="reset before the body"),
        pytest.param(then_hang(cut()), RopoTimeoutError, 200, BODY, id="body not in time"),
        pytest.param(then_close(chunk()), RopoConnectionLostError, 200, BODY, id="chunks without an end"),
        pytest.param(then_close(chunk()[:-9]), RopoConnectionLostError, 200, BODY[:-7], id="cut chunk"),
        pytest.param(then_close(chunk() + b"zz\r\n"), RopoConnectionLostError, 200, BODY, id="chunk of no length"),
        pytest.param(then_hang(chunk()), RopoTimeoutError, 200, BODY, id="next chunk not in time"),
        pytest.param(
            answer(200, b"no gzip", Content_Encoding="gzip"), RopoConnectionLostError, 200, b"", id="broken gzip"
        ),
        pytest.param(
            then_close(answer(200, gzip.compress(LONG)[:-200], Content_Encoding="gzip", Content_Length="9999")),
            RopoConnectionLostError, 200, None, id="cut gzip",
        ),
        pytest.param(answer(500, "<h1>"), RopoServerError, 500, b"<h1>", id="500"),
        pytest.param(answer(503, "", Retry_After="1"), RopoServerError, 503, b"", id="503"),
        pytest.param(answer(418, "teapot"), RopoServerError, 418, b"teapot", id="418"),
        pytest.param(answer(206, BODY), RopoServerError, 206, BODY, id="206"),
        pytest.param(answer(204, BODY), RopoServerError, 204, b"", id="204 with a length"),
        pytest.param(answer(204, Content_Length="7"), RopoServerError, 204, b"", id="204 with a length alone"),
        pytest.param(answer(204, Content_Length="?"), RopoServerError, 204, b"", id="204 with a length of no number"),
        pytest.param(
            chunk().replace(b"200", b"204") + b"0\r\n\r\n", RopoConnectionLostError, 204, BODY, id="204 with chunks"
        ),
        pytest.param(answer(302, "gone", Location="/rest/token"), RopoRedirectedError, 302, b"gone", id="302"),
        pytest.param(answer(302, "gone", Location="http://["), RopoRedirectedError, 302, b"gone", id="302 to nowhere"),
        pytest.param(answer(308, "gone", Location="/other"), RopoRedirectedError, 308, b"gone", id="308"),
        pytest.param(answer(304), RopoRedirectedError, 304, b"", id="304"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_whole_is_in_doubt_and_not_asked_for_again(
    hook: RopoOneHook,
    server: ScriptedServer,
    step: Step,
    kind: type[PollInDoubtError],
    status: int | None,
    kept: bytes | None,
) -> None:
    server.polls_will_be(step)

    with pytest.raises(PollInDoubtError, match="Connection ropo_one_default: ") as doubt:
        hook.poll()

    assert doubt.type is kind
    assert doubt.value.http_status == status
    assert doubt.value.body == (doubt.value.body if kept is None else kept)
    assert (len(server.polls), len(server.tokens)) == (1, 1)


@pytest.mark.parametrize(
    "step",
    [
        EMPTY,
        answer(204),
        answer(204, Content_Length="0, 0"),
        answer(204, Content_Length="00"),
        CHUNKED_204 + b"0\r\n\r\n",
        answer(204, b"0\r\n\r\n", Transfer_Encoding="chunked").replace(b"Content-Length: 5\r\n", b""),
    ],
    ids=["no length", "length 0", "length 0 twice", "length 00", "no chunks", "no chunks, other order"],
)
def test_a_204_without_a_body_is_the_end(hook: RopoOneHook, server: ScriptedServer, step: Step) -> None:
    server.polls_will_be(step)
    answered = hook.poll()
    assert (answered.http_status, answered.body) == (204, b"")


def test_an_answer_that_drips_is_given_up_in_time_and_what_came_is_kept(
    hook: RopoOneHook, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "LONGEST_ANSWER_SECONDS", 0.3)
    server.polls_will_be(then_drip(cut()))

    with pytest.raises(RopoTimeoutError, match=r"bytes: TimeoutError: it is not whole after 0\.3 s$") as doubt:
        hook.poll()

    body = doubt.value.body
    assert (doubt.value.http_status, body.rstrip()) == (200, BODY)
    assert len(BODY) < len(body) < len(BODY) + 1000
    assert len(server.polls) == 1


def test_a_task_that_is_ended_in_mid_answer_ends_as_it_is_told_and_what_came_is_in_the_doubt(
    hook: RopoOneHook, server: ScriptedServer
) -> None:
    def time_is_over(number: int, frame: FrameType | None) -> None:
        raise AirflowTaskTimeout

    def most_of_it_is_read(peer: Peer) -> None:
        peer.send(cut(LONGEST))
        os.kill(os.getpid(), signal.SIGUSR1)
        peer.hang(b"")

    before = signal.signal(signal.SIGUSR1, time_is_over)
    try:
        server.polls_will_be(most_of_it_is_read)
        with pytest.raises(AirflowTaskTimeout) as ended:
            hook.poll()
    finally:
        signal.signal(signal.SIGUSR1, before)

    doubt = ended.value.__cause__
    assert isinstance(doubt, RopoConnectionLostError)
    assert (doubt.http_status, doubt.content_type) == (200, "application/json")
    assert len(doubt.body) > len(LONG)
    assert LONGEST.startswith(doubt.body)
    assert str(doubt).endswith(f"broke off after {len(doubt.body)} bytes: AirflowTaskTimeout")


@pytest.mark.parametrize("length", [14, 17, 40, 80])
def test_an_answer_that_ends_within_its_head_holds_no_page(
    hook: RopoOneHook, server: ScriptedServer, length: int
) -> None:
    server.polls_will_be(then_close(cut()[:length]))
    with pytest.raises(PollInDoubtError):
        poll_rows(hook)
    assert len(server.polls) == 1


def test_a_cut_gzip_keeps_the_part_that_came(hook: RopoOneHook, server: ScriptedServer) -> None:
    packed = gzip.compress(BODY, compresslevel=0)
    server.polls_will_be(then_close(answer(200, packed[:-8], Content_Encoding="gzip", Content_Length="9999")))
    with pytest.raises(RopoConnectionLostError) as doubt:
        hook.poll()
    assert doubt.value.body == BODY


def test_a_whole_gzip_is_unpacked(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(answer(200, gzip.compress(LONG), Content_Encoding="gzip"), page())
    assert hook.poll().body == LONG
    hook.poll()
    assert {poll.connection for poll in server.polls} == {0}


def test_a_connection_that_was_closed_between_polls_is_replaced(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(then_close(page()), page())

    hook.poll()
    server.wait_until_closed()
    hook.poll()

    assert [poll.connection for poll in server.polls] == [0, 1]


def test_a_connection_that_closes_on_the_next_poll_leaves_that_one_in_doubt(
    hook: RopoOneHook, server: ScriptedServer
) -> None:
    server.polls_will_be(page(), then_close(), page())

    hook.poll()
    with pytest.raises(RopoConnectionLostError):
        hook.poll()

    assert len(server.polls) == 2
