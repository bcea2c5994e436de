"""The simulated Ropo One: its state and its answers, safe to use from several threads, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import RLock
from typing import TYPE_CHECKING

from include.simulator.answers import Answer, json_answer, problem
from include.simulator.codes import simulated_codes
from include.simulator.customer import Customer, DateSelects
from include.simulator.effects import PAGE_SIZE, Serving, hit, status_page
from include.simulator.faults import FaultPlan
from include.simulator.rows import QueuedRow, Row
from include.simulator.tokens import Tokens
from include.simulator.truth import PollRecord, Truth

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from include.simulator.dataset import Dataset
    from include.simulator.truth import PollKind

DEFAULT_CID = "1000011"
DEFAULT_APICODE = "apicode-of-the-simulator"


@dataclass(frozen=True)
class Behaviour:
    """What nobody knows of Ropo, settable so that a client can be shown to hold either way.

    :param date_selects: whether `date` means the statustime's day or the day of recording.
    :param date_cap: most rows in an answer by date; None means no cap.
    :param reads_consume: whether polls by date and billnum take their rows out of the queue.
    """

    date_selects: DateSelects = "statustime"
    date_cap: int | None = None
    reads_consume: bool = False


class Ropo:
    """The server's state.

    :param behaviour: of the polls by date and billnum.
    :param now: a fixed clock; None means the machine's.
    :param fault_seed: of the faults with a probability.
    :param default_customer: whether `DEFAULT_CID` with `DEFAULT_APICODE` exists from the start.
    """

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        now: datetime | None = None,
        fault_seed: int = 0,
        *,
        default_customer: bool = True,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self._default_customer = default_customer
        self._lock = RLock()
        self._now: datetime | None = None
        self.set_now(now)
        self.reset(fault_seed)

    def reset(self, fault_seed: int = 0) -> None:
        """Forget customers, rows, tokens, faults and the truth; the clock and the behaviour stay."""
        with self._lock:
            self._customers: dict[str, Customer] = {}
            self._tokens = Tokens()
            self.faults = FaultPlan(fault_seed)
            self.truth = Truth()
            if self._default_customer:
                self.add_customer(DEFAULT_CID, DEFAULT_APICODE)

    def set_now(self, now: datetime | None) -> None:
        """Set the clock.

        :param now: aware; None means the machine's clock from here on.
        :raises ValueError: without a time zone.
        """
        if now is not None and now.tzinfo is None:
            raise ValueError("now needs a time zone")
        self._now = now

    def now(self) -> datetime:
        """The simulator's time, aware."""
        return self._now or datetime.now(UTC)

    def add_customer(self, cid: str, apicode: str, timezone: str = "Europe/Helsinki") -> None:
        """A customer with an empty queue of its own.

        :param timezone: the market's.
        :raises ValueError: if it exists already.
        """
        with self._lock:
            if cid in self._customers:
                raise ValueError(f"customer {cid} exists already")
            self._customers[cid] = Customer(cid, apicode, timezone)

    def add_rows(self, rows: Iterable[Row | QueuedRow], cid: str = DEFAULT_CID) -> int:
        """Put rows into a customer's queue; plain rows are recorded now.

        :raises KeyError: on an unknown customer.
        :return: how many.
        """
        with self._lock:
            now = self.now()
            return self._customers[cid].add(row if isinstance(row, QueuedRow) else QueuedRow(row, now) for row in rows)

    def load(self, dataset: Dataset, cid: str = DEFAULT_CID) -> int:
        """Put a data set's rows into a customer's queue, each from the moment of its recording; returns how many."""
        return self.add_rows(dataset.rows, cid)

    def queued(self, cid: str = DEFAULT_CID) -> int:
        """How many rows a drain would get now."""
        with self._lock:
            return self._customers[cid].queued(self.now())

    def expire_tokens(self, cid: str | None = None) -> None:
        """Let all tokens expire at once, or one customer's."""
        with self._lock:
            self._tokens.expire(cid)

    def issue_token(self, cid: object, apicode: object) -> Answer:
        """POST /rest/token: 201 with a token, or 400 in Ropo's own shape."""
        with self._lock:
            self.truth.token_requests += 1
            customer = self._customers.get(str(cid))
            if customer is None or customer.apicode != apicode:
                return json_answer(400, {"errorId": 1, "errorText": "Invalid cid or apicode"})
            fault = self.faults.take("token")
            serving = Serving(
                rows=lambda _limit: [],
                answer=lambda _rows: json_answer(201, {"token": self._tokens.issue(customer.cid, self.now())}),
                mix_in=lambda _rows: None,
                expire_token=lambda: self._tokens.expire(customer.cid),
            )
            return hit(fault, serving) if fault else serving.serve()

    def poll(self, token: str, query: Sequence[tuple[str, str]], header_names: Sequence[str] = ()) -> Answer:
        """GET /rest/jobs/statusupdates.

        :param token: of the bearer; blank where there is none.
        :param query: the parameters as received.
        :param header_names: of the request, for the truth.
        """
        with self._lock:
            cid = self._tokens.owner(token, self.now())
            kind, wrong = _kind_of(query)
            record = PollRecord(
                len(self.truth.polls) + 1, cid, kind, list(query), [name.lower() for name in header_names], self.now()
            )
            self.truth.polls.append(record)
            if cid is None:
                answer = problem(401, "the token is missing, unknown or has expired")
            elif wrong:
                answer = problem(400, wrong)
            else:
                answer = self._served(self._customers[cid], record, query)
            record.status, record.delivery = answer.status, answer.delivery
            return answer

    def _served(self, customer: Customer, record: PollRecord, query: Sequence[tuple[str, str]]) -> Answer:
        def rows(limit: int) -> list[Row]:
            found = self._rows(customer, record.kind, query[0][1] if query else "", limit)
            record.rows = found
            record.consumed = record.kind == "drain" or self.behaviour.reads_consume
            return found

        serving = Serving(
            rows=rows,
            answer=lambda found: status_page(found) if found else Answer(204),
            mix_in=record.malformed.extend,
            expire_token=lambda: self._tokens.expire(customer.cid),
        )
        fault = self.faults.take(record.kind)
        if fault is None:
            return serving.serve()
        record.fault = fault.name
        answer = hit(fault, serving)
        return replace(answer, then=lambda: self._late(record, serving)) if answer.then else answer

    def _late(self, record: PollRecord, serving: Serving) -> Answer:
        with self._lock:
            answer = serving.serve()
            record.status = answer.status
            return answer

    def _rows(self, customer: Customer, kind: PollKind, value: str, limit: int) -> list[Row]:
        now, consume = self.now(), self.behaviour.reads_consume
        if kind == "drain":
            return customer.take(limit, now)
        if kind == "billnum":
            return customer.of_invoice(value, now, consume=consume)[: limit if limit < PAGE_SIZE else None]
        cap = self.behaviour.date_cap if limit >= PAGE_SIZE else min(limit, self.behaviour.date_cap or limit)
        return customer.of_date(value, now, selects=self.behaviour.date_selects, limit=cap, consume=consume)

    def snapshot(self, token: str, jobid: str) -> Answer:
        """GET /rest/jobs?jobid=: 0 Invoicing, 1 Reminder; other values of `currentstatus` are not documented."""
        with self._lock:
            cid = self._tokens.owner(token, self.now())
            if cid is None:
                return problem(401, "the token is missing, unknown or has expired")
            rows = self._customers[cid].of_job(jobid, self.now())
            if not rows:
                return problem(404, f"no job {jobid}")
            reminder_codes = {simulated_codes().stage_codes[stage] for stage in ("reminded", "in_collection")}
            reminded = any(row.get("statuscode") in reminder_codes for row in rows)
            content = {"jobid": rows[0].get("jobid"), "billnum": rows[0].get("billnum"), "currentstatus": int(reminded)}
            return json_answer(200, content | {"currentstatustext": "Reminder" if reminded else "Invoicing"})


def _kind_of(query: Sequence[tuple[str, str]]) -> tuple[PollKind, str]:
    """The poll's kind, and what is wrong with its filters."""
    if not query:
        return "drain", ""
    if len(query) > 1:
        return "invalid", "at most one of date and billnum may be given"
    name, value = query[0]
    if name == "billnum" and value:
        return "billnum", ""
    if name == "date" and _is_date(value):
        return "date", ""
    return "invalid", f"not a filter: {name}={value!r}; date=YYYY-MM-DD or billnum=NUMBER"


def _is_date(value: str) -> bool:
    try:
        return datetime.strptime(value, "%Y-%m-%d").strftime("%Y-%m-%d") == value  # noqa: DTZ007 - a calendar day
    except ValueError:
        return False
