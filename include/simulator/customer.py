"""One customer of the simulated Ropo: its rows, and the queue of those not yet handed over."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from include.simulator.rows import QueuedRow, Row

DateSelects = Literal["statustime", "recorded"]


class Customer:
    """A customer number with its own queue.

    :param cid: the customer number.
    :param apicode: its secret.
    :param timezone: the market's, in which `date` is read.
    """

    def __init__(self, cid: str, apicode: str, timezone: str = "Europe/Helsinki") -> None:
        self.cid = cid
        self.apicode = apicode
        self.zone = ZoneInfo(timezone)
        self._rows: list[QueuedRow] = []
        self._queue: list[tuple[datetime, int]] = []
        self._handed_over: set[int] = set()

    def add(self, rows: Iterable[QueuedRow]) -> int:
        """Append rows to the queue; returns how many."""
        before = len(self._rows)
        for number, queued in enumerate(rows, start=before):
            self._rows.append(queued)
            heapq.heappush(self._queue, (queued.recorded_at, number))
        return len(self._rows) - before

    def take(self, limit: int, now: datetime) -> list[Row]:
        """The oldest rows of the queue, which are gone from it."""
        taken: list[Row] = []
        while self._queue and len(taken) < limit and self._queue[0][0] <= now:
            _, number = heapq.heappop(self._queue)
            if number not in self._handed_over:
                self._handed_over.add(number)
                taken.append(self._rows[number].row)
        return _payments_first(taken)

    def queued(self, now: datetime) -> int:
        """How many rows a drain would get now."""
        return sum(at <= now and number not in self._handed_over for at, number in self._queue)

    def of_date(self, day: str, now: datetime, *, selects: DateSelects, limit: int | None, consume: bool) -> list[Row]:
        """The rows of a day, handed over already or not.

        :param day: YYYY-MM-DD.
        :param now: rows recorded later do not exist yet.
        :param selects: whether a row's day is its statustime's or that of its recording.
        :param limit: of rows in the answer; the rest cannot be seen.
        :param consume: whether the rows leave the queue.
        """
        if selects == "statustime":
            found = [n for n, q in enumerate(self._rows) if str(q.row.get("statustime", ""))[:10] == day]
        else:
            found = [
                n for n, q in enumerate(self._rows) if q.recorded_at.astimezone(self.zone).date().isoformat() == day
            ]
        return self._shown(found, now, limit=limit, consume=consume)

    def of_invoice(self, billnum: str, now: datetime, *, consume: bool) -> list[Row]:
        """The rows of one invoice number, handed over already or not."""
        found = [number for number, queued in enumerate(self._rows) if str(queued.row.get("billnum")) == billnum]
        return self._shown(found, now, limit=None, consume=consume)

    def of_job(self, jobid: str, now: datetime) -> list[Row]:
        """The rows of one job, for its snapshot."""
        found = [number for number, queued in enumerate(self._rows) if str(queued.row.get("jobid")) == jobid]
        return self._shown(found, now, limit=None, consume=False)

    def _shown(self, numbers: list[int], now: datetime, *, limit: int | None, consume: bool) -> list[Row]:
        recorded = sorted(
            (number for number in numbers if self._rows[number].recorded_at <= now),
            key=lambda number: self._rows[number].recorded_at,
        )[:limit]
        if consume:
            self._handed_over.update(recorded)
        return _payments_first([self._rows[number].row for number in recorded])


def _payments_first(rows: list[Row]) -> list[Row]:
    """As seen in a recorded answer: payments before comments, so not in the order of time."""
    return sorted(rows, key=lambda row: row.get("statustype") != "payment")
