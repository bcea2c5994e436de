"""Faults on demand: what each does to the answer, and whether the rows have left the queue by then."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from include.simulator.answers import Answer, json_answer, problem
from include.simulator.malformed import MALFORMED, malformed_rows
from include.simulator.rows import make_row

if TYPE_CHECKING:
    from collections.abc import Callable

    from include.simulator.faults import Fault, FaultName
    from include.simulator.rows import Row

# At most so many rows a request, documented by Ropo.
PAGE_SIZE = 1000


@dataclass(frozen=True)
class Serving:
    """A request that is about to be served.

    :param rows: takes at most so many rows for the answer; those of a drain poll leave the queue.
    :param answer: the honest answer that holds these rows.
    :param mix_in: tells the truth of the malformed rows in the answer.
    :param expire_token: lets the customer's tokens expire.
    """

    rows: Callable[[int], list[Row]]
    answer: Callable[[list[Row]], Answer]
    mix_in: Callable[[list[Any]], None]
    expire_token: Callable[[], None]

    def serve(self) -> Answer:
        """The honest answer."""
        return self.answer(self.rows(PAGE_SIZE))


def status_page(rows: Any) -> Answer:
    """A page of status updates.

    :param rows: a list, or what a fault makes of it.
    """
    return json_answer(200, {"result": {"status": rows}})


def hit(fault: Fault, serving: Serving) -> Answer:
    """The answer to a request that a fault hits.

    :param fault: it.
    :param serving: the request.
    """
    return _EFFECTS[fault.name](fault, serving)


def _drop_after_consuming(fault: Fault, serving: Serving) -> Answer:
    """No byte of an answer; the page is gone from the queue."""
    return replace(serving.serve(), delivery="reset" if fault.reset else "close")


def _drop_before_consuming(fault: Fault, _serving: Serving) -> Answer:
    """No byte of an answer; nothing has left the queue."""
    return Answer(0, delivery="reset" if fault.reset else "close")


def _cut_body(fault: Fault, serving: Serving) -> Answer:
    """Content-Length promises more than comes; consumed."""
    return replace(status_page(serving.rows(PAGE_SIZE)), delivery="cut", sent_share=fault.sent_share)


def _cut_body_chunked(fault: Fault, serving: Serving) -> Answer:
    """A chunked body without its last chunk; consumed."""
    return replace(status_page(serving.rows(PAGE_SIZE)), delivery="cut_chunked", sent_share=fault.sent_share)


def _error_5xx_before(fault: Fault, _serving: Serving) -> Answer:
    """A server's error; nothing has left the queue."""
    return problem(fault.status or 503, "the simulator was told to fail before it looked at the queue")


def _error_5xx_after(fault: Fault, serving: Serving) -> Answer:
    """A server's error; the page is gone from the queue."""
    serving.rows(PAGE_SIZE)
    return problem(fault.status or 503, "the simulator was told to fail after it took the page")


def _too_many_requests(fault: Fault, _serving: Serving) -> Answer:
    """429 with Retry-After; nothing has left the queue."""
    headers = {} if fault.retry_after is None else {"Retry_After": fault.retry_after}
    return problem(429, "too many requests", **headers)


def _expired_token(_fault: Fault, serving: Serving) -> Answer:
    """401, and every token of the customer has expired; nothing has left the queue."""
    serving.expire_token()
    return problem(401, "the token has expired")


def _not_json(_fault: Fault, serving: Serving) -> Answer:
    """200 with a page of HTML, as proxies send; consumed."""
    serving.rows(PAGE_SIZE)
    body = "<!DOCTYPE html><html><body><h1>Huoltokatko</h1><p>Palvelu on pian käytettävissä.</p></body></html>"
    return Answer(200, body.encode(), {"Content-Type": "text/html; charset=utf-8"})


def _no_result(_fault: Fault, serving: Serving) -> Answer:
    """JSON without result.status; consumed."""
    return json_answer(200, {"result": {"updates": serving.rows(PAGE_SIZE)}})


def _single_object(_fault: Fault, serving: Serving) -> Answer:
    """One row as an object instead of a list, as some XML bridges write it; one row is consumed."""
    rows = serving.rows(1)
    return status_page(rows[0]) if rows else serving.answer(rows)


def _empty_200(_fault: Fault, _serving: Serving) -> Answer:
    """An empty list though the queue may not be empty: not the documented 204."""
    return status_page([])


def _malformed_rows(fault: Fault, serving: Serving) -> Answer:
    """Rows with missing, extra or malformed fields among the valid ones; consumed."""
    rows: list[Any] = list(serving.rows(PAGE_SIZE - len(fault.variants or MALFORMED)))
    mixed_in = malformed_rows(fault.variants, make_row())
    serving.mix_in(json.loads(json.dumps(mixed_in)))
    for place, row in enumerate(mixed_in):
        rows.insert(min(len(rows), place * 3), row)
    return status_page(rows)


def _redirect(fault: Fault, _serving: Serving) -> Answer:
    """302 to elsewhere; nothing has left the queue."""
    return Answer(302, headers={"Location": fault.location})


def _slow(fault: Fault, serving: Serving) -> Answer:
    """An honest answer, late; executed at once or, as a server may after the client gave up, at the end."""
    if fault.consume_first:
        return replace(serving.serve(), delay=fault.delay)
    return Answer(0, delay=fault.delay, then=serving.serve)


def _refuse(fault: Fault, _serving: Serving) -> Answer:
    """A client's error (403, 400, 404); nothing has left the queue."""
    return problem(fault.status or 403, "the simulator was told to refuse")


_EFFECTS: dict[FaultName, Callable[[Fault, Serving], Answer]] = {
    "drop_after_consuming": _drop_after_consuming,
    "drop_before_consuming": _drop_before_consuming,
    "cut_body": _cut_body,
    "cut_body_chunked": _cut_body_chunked,
    "error_5xx_before": _error_5xx_before,
    "error_5xx_after": _error_5xx_after,
    "too_many_requests": _too_many_requests,
    "expired_token": _expired_token,
    "not_json": _not_json,
    "no_result": _no_result,
    "single_object": _single_object,
    "empty_200": _empty_200,
    "malformed_rows": _malformed_rows,
    "redirect": _redirect,
    "slow": _slow,
    "refuse": _refuse,
}
