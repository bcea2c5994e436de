"""A source of answers that a test writes down; the store knows no other side of Ropo One than this protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from include.status_store.source import Answer

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    Step = Answer | BaseException | Callable[[], Answer]

EMPTY = Answer(http_status=204)


def row(number: int, **changes: object) -> dict[str, object]:
    """A payment row as Ropo sends it."""
    return {
        "jobid": 3_000_000 + number,
        "statusid": f"P{number}",
        "billnum": str(10_000 + number),
        "statustype": "payment",
        "statustime": "2026-11-13 00:00:00",
        "statusref": "Maksettu toimeksiantajalle",
        "statustext": "1",
        "statuscode": "",
        "paydate": "2026-11-13",
        "amount": "96.72",
        **changes,
    }


# A field of a row that the parser takes and PostgreSQL does not, once its stack is made small.
DEEP = b'"unknown": ' + b"[" * 900 + b"]" * 900


def with_unknown(number: int, unknown: bytes, **changes: object) -> bytes:
    """The JSON of a row with a field more."""
    return json.dumps(row(number, **changes)).encode().replace(b"{", b"{" + unknown + b", ", 1)


def page(*rows: object) -> Answer:
    """An answer with these rows; those that are bytes stand as they are."""
    texts = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in rows)
    body = b'{"result": {"status": [' + b", ".join(texts) + b"]}}"
    return Answer(http_status=200, body=body, content_type="application/json")


class ScriptedSource:
    """Answers polls in the order of the script, and 204 when it is over."""

    def __init__(self, *steps: Step, queue: tuple[str, str] = ("ropo.example", "1000011")) -> None:
        self.queue = queue
        self.script: list[Step] = list(steps)
        self.polls: list[dict[str, object]] = []

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        """Take the script's next step."""
        self.polls.append({"date": date, "billnum": billnum})
        step = self.script.pop(0) if self.script else EMPTY
        if isinstance(step, BaseException):
            raise step
        return step if isinstance(step, Answer) else step()
