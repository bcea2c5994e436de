"""What a refused poll tells: why, and when to come back."""

from __future__ import annotations

import datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest

from include.status_store.source import PollRefusedError
from ropo_one.exceptions import (
    RopoRateLimitedError,
    RopoRequestRefusedError,
    RopoServerError,
    RopoUnauthorizedError,
)
from tests.plugins.ropo_one.scripted_server import (
    ScriptedServer,
    answer,
    then_close,
    then_hang,
)

if TYPE_CHECKING:
    from ropo_one.hooks import RopoOneHook
    from tests.plugins.ropo_one.scripted_server import Step

A_DAY = datetime.timedelta(days=1).total_seconds()


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_refusal_for_good_says_what_ropo_says(hook: RopoOneHook, server: ScriptedServer, status: int) -> None:
    server.polls_will_be(answer(status, {"title": "Bad", "detail": "Use one filter", "status": status}))

    with pytest.raises(RopoRequestRefusedError, match=rf"HTTP {status} \(Bad Use one filter\)$") as refused:
        hook.poll()

    assert (refused.value.http_status, refused.value.go_on_after) == (status, None)
    assert len(server.polls) == 1


@pytest.mark.parametrize(
    "step",
    [
        answer(403, "<html>"),
        answer(403, "[1]"),
        answer(403, "[" * 50_000),
        answer(403, b'{"title": "\xff"}'),
        then_close(answer(403, "{", Content_Length="500")),
        then_hang(answer(403, "{", Content_Length="500")),
        answer(403, {"title": "x" * 10_000}),
    ],
)
def test_a_refusal_stays_one_whatever_its_body_is(hook: RopoOneHook, server: ScriptedServer, step: Step) -> None:
    server.polls_will_be(step)
    with pytest.raises(RopoRequestRefusedError, match="HTTP 403") as refused:
        hook.poll()
    assert len(str(refused.value)) < 500


def test_a_401_is_a_refusal(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(answer(401))
    with pytest.raises(RopoUnauthorizedError) as refused:
        hook.poll()
    assert isinstance(refused.value, PollRefusedError)
    assert len(server.polls) == 1


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ("0", 0, 0),
        ("120", 120, 120),
        # Longer than that it is not heeded, and nobody is told so.
        ("999999999", A_DAY, A_DAY),
        ("Mon, 28 Nov 2199 00:00:00 GMT", A_DAY, A_DAY),
        ("Wed, 21 Oct 2015 07:28:00", 60, 60),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", 60, 60),
        ("-5", 60, 60),
        ("1.5", 60, 60),
        ("²", 60, 60),
        ("soon", 60, 60),
        ("", 60, 60),
        (None, 60, 60),
    ],
)
def test_a_429_says_when_to_come_back(
    hook: RopoOneHook, server: ScriptedServer, header: str | None, least: float, most: float
) -> None:
    server.polls_will_be(answer(429) if header is None else answer(429, Retry_After=header))

    with pytest.raises(RopoRateLimitedError) as limited:
        hook.poll()

    assert limited.value.go_on_after is not None
    assert least <= limited.value.go_on_after <= most
    assert (limited.value.http_status, len(server.polls)) == (429, 1)


def test_what_a_refusal_says_twice_is_said_once(hook: RopoOneHook, server: ScriptedServer) -> None:
    server.polls_will_be(answer(429, {"title": "Too Many Requests", "detail": "too many requests"}))
    with pytest.raises(RopoRateLimitedError, match=r"HTTP 429 \(Too Many Requests\)$"):
        hook.poll()


@pytest.mark.parametrize(("header", "seconds"), [("120", 120), ("soon", 60), (None, None)])
def test_a_503_may_say_when_to_come_back(
    hook: RopoOneHook, server: ScriptedServer, header: str | None, seconds: float | None
) -> None:
    server.polls_will_be(answer(503) if header is None else answer(503, Retry_After=header))

    with pytest.raises(RopoServerError) as unavailable:
        hook.poll()

    assert (unavailable.value.go_on_after, len(server.polls)) == (seconds, 1)


@pytest.mark.parametrize(("ahead", "least", "most"), [(3600, 3000, 3600), (-3600, 0, 0)])
def test_a_429_may_name_the_moment_to_come_back(
    hook: RopoOneHook, server: ScriptedServer, ahead: int, least: float, most: float
) -> None:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ahead)
    server.polls_will_be(answer(429, Retry_After=format_datetime(moment, usegmt=True)))

    with pytest.raises(RopoRateLimitedError) as limited:
        hook.poll()

    assert limited.value.go_on_after is not None
    assert least <= limited.value.go_on_after <= most
