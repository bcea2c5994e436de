"""What really happened: each request that reached the simulator, and each row that left its queue."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from datetime import datetime

    from include.simulator.rows import Row

PollKind = Literal["drain", "date", "billnum", "invalid"]


@dataclass
class PollRecord:
    """One poll as the server saw it.

    :param number: counts from 1 over all customers.
    :param cid: None where the token was not valid.
    :param kind: by its filters; invalid where they are refused.
    :param query: as received.
    :param header_names: as received, lower case; values may be secret.
    :param status: of the answer, even if it never left.
    :param delivery: how the answer was put on the wire.
    :param fault: that hit it.
    :param rows: that the answer held, whether it arrived or not.
    :param consumed: whether they left the queue.
    :param malformed: rows that a fault mixed in.
    """

    number: int
    cid: str | None
    kind: PollKind
    query: list[tuple[str, str]]
    header_names: list[str]
    received_at: datetime
    status: int = 0
    delivery: str = "whole"
    fault: str | None = None
    rows: list[Row] = field(default_factory=list)
    consumed: bool = False
    malformed: list[Any] = field(default_factory=list)


@dataclass
class Truth:
    """The server's own record, which nothing but a reset erases.

    :param polls: in the order of arrival.
    :param token_requests: how many, refused ones too.
    :param redirects_followed: requests that came to the place a redirect pointed to.
    """

    polls: list[PollRecord] = field(default_factory=list)
    token_requests: int = 0
    redirects_followed: int = 0

    def handed_out(self, cid: str | None = None) -> list[Row]:
        """Every row that left the queue by a drain poll, even if its answer was then dropped.

        :param cid: one customer's; None means all.
        """
        return [row for poll in self.polls if poll.kind == "drain" and cid in (None, poll.cid) for row in poll.rows]

    def counts(self) -> Counter[str]:
        """How many polls of each kind came."""
        return Counter(poll.kind for poll in self.polls)

    def as_json(self, *, with_rows: bool, cid: str | None = None) -> dict[str, Any]:
        """For the control API.

        :param with_rows: whether each poll's rows are listed, or only counted.
        :param cid: one customer's polls; None means all.
        """
        polls = []
        for poll in self.polls:
            if cid in (None, poll.cid):
                content = asdict(poll) | {"received_at": poll.received_at.isoformat(), "row_count": len(poll.rows)}
                polls.append(content if with_rows else {k: v for k, v in content.items() if k not in _ROWS})
        return {
            "polls": polls,
            "counts": dict(self.counts()),
            "token_requests": self.token_requests,
            "redirects_followed": self.redirects_followed,
        }


_ROWS = ("rows", "malformed")
