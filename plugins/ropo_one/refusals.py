"""What Ropo One says of a request that it refuses."""

from __future__ import annotations

import datetime
import json
import re
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from requests import codes
from urllib3.exceptions import HTTPError

from include.status_store.retry_after import LONGEST
from ropo_one.legible import legible

if TYPE_CHECKING:
    from requests import Response

# Where a 429 does not say when to come back.
RETRY_AFTER = 60.0
# RFC 7807 at the jobs endpoints, Ropo's own form at the token.
_FIELDS = ("title", "detail", "errorId", "errorText")
_LONGEST = 300
# What is read of an answer that hands nothing over, and for how long once its head is there: a token and a reason are
# short, and a peer that drips keeps nobody waiting.
_MOST_BYTES = 64 * 1024
LONGEST_SECONDS = 10.0
# A letter by its number, as JSON and Python write it; and so a text in a text in a text.
_BY_NUMBER = re.compile(r"\\(?:u([0-9a-f]{4})|x([0-9a-f]{2}))", re.IGNORECASE)
_LEVELS = 4


def json_object(response: Response) -> dict[str, Any]:
    """Return an answer's JSON object; an empty one where it is none, is too long, or does not come whole in time.

    :param response: a streamed one, of which nothing was read; the caller closes it.
    :raises OSError: and ``urllib3``'s HTTPError, if it breaks off.
    """
    try:
        text = _little_of(response).decode(response.encoding or "utf-8", "replace")
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, LookupError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _little_of(response: Response) -> bytes:
    """Return an answer's body.

    :raises ValueError: if it is longer than is read, or not whole in time.
    """
    body = bytearray()
    began = time.monotonic()
    while chunk := response.raw.read1(_MOST_BYTES, decode_content=True):
        body += chunk
        if len(body) > _MOST_BYTES or time.monotonic() - began >= LONGEST_SECONDS:
            raise ValueError("more of it is not waited for")
    return bytes(body)


def reason(response: Response, *secrets: str | None) -> str:
    """Return what an error answer says, once, legible, in brackets and without the secrets; empty for nothing."""
    fields: dict[str, Any] = {}
    with suppress(OSError, HTTPError):
        fields = json_object(response)
    # What holds other values within may repeat the request, and is for programs anyway.
    told = [str(fields[name]) for name in _FIELDS if fields.get(name) and isinstance(fields[name], str | int)]
    said = [_without(each, [*filter(None, secrets)]) for each in told]
    # A detail often repeats its title, in other letters.
    text = " ".join(each for place, each in enumerate(said) if each.casefold() not in " ".join(said[:place]).casefold())
    return f" ({legible(text[:_LONGEST])})" if text else ""


def _without(text: str, secrets: list[str]) -> str:
    """Return a text without the secrets; nothing of it where one stands in it in another spelling."""
    for secret in secrets:
        text = text.replace(secret, "***")
    return "***" if any(_spelled_out(secret) in _spelled_out(text) for secret in secrets) else text


def _spelled_out(text: str) -> str:
    """Return a text without its escapes, however often it was escaped; to be compared, not to be shown."""
    for _ in range(_LEVELS):
        text = _BY_NUMBER.sub(lambda number: chr(int(number[1] or number[2], 16)), text)
    return text.replace("\\", "")


def asks_to_wait(response: Response) -> bool:
    """Tell whether an answer says when to come back: 429 in any case, 503 where it has a Retry-After header."""
    if response.status_code == codes.unavailable:
        return "Retry-After" in response.headers
    return bool(response.status_code == codes.too_many_requests)


def retry_after(response: Response) -> float:
    """Return the seconds that a Retry-After header asks for (RFC 9110, 10.2.3), no more than are heeded."""
    return min(_seconds_asked(response.headers.get("Retry-After", "").strip()), LONGEST.total_seconds())


def _seconds_asked(value: str) -> float:
    # A number, or an HTTP date.
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return RETRY_AFTER
    if moment.tzinfo is None:
        return RETRY_AFTER
    return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
