"""What the simulator answers, before it is put on the wire."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

# How it is put on the wire: whole, not at all (an orderly close or a TCP reset), or cut short.
Delivery = Literal["whole", "close", "reset", "cut", "cut_chunked"]


@dataclass(frozen=True)
class Answer:
    """An answer and the way it goes out.

    :param status: HTTP status.
    :param delivery: see :data:`Delivery`.
    :param sent_share: of the body, where it is cut.
    :param delay: seconds before it goes out.
    :param then: makes the answer after the delay, where the request is executed only then.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delivery: Delivery = "whole"
    sent_share: float = 0.5
    delay: float = 0.0
    then: Callable[[], Answer] | None = None


def json_answer(status: int, content: Any, content_type: str = "application/json", **headers: str) -> Answer:
    """A JSON body; Finnish letters go as UTF-8, except where a lone surrogate forbids it.

    :param status: HTTP status.
    :param content: what JSON can say.
    :param content_type: of the body.
    :param headers: with underscores for hyphens.
    """
    text = json.dumps(content, ensure_ascii=False)
    try:
        body = text.encode("utf-8")
    except UnicodeEncodeError:
        body = json.dumps(content).encode("ascii")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, body, {"Content-Type": content_type, **named})


def problem(status: int, detail: str, **headers: str) -> Answer:
    """An error of the jobs endpoints in the shape of RFC 7807 (documented by Ropo).

    :param status: HTTP status.
    :param detail: what was wrong, for a person.
    :param headers: with underscores for hyphens.
    """
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return json_answer(status, content, "application/problem+json", **headers)
