"""Of an answer that hands nothing over little is read, however much there is of it and however slowly it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ropo_one import refusals
from ropo_one.exceptions import RopoRateLimitedError, RopoRequestRefusedError, RopoTokenRefusedError
from tests.plugins.ropo_one.scripted_server import answer, then_drip

if TYPE_CHECKING:
    from ropo_one.hooks import RopoOneHook
    from tests.plugins.ropo_one.scripted_server import ScriptedServer

WITHOUT_END = {"Content_Length": "1000000000"}
TOO_LONG = b'{"title": "' + b"x" * 30_000_000 + b'"}'


@pytest.fixture(autouse=True)
def _little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "LONGEST_SECONDS", 0.3)


def test_a_refusal_that_drips_says_all_the_same_when_to_come_back(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(then_drip(answer(429, b'{"title": "later"', Retry_After="7", **WITHOUT_END)))
    with pytest.raises(RopoRateLimitedError) as refused:
        hook.poll()
    assert refused.value.go_on_after == 7
    server.wait_until_closed()


def test_a_refused_token_that_drips_is_refused(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.tokens_will_be(then_drip(answer(400, b'{"errorText": "no"', **WITHOUT_END)))
    with pytest.raises(RopoTokenRefusedError):
        hook.poll()
    server.wait_until_closed()


def test_a_refusal_that_is_a_book_is_not_read_to_its_end(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(answer(400, TOO_LONG))
    with pytest.raises(RopoRequestRefusedError, match=r"HTTP 400$"):
        hook.poll()
    server.wait_until_closed()


def test_after_a_refusal_that_came_whole_the_connection_is_used_again(
    hook: RopoOneHook, server: ScriptedServer
) -> None:
    server.polls_will_be(answer(400, {"title": "not this"}))
    with pytest.raises(RopoRequestRefusedError, match="not this"):
        hook.poll()
    hook.poll()
    assert {request.connection for request in server.requests} == {0}
