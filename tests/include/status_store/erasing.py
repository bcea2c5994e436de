"""Rows with free texts, and where in a store these are, for the tests of their erasure."""

from __future__ import annotations

import datetime
import json
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from psycopg2 import sql

from include.status_store.database import connect
from include.status_store.erasure import TextErasure
from include.status_store.journal import Journal
from include.status_store.reread import Reread
from include.status_store.session import Session
from include.status_store.source import PollInDoubtError
from include.status_store.texts import withhold_erased
from local_airflow.waiting import until
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.test_redaction import comment
from tests.include.status_store.views import bodies, column, drain, query
from tests.include.status_store.waiting import meanwhile, waiting_for_a_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store import reread
    from include.status_store.erasure import Erased
    from tests.include.reconciliation.world import World

DATE = datetime.date(2026, 11, 13)
NOW = datetime.datetime(2026, 11, 14, 1, tzinfo=datetime.UTC)
SECRET, OTHER = "SALAISUUS", "TOINEN"
# Of invoice 10001: a message, a code that no map knows, a payment; of 10002 another message.
ROWS = (
    comment(1, statustext=f"Matti: {SECRET}\nsoittaa", statusref=f"Viesti {SECRET}", memo=f"{SECRET} too"),
    comment(3, jobid=3_000_001, billnum="10001", statuscode="777", statustext=SECRET, statusref=f"{SECRET} label"),
    row(1, amount="96.720", statusref=f"Maksettu {SECRET}"),
    comment(2, statustext=OTHER),
)
BAD_ROW = row(1, statusid="P9", amount=f"paid by {SECRET}")
KEPT_COLUMNS = (
    "statusid, jobid, billnum, statustype, statustime, statuscode, paydate, amount, source, first_poll_id, "
    "first_seen_at, ropo.content_sha256(status_event), CASE WHEN statustype = 'payment' THEN statustext END"
)


def by_date(session: Session, profile: Profile, source: ScriptedSource) -> reread.RereadSummary:
    return Reread(session, source, Journal(profile)).by_date(DATE)


def places_of(store: Connection, text: str) -> set[str]:
    """Every column of the store's tables that holds the text; a view holds nothing."""
    columns = query(
        store,
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "JOIN information_schema.tables USING (table_schema, table_name) WHERE table_schema = 'ropo' "
        "AND table_type = 'BASE TABLE' "
        "AND data_type IN ('text', 'character varying', 'json', 'jsonb', 'bytea', 'ARRAY')",
    )
    found = set()
    for table, name, kind in columns:
        value = "position(%s::text::bytea IN {}) > 0" if kind == "bytea" else "position(%s::text IN {}::text) > 0"
        statement = sql.SQL("SELECT EXISTS (SELECT FROM ropo.{} WHERE " + value + ")").format(
            sql.Identifier(str(table)), sql.Identifier(str(name))
        )
        if column(store, statement.as_string(store), (text,)) == [True]:
            found.add(f"{table}.{name}")
    if any(text.encode() in body for body in bodies(store)):  # packed, where the statement cannot see into it
        found.add("status_page.body")
    return found


def kept(store: Connection) -> list[tuple[object, ...]]:
    return query(store, f"SELECT {KEPT_COLUMNS} FROM ropo.status_event ORDER BY statusid")


def results(world: World, reconciliation: Any) -> tuple[Any, ...]:
    counts = (reconciliation.verdict, reconciliation.categories, reconciliation.totals, reconciliation.reasons)
    return *counts, {
        key: {name: value for name, value in item.items() if name != "reconciliation_id"}
        for key, item in world.items(reconciliation).items()
    }


def erase(session: Session, profile: Profile, billnum: str = "10001") -> Erased:
    return TextErasure(session, profile, by="Aino", note="asked for by the customer").of_invoice(billnum)


@contextmanager
def reread_that_has_looked(dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Beside the block a re-read has shown all rows again and looked for what was erased; it commits when it is let."""
    has_looked, may_go_on = threading.Event(), threading.Event()

    def look_and_wait(*arguments: Any, **options: Any) -> None:
        withhold_erased(*arguments, **options)
        has_looked.set()
        may_go_on.wait(60)

    monkeypatch.setattr("include.status_store.page_events.withhold_erased", look_and_wait)
    with (
        Session(lambda: connect(dsn)) as session,
        meanwhile(lambda: by_date(session, profile, ScriptedSource(page(*ROWS)))),
    ):
        until(has_looked.is_set)
        yield may_go_on
        may_go_on.set()


def erased_meanwhile(
    store: Connection, dsn: str, profile: Profile, monkeypatch: pytest.MonkeyPatch, erase: Callable[[], Erased]
) -> Erased:
    """What an erasure says that begins beside such a re-read, which commits once it has ended or waits."""
    done: list[Erased] = []
    with (
        reread_that_has_looked(dsn, profile, monkeypatch) as may_go_on,
        meanwhile(lambda: done.append(erase())),
    ):
        until(lambda: waiting_for_a_lock(store) or done)
        may_go_on.set()
    return done[0]


def drain_broken(session: Session, profile: Profile) -> None:
    """A drain whose answer breaks off in another invoice's rows: what came is kept, in doubt."""
    came = json.dumps([comment(7, statustext=OTHER), comment(8)]).encode()
    drain(session, profile, ScriptedSource(PollInDoubtError("broke off", http_status=200, body=came[:-5])))
