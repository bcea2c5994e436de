"""The hook speaks to Ropo One as documented: token, session, filters, timeouts."""

from __future__ import annotations

import datetime
import json
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from ropo_one.exceptions import (
    RopoConnectionLostError,
    RopoRateLimitedError,
    RopoRequestRefusedError,
    RopoTimeoutError,
    RopoTokenUnavailableError,
)
from ropo_one.hooks import RopoOneHook
from tests.include.status_store.views import drain, query
from tests.plugins.ropo_one.conftest import APICODE, certificate
from tests.plugins.ropo_one.scripted_server import EMPTY, ScriptedServer, answer, page, then_close, then_hang

if TYPE_CHECKING:
    from pathlib import Path

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from tests.plugins.ropo_one.conftest import Connect

UNAUTHORIZED = answer(401, {"title": "Unauthorized"})


def test_a_poll_is_a_get_without_parameters_that_carries_the_token(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(page({"statusid": "P1"}))

    got = hook.poll()

    (poll,) = server.polls
    assert (poll.method, poll.path, poll.query, poll.body) == ("GET", "/rest/jobs/statusupdates", {}, b"")
    assert poll.headers["authorization"] == "Bearer t0ken-1"
    assert poll.headers["accept"] == "application/json"
    assert (got.http_status, json.loads(got.body), got.content_type) == (
        200,
        {"result": {"status": [{"statusid": "P1"}]}},
        "application/json",
    )


def test_204_is_an_empty_answer(hook: RopoOneHook) -> None:
    got = hook.poll()
    assert (got.http_status, got.body) == (204, b"")


@pytest.mark.parametrize(
    ("filters", "query"),
    [
        ({"date": "2026-10-25"}, {"date": "2026-10-25"}),
        ({"date": datetime.date(2026, 3, 29)}, {"date": "2026-03-29"}),
        ({"billnum": "21979215"}, {"billnum": "21979215"}),
        ({"billnum": " A&b=1/ö "}, {"billnum": "A&b=1/ö"}),
    ],
)
def test_a_filter_goes_into_the_query(
    hook: RopoOneHook, server: ScriptedServer, filters: dict[str, Any], query: dict[str, str]
) -> None:
    hook.poll(**filters)
    assert [poll.query for poll in server.polls] == [query]


@pytest.mark.parametrize(
    "filters",
    [
        {"date": "2026-10-25", "billnum": "1"},
        {"date": "", "billnum": ""},
        {"billnum": ""},
        {"billnum": " \t"},
        {"date": ""},
        {"date": "2026-10-5"},
        {"date": "20261005"},
        {"date": "2026-W41-1"},
        {"date": "2026-02-30"},
        {"date": "2026-10-25T00:00:00"},
        {"date": " 2026-10-25"},
        {"date": "2026-10-25\n"},
        {"date": "２０２６-10-25"},
        {"date": datetime.datetime(2026, 10, 25, tzinfo=datetime.UTC)},
    ],
)
def test_a_bad_filter_is_refused_before_any_request(
    hook: RopoOneHook, server: ScriptedServer, filters: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        hook.poll(**filters)
    assert server.requests == []


def test_many_polls_use_one_connection_and_one_token(hook: RopoOneHook, server: ScriptedServer) -> None:
    chunked = answer(200, Transfer_Encoding="chunked").replace(b"Content-Length: 0\r\n", b"") + b"2\r\n{}\r\n0\r\n\r\n"
    limited = answer(429, {"title": "slow down"}, Retry_After="1")
    server.polls_will_be(page(), chunked, page({"statusid": "x" * 500_000}), EMPTY, limited, page())

    hook.poll()
    assert hook.poll().body == b"{}"
    hook.poll()
    hook.poll(date="2026-10-25")
    with pytest.raises(RopoRateLimitedError):
        hook.poll()
    hook.poll()

    assert (len(server.polls), len(server.tokens)) == (6, 1)
    assert {request.connection for request in server.requests} == {0}


def test_no_basic_auth_no_header_of_the_extras_and_no_netrc(
    server: ScriptedServer, connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    connect(host=server.url, extra={"read_timeout": 5, "verify": True})

    RopoOneHook().poll()

    (token,), (poll,) = server.tokens, server.polls
    assert "authorization" not in token.headers
    assert poll.headers["authorization"] == "Bearer t0ken-1"
    assert {"read_timeout", "verify"}.isdisjoint(poll.headers)


def test_options_that_would_change_the_transport_are_refused(hook: RopoOneHook) -> None:
    with pytest.raises(ValueError, match="extra_options: expected none, got allow_redirects"):
        hook.get_conn(extra_options={"allow_redirects": True})


@pytest.mark.parametrize("name", ["run", "run_and_check", "run_with_advanced_retry"])
def test_what_the_http_hook_sends_of_its_own_is_refused_since_no_journal_would_know_of_it(
    hook: RopoOneHook, server: ScriptedServer, name: str
) -> None:
    hook.fetch_token()
    with pytest.raises(NotImplementedError, match=r"nothing was sent.* RopoStatusDrainOperator"):
        getattr(hook, name)("rest/jobs/statusupdates")
    assert server.polls == []


def test_timeouts_are_10_and_240_seconds_unless_the_connection_says_otherwise(
    server: ScriptedServer, connect: Connect
) -> None:
    connect(host=server.url)
    settings = RopoOneHook().settings
    assert (settings.connect_timeout, settings.read_timeout) == (10.0, 240.0)

    connect(host=server.url, extra={"connect_timeout": "2.5", "read_timeout": 0.2})
    hook = RopoOneHook()
    assert (hook.settings.connect_timeout, hook.settings.read_timeout) == (2.5, 0.2)
    server.polls_will_be(then_hang())
    with pytest.raises(RopoTimeoutError, match=r"did not answer within 0\.2 s"):
        hook.poll()


def test_it_speaks_https_unless_the_host_says_otherwise(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, trusted = certificate(tmp_path, "ropo")
    with ScriptedServer(tls) as server:
        connect(host=server.address)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
        assert RopoOneHook().poll().http_status == 204
        assert len(server.polls) == 1


def test_plain_http_never_leaves_this_machine_through_a_proxy(
    hook: RopoOneHook, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert hook.poll().http_status == 204
    assert (proxy.tokens, proxy.polls) == ([], [])
    assert (len(server.tokens), len(server.polls)) == (1, 1)


def test_no_secret_reaches_a_log_an_error_or_a_url(
    hook: RopoOneHook, server: ScriptedServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    first, second = ({"title": f"{APICODE} t0ken-{number}"} for number in (1, 2))
    server.polls_will_be(page(), answer(401, first), answer(403, second), answer(500, second), then_close())

    told = []
    for _ in range(5):
        try:
            hook.poll()
        except Exception as error:  # noqa: BLE001 - whatever it is, its text is looked at
            told.append(f"{error} {error!r} {error.__context__!r}")
    with pytest.raises(ValueError, match="expected"):
        hook.poll(date="x")
    told.extend((repr(hook.settings), repr(hook), caplog.text, *(str(poll.query) for poll in server.polls)))

    assert len(told) == 4 + 3 + 5
    assert not [text for text in told if APICODE in text or "t0ken" in text]


@pytest.mark.parametrize("special", ['"', "\\", "\\\\", "'", "\"'", "ä", "/", "+", "&", "\\u00e4", "\\x41", ""])
def test_an_api_code_that_is_echoed_in_other_letters_is_not_told(
    connect: Connect, server: ScriptedServer, special: str
) -> None:
    apicode = f"s3cr{special}et-of"
    connect(host=server.url, password=apicode)
    as_json = json.dumps({"apicode": apicode})
    as_numbers = "".join(f"\\u{ord(letter):04X}" for letter in apicode)
    texts = [apicode, as_json, json.dumps(as_json), as_json.replace("/", "\\/"), as_numbers]
    texts += [json.dumps([apicode], ensure_ascii=False), repr([apicode]), ascii([apicode])]
    for said in (*texts, [{"input": apicode}], {"input": apicode}, {apicode: 7}):
        server.tokens_will_be(answer(400, {"errorId": 17, "errorText": said}))

        works, told = RopoOneHook().test_connection()

        assert not works
        assert "(17" in told
        assert not [part for part in ("s3cr", "et-of", "\\u00") if part in told], told


@pytest.mark.parametrize(
    ("head", "told"),
    [
        pytest.param(b"", "it is not HTTP", id="no HTTP at all"),
        pytest.param(
            b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n",
            r"IncompleteRead\(0 bytes read\)$",
            id="chunked without chunks",
        ),
    ],
)
def test_what_is_not_http_is_not_repeated(
    hook: RopoOneHook, server: ScriptedServer, caplog: pytest.LogCaptureFixture, head: bytes, told: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.tokens_will_be(then_close(head + b'{"token": "s3cret"}\r\n'))
    with pytest.raises(RopoTokenUnavailableError, match=told) as failed:
        hook.fetch_token()
    server.polls_will_be(then_close(head + b'{"statustext": "s3cret"}\r\n'))
    with pytest.raises(RopoConnectionLostError) as lost:
        hook.poll()

    assert "s3cret" not in f"{failed.value} {lost.value} {caplog.text}"


@pytest.mark.parametrize("status", [400, 429])
@pytest.mark.parametrize("letter", ["\0", "\n", "\ud800"])
def test_a_refusal_of_any_characters_is_one_that_can_be_written_down(
    hook: RopoOneHook, server: ScriptedServer, session: Session, store: Connection, profile: Profile,
    status: int, letter: str,
) -> None:  # fmt: skip
    server.polls_will_be(answer(status, {"detail": f"no{letter}way"}, Retry_After="999"))

    with suppress(RopoRequestRefusedError):
        drain(session, profile, hook)

    assert query(store, "SELECT outcome, error LIKE '% (no?way)' FROM ropo.status_poll") == [("refused", True)]
