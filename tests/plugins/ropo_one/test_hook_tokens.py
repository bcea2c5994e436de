"""The token of a poll: when it is asked for, renewed, and refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from include.status_store.source import PollUnsentError
from ropo_one import hooks
from ropo_one.exceptions import (
    RopoRateLimitedError,
    RopoTokenRefusedError,
    RopoTokenUnavailableError,
    RopoUnauthorizedError,
)
from ropo_one.hooks import RopoOneHook
from tests.plugins.ropo_one.conftest import APICODE, CID
from tests.plugins.ropo_one.scripted_server import ScriptedServer, answer, page, then_close, then_hang
from tests.plugins.ropo_one.test_hooks import UNAUTHORIZED

if TYPE_CHECKING:
    from tests.plugins.ropo_one.conftest import Connect
    from tests.plugins.ropo_one.scripted_server import Step


def test_the_token_is_asked_for_with_customer_number_and_api_code(hook: RopoOneHook, server: ScriptedServer) -> None:
    hook.poll()

    (token,) = server.tokens
    assert (token.method, token.path) == ("POST", "/rest/token")
    assert json.loads(token.body) == {"cid": CID, "apicode": APICODE}
    assert token.headers["content-type"] == "application/json"
    assert "authorization" not in token.headers


def test_a_new_token_is_asked_for_without_the_one_before(hook: RopoOneHook, server: ScriptedServer) -> None:
    for _ in range(2):
        hook.fetch_token()

    assert ["authorization" in token.headers for token in server.tokens] == [False, False]


def test_a_token_is_renewed_once_after_a_401_in_the_middle_of_a_drain(
    hook: RopoOneHook, server: ScriptedServer
) -> None:
    server.polls_will_be(page(), UNAUTHORIZED, page(), page(), UNAUTHORIZED, page())

    hook.poll()
    with pytest.raises(RopoUnauthorizedError) as first:
        hook.poll()
    hook.poll()
    hook.poll()
    with pytest.raises(RopoUnauthorizedError) as later:
        hook.poll()
    hook.poll()

    assert (first.value.go_on_after, later.value.go_on_after) == (0.0, 0.0)
    used = [poll.headers["authorization"] for poll in server.polls]
    assert used == [f"Bearer t0ken-{number}" for number in (1, 1, 2, 2, 2, 3)]


def test_a_second_401_in_a_row_is_refused_for_good(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(UNAUTHORIZED, UNAUTHORIZED)

    with pytest.raises(RopoUnauthorizedError) as first:
        hook.poll()
    with pytest.raises(RopoUnauthorizedError) as second:
        hook.poll()

    assert (first.value.go_on_after, second.value.go_on_after) == (0.0, None)
    assert (len(server.polls), len(server.tokens)) == (2, 2)


def test_a_token_is_renewed_before_its_life_ends(
    hook: RopoOneHook, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert hooks.TOKEN_LIFE < 2 * 60 * 60
    monkeypatch.setattr(hooks, "TOKEN_LIFE", 0.0)

    hook.poll()
    hook.poll()

    assert [poll.headers["authorization"] for poll in server.polls] == ["Bearer t0ken-1", "Bearer t0ken-2"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_token_names_the_connection_and_what_ropo_says(
    hook: RopoOneHook, server: ScriptedServer, status: int
) -> None:
    server.tokens_will_be(answer(status, {"errorId": 17, "errorText": f"No such {APICODE}"}))

    with pytest.raises(RopoTokenRefusedError) as refused:
        hook.poll()

    text = str(refused.value)
    assert "Connection ropo_one_default" in text
    assert f"customer {CID} (17 No such ***)" in text
    assert "Check customer number and API code" in text
    assert (len(server.tokens), server.polls) == (1, [])


@pytest.mark.parametrize(
    "step",
    [
        answer(500),
        answer(302, Location="/elsewhere"),
        answer(302, {"token": "t0ken"}, Location="/elsewhere"),
        answer(201, "no JSON"),
        answer(201, "[" * 50_000),
        answer(201, {"token": None}),
        answer(201, {"token": "with a\r\nline break"}),
        answer(201, {"token": "ö"}),
        answer(201, "[]"),
        then_close(answer(201, '{"token": "t0ken"', Content_Length="500")),
        then_close(),
        then_close(answer(201, Content_Length="500")),
        then_hang(),
    ],
)
def test_a_token_that_does_not_come_leaves_the_poll_unsent(
    hook: RopoOneHook, server: ScriptedServer, step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "UNSENT_ATTEMPTS", 1)
    server.tokens_will_be(step)

    with pytest.raises(RopoTokenUnavailableError, match="Connection ropo_one_default: ") as unavailable:
        hook.poll()

    assert isinstance(unavailable.value, PollUnsentError)
    assert "line break" not in str(unavailable.value)
    assert (len(server.tokens), server.polls) == (1, [])


def test_a_token_answer_of_another_kind_names_its_content_type(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.tokens_will_be(answer(200, b"<html>Log in</html>", Content_Type="text/html; charset=utf-8"))

    with pytest.raises(RopoTokenUnavailableError, match=r"expected a token from \S+, got HTTP 200, text/html$"):
        hook.fetch_token()


def test_a_host_with_a_path_where_nothing_is_says_what_to_write(server: ScriptedServer, connect: Connect) -> None:
    connect(host=f"{server.url}/ropo")
    server.polls_will_be(answer(404))  # to the server all but the one path is a poll
    with pytest.raises(RopoTokenUnavailableError, match=r"got HTTP 404, .*write scheme, host and port only$"):
        RopoOneHook().fetch_token()


def test_a_token_is_asked_for_a_few_times_and_not_for_ever(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.tokens_will_be(*[answer(503)] * 10)
    with pytest.raises(RopoTokenUnavailableError):
        hook.poll()
    assert (len(server.tokens), server.polls) == (hooks.UNSENT_ATTEMPTS, [])


def test_a_token_request_that_fails_once_is_tried_again(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.tokens_will_be(answer(503), answer(201, {"token": "t0ken"}))
    assert hook.poll().http_status == 204
    assert len(server.polls) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_token_request_waits_as_long_as_ropo_says(hook: RopoOneHook, server: ScriptedServer, status: int) -> None:
    server.tokens_will_be(answer(status, Retry_After="17"))

    with pytest.raises(RopoRateLimitedError, match=f"refused the token request with HTTP {status}") as limited:
        hook.poll()

    assert limited.value.go_on_after == 17
    assert (len(server.tokens), server.polls) == (1, [])
