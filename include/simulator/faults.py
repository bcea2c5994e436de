"""Faults on demand: which poll they hit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from threading import Lock
from typing import Literal, get_args

from include.simulator.malformed import MALFORMED

FaultName = Literal[
    "drop_after_consuming",
    "drop_before_consuming",
    "cut_body",
    "cut_body_chunked",
    "error_5xx_before",
    "error_5xx_after",
    "too_many_requests",
    "expired_token",
    "not_json",
    "no_result",
    "single_object",
    "empty_200",
    "malformed_rows",
    "redirect",
    "slow",
    "refuse",
]
FaultKind = Literal["any", "drain", "date", "billnum", "token"]
_FOR_TOKENS = {
    "drop_before_consuming",
    "error_5xx_before",
    "too_many_requests",
    "not_json",
    "redirect",
    "slow",
    "refuse",
}


@dataclass(frozen=True)
class Fault:
    """A fault and the polls that it hits.

    Only polls that would be served count: not those refused for token or filters.

    :param name: what goes wrong; each is described in effects.py.
    :param after: it hits the n-th next poll of its kind, 1 being the next.
    :param times: how many polls of its kind it hits, from that one on.
    :param probability: hits each poll of its kind with this chance instead, until cleared.
    :param kind: drain, date and billnum polls, any of these three, or token requests.
    :param status: HTTP status of error_5xx_* (503) and refuse (403).
    :param retry_after: header of too_many_requests: seconds or an HTTP date; None leaves it out.
    :param reset: drop_*: a TCP reset instead of an orderly close.
    :param sent_share: cut_*: the share of the body that is sent, at most 1 (its end is missing all the same).
    :param delay: slow: seconds.
    :param consume_first: slow: whether the rows leave the queue before the delay or after it.
    :param location: redirect: where to; by default a place of the simulator's own that counts who comes.
    :param variants: malformed_rows: names in malformed.py; none means all.
    :raises ValueError: on an unknown name, kind or variant, or a number out of range.
    """

    name: FaultName
    after: int = 1
    times: int = 1
    probability: float | None = None
    kind: FaultKind = "any"
    status: int | None = None
    retry_after: str | None = "1"
    reset: bool = False
    sent_share: float = 0.5
    delay: float = 1.0
    consume_first: bool = True
    location: str = "/simulator/redirected"
    variants: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.name not in get_args(FaultName):
            raise ValueError(f"no fault is called {self.name!r}: {', '.join(get_args(FaultName))}")
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"no kind of request is called {self.kind!r}: {', '.join(get_args(FaultKind))}")
        if self.kind == "token" and self.name not in _FOR_TOKENS:
            raise ValueError(f"{self.name} does not fit a token request: {', '.join(sorted(_FOR_TOKENS))}")
        unknown = set(self.variants) - set(MALFORMED)
        if unknown:
            raise ValueError(f"no malformed row is called {', '.join(sorted(unknown))}: {', '.join(MALFORMED)}")
        if self.after < 1 or self.times < 1 or not 0 <= self.sent_share <= 1 or self.delay < 0:
            raise ValueError("after and times count from 1, sent_share lies in 0 to 1, delay is not negative")
        if self.probability is not None and not 0 <= self.probability <= 1:
            raise ValueError(f"probability lies in 0 to 1, not {self.probability}")


@dataclass
class _Planned:
    fault: Fault
    waits: int
    left: int


class FaultPlan:
    """The faults to come. Of several that are due at one poll the oldest hits it, the others stay due for the next.

    :param seed: of the faults with a probability.
    """

    def __init__(self, seed: int = 0) -> None:
        self._rng = Random(seed)  # noqa: S311 - repeatable on purpose
        self._lock = Lock()
        self._planned: list[_Planned] = []
        self.hits: Counter[str] = Counter()

    def add(self, fault: Fault) -> None:
        """Plan a fault."""
        with self._lock:
            self._planned.append(_Planned(fault, fault.after, fault.times))

    def clear(self) -> None:
        """Forget the faults to come."""
        with self._lock:
            self._planned.clear()

    @property
    def pending(self) -> list[Fault]:
        """The faults that are still to hit a poll."""
        with self._lock:
            return [planned.fault for planned in self._planned]

    def take(self, kind: str) -> Fault | None:
        """The fault that hits this request, if any.

        :param kind: drain, date, billnum or token.
        """
        with self._lock:
            return self._take(kind)

    def _take(self, kind: str) -> Fault | None:
        hit: _Planned | None = None
        for planned in self._planned:
            if planned.fault.kind == kind or (planned.fault.kind == "any" and kind != "token"):
                planned.waits -= 1
                if hit is None and self._is_due(planned):
                    hit = planned
        if hit is None:
            return None
        self.hits[hit.fault.name] += 1
        if hit.fault.probability is None:
            hit.left -= 1
            if hit.left == 0:
                self._planned.remove(hit)
        return hit.fault

    def _is_due(self, planned: _Planned) -> bool:
        if planned.fault.probability is not None:
            return self._rng.random() < planned.fault.probability
        return planned.waits <= 0
