"""Small builders: what Ropo said goes into the store by plain SQL, what the ERP says into a ledger of its own."""

from __future__ import annotations

import datetime
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import psycopg2

from include.config.status_map import Meaning, StatusMap
from include.reconciliation.recheck import recheck
from include.reconciliation.reconcile import reconcile
from include.status_store.database import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.reconciliation.recheck import Rechecked
    from include.reconciliation.recorded import Recorded

# A Tuesday; the reconciliation of it is made on Wednesday, an hour after Helsinki's midnight.
DAY = datetime.date(2026, 3, 10)
NOW = datetime.datetime(2026, 3, 10, 23, 0, tzinfo=datetime.UTC)

# Codes beyond those known of Ropo, for the tests of stages and ends.
STATUS_MAP = StatusMap(
    payments={"1": "paid", "8": "discount", "9": "ignore"},
    events={
        "comment": {
            "98": Meaning(),
            "101": Meaning(payment="paid"),
            "55": Meaning(payment="unpaid"),
            "110": Meaning(stage="invoiced"),
            "120": Meaning(stage="due"),
            "130": Meaning(stage="reminded"),
            "140": Meaning(stage="in_collection"),
            "150": Meaning(end="credited"),
            "160": Meaning(end="cancelled"),
        }
    },
    ledger={
        "open": Meaning(),
        "sent": Meaning(stage="invoiced"),
        "due": Meaning(stage="due"),
        "reminded": Meaning(stage="reminded"),
        "collection": Meaning(stage="in_collection"),
        "paid": Meaning(payment="paid"),
        "credited": Meaning(end="credited"),
        "cancelled": Meaning(end="cancelled"),
    },
    version="test",
)

LEDGER = """
CREATE TABLE ropo_ledger (
    billnum text, jobid text, status text, total numeric, paid numeric, discount numeric, credited numeric,
    open numeric, currency text, sent_at timestamptz, changed_at timestamptz, payments_by_ropo boolean
)
"""
_EVENT = """
WITH said AS (
INSERT INTO ropo.status_event (
    profile, statusid, jobid, billnum, statustype, statustime, statuscode, statusref, statustext, amount,
    raw, source, first_poll_id, first_seen_at, content_poll_id, content_sha256
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '{}', 'drain', %s, %s, %s, '')
RETURNING profile, statustime, first_seen_at
)
INSERT INTO ropo.event_day (profile, day, seen_at)
SELECT profile, statustime::date, first_seen_at FROM said
ON CONFLICT DO NOTHING
"""
_ROW = "INSERT INTO ropo_ledger VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"


def at(text: str) -> datetime.datetime:
    """A moment in UTC, from ISO text."""
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


class Sessions(threading.local):
    """A thread's idle sessions, by their DSN: most of the time would go for new ones, which know no table yet."""

    MOST = 4

    def __init__(self) -> None:
        self._idle: dict[str, Connection] = {}

    @contextmanager
    def lent(self, dsn: str, connect: Callable[[str], Connection], *, autocommit: bool = False) -> Iterator[Connection]:
        """Lend a session of a database; one in which anything failed is not kept.

        :param autocommit: each statement is a transaction.
        """
        session = self._idle.pop(dsn, None) or connect(dsn)
        try:
            session.autocommit = autocommit
            yield session
            session.rollback()
        except BaseException:
            session.close()
            raise
        self._idle[dsn] = session
        if len(self._idle) > self.MOST:
            self._idle.pop(next(iter(self._idle))).close()


SESSIONS = Sessions()


@dataclass
class World:
    """A store and a ledger, and the reconciliation of the two.

    :param store_dsn: a migrated store; ``ledger_dsn``: a database with an empty ``ropo_ledger``.
    """

    store_dsn: str
    ledger_dsn: str
    profile: Profile
    poll_id: int = 0
    numbers: int = field(default=0)

    def __post_init__(self) -> None:
        self.poll_id = self.poll("drain", "landed", opened_at=at("2026-01-01"), closed_at=at("2026-01-01"))

    def store(self, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Run one statement in the store, committed; return its rows."""
        with SESSIONS.lent(self.store_dsn, connect, autocommit=True) as store:
            return _run(store, query, parameters)

    def ledger(self, query: str, parameters: Any = ()) -> list[tuple[Any, ...]]:
        """Run one statement in the ledger, committed; return its rows."""
        with SESSIONS.lent(self.ledger_dsn, psycopg2.connect, autocommit=True) as ledger:
            return _run(ledger, query, parameters)

    def poll(self, kind: str, outcome: str, **columns: Any) -> int:
        """Add a poll to the journal."""
        values = {"profile": self.profile.name, "kind": kind, "outcome": outcome, **columns}
        if kind == "drain":
            values.setdefault("window_from", datetime.date(2026, 1, 1))
        names = ", ".join(values)
        marks = ", ".join(["%s"] * len(values))
        query = f"INSERT INTO ropo.status_poll ({names}) VALUES ({marks}) RETURNING poll_id"
        return int(self.store(query, tuple(values.values()))[0][0])

    def comment(self, billnum: str | None, code: str, when: str = "2026-03-10 09:00", **columns: Any) -> str:
        """Ropo says a comment; returns its statusid."""
        return self.event(billnum, when, statustype="comment", statuscode=code, **columns)

    def payment(
        self, billnum: str | None, amount: str | None, when: str = "2026-03-10", kind: str = "1", **columns: Any
    ) -> str:
        """Ropo says a payment; returns its statusid."""
        return self.event(billnum, when, statustype="payment", statustext=kind, amount=amount, **columns)

    def event(self, billnum: str | None, when: str, **columns: Any) -> str:
        """Ropo says anything; the jobid is ``J<billnum>`` unless given; returns its statusid."""
        self.numbers += 1
        statusid: str = columns.get("statusid", f"{columns['statustype'][0].upper()}{self.numbers}")
        self.store(
            _EVENT,
            (
                self.profile.name,
                statusid,
                columns.get("jobid", f"J{billnum}"),
                billnum,
                columns["statustype"],
                when,
                columns.get("statuscode", ""),
                columns.get("statusref", "Viesti"),
                columns.get("statustext", ""),
                columns.get("amount"),
                self.poll_id,
                columns.get("seen", at("2026-03-10 10:00")),
                self.poll_id,
            ),
        )
        return statusid

    def row(self, billnum: str | None, status: str | None = "open", total: str | None = "100", **columns: Any) -> None:
        """The ledger has a row; by default unpaid, with everything open, sent and changed on the day before DAY."""
        paid = columns.get("paid", "0")
        discount, credited = columns.get("discount", "0"), columns.get("credited", "0")
        rest = (
            None if total is None else Decimal(total) - sum(Decimal(each or 0) for each in (paid, discount, credited))
        )
        before = at("2026-03-09 08:00")
        self.ledger(
            _ROW,
            (
                billnum,
                columns.get("jobid", f"J{billnum}"),
                status,
                total,
                paid,
                discount,
                credited,
                columns.get("open", rest),
                columns.get("currency", "EUR"),
                columns.get("sent_at", before),
                columns.get("changed_at", before),
                columns.get("by_ropo", True),
            ),
        )

    def quarantine(self, raw: bytes, seen: datetime.datetime) -> None:
        """A row of Ropo's that could not be read."""
        self.store(
            "INSERT INTO ropo.status_quarantine "
            "(profile, poll_id, ordinal, raw, sha256, error, first_seen_at, last_seen_at) "
            "VALUES (%s, %s, 0, %s, sha256(%s), 'bad', %s, now())",
            (self.profile.name, self.poll_id, raw, raw, seen),
        )

    def page(self, *, complete: bool) -> None:
        """A page that is not parsed."""
        self.store(
            "INSERT INTO ropo.status_page (poll_id, body, sha256, received_at, complete, parse_error) "
            "VALUES (%s, 'x', 'x', now(), %s, 'bad')",
            (self.poll_id, complete),
        )

    def know_all(self, day: datetime.date = DAY, **columns: Any) -> int:
        """The queue was drained empty after the day, and the day re-read whole; returns the re-read's poll id."""
        morning = datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(3), datetime.UTC)
        # What lies ahead proves nothing, and a day that is over may have ended a moment ago.
        after = min(morning, datetime.datetime.now(datetime.UTC))
        moments = {"opened_at": after, "closed_at": after}
        self.poll("drain", "empty", **moments)
        counts = {"possibly_cut": False, "absent_count": 0, "new_count": 0}
        return self.poll(
            "date", columns.pop("outcome", "landed"), filter_value=str(day), **{**moments, **counts, **columns}
        )

    def reconcile(self, day: datetime.date = DAY, *, now: datetime.datetime = NOW, **options: Any) -> Recorded:
        """Reconcile a day."""
        profile, status_map = options.pop("profile", self.profile), options.pop("status_map", STATUS_MAP)
        with self._both() as (store, ledger):
            return reconcile(store, ledger, profile, status_map, day, now=now, **options)

    def recheck(self, before: datetime.date, *, now: datetime.datetime, **options: Any) -> Rechecked:
        """Compare again the unfinished dates before a business date."""
        profile, status_map = options.pop("profile", self.profile), options.pop("status_map", STATUS_MAP)
        with self._both() as (store, ledger):
            return recheck(store, ledger, profile, status_map, before, now=now, **options)

    @contextmanager
    def _both(self) -> Iterator[tuple[Connection, Connection]]:
        with (
            SESSIONS.lent(self.store_dsn, connect) as store,
            SESSIONS.lent(self.ledger_dsn, psycopg2.connect) as ledger,
        ):
            yield store, ledger

    def verdicts(self, day: datetime.date = DAY) -> list[str]:
        """Every verdict of a day, oldest first."""
        query = "SELECT verdict FROM ropo.reconciliation WHERE business_date = %s ORDER BY reconciliation_id"
        return [verdict for (verdict,) in self.store(query, (day,))]

    def items(self, reconciliation: Recorded) -> dict[str, dict[str, Any]]:
        """What a reconciliation recorded, by invoice_key."""
        with SESSIONS.lent(self.store_dsn, connect) as store, store.cursor() as cursor:
            query = "SELECT * FROM ropo.reconciliation_item WHERE reconciliation_id = %s ORDER BY invoice_key"
            cursor.execute(query, (reconciliation.reconciliation_id,))
            names = [column.name for column in cursor.description or ()]
            return {
                row["invoice_key"]: row for row in (dict(zip(names, row, strict=True)) for row in cursor.fetchall())
            }

    def only_item(self, **options: Any) -> dict[str, Any]:
        """Reconcile DAY and return the one item that it has."""
        items = list(self.items(self.reconcile(**options)).values())
        if len(items) != 1:
            raise LookupError(f"expected one item, got {[item['invoice_key'] for item in items]}")
        return items[0]

    def judged(self, **options: Any) -> tuple[str, str | None]:
        """Category and reason of the one invoice of DAY."""
        item = self.only_item(**options)
        return item["category"], item["reason"]


def _run(connection: Connection, query: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall() if cursor.description else []
