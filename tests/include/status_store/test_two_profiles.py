"""Two profiles with the same invoices, rows and dates live in one store, each as if it were alone."""

from __future__ import annotations

import datetime
import re
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import pytest

from include.config.profiles import Profile
from include.status_store.attention import accept_doubt, dismiss_row, doubts, quarantined_rows
from include.status_store.consumers import note_undrained, undrained_events
from include.status_store.database import connect
from include.status_store.earlier_dates import reread_earlier
from include.status_store.erasure import NotDealtWithError, TextErasure
from include.status_store.journal import Journal
from include.status_store.recovery import Recovery
from include.status_store.replay import replay
from include.status_store.reread import Reread
from include.status_store.retention import remove_pages
from include.status_store.session import Session
from include.status_store.source import PollInDoubtError
from tests.include.reconciliation.life import books_of
from tests.include.status_store.erasing import BAD_ROW, DATE, ROWS
from tests.include.status_store.scripted_source import EMPTY, ScriptedSource, page, row
from tests.include.status_store.test_redaction import comment
from tests.include.status_store.test_retention import judge
from tests.include.status_store.views import column, drain, execute, land_alone, query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from local_airflow.embedded import Server
    from tests.include.status_store.scripted_source import Step

ONE = datetime.timedelta(days=1)
# The rows are dated on Friday; the pages come the day after.
CAME = datetime.datetime(2026, 11, 14, 6, tzinfo=datetime.UTC)
OLD = CAME + 400 * ONE
BROKEN = PollInDoubtError("lost", http_status=200, body=b'{"result": {"status": [{"billnum": "10001"')


class Life:
    """What a profile does in a store; :meth:`steps` yields what each step comes to."""

    def __init__(self, store: Connection, session: Session, name: str) -> None:
        self.store = store
        self.session = session
        self.profile = Profile(
            name=name, start_date=datetime.date(2026, 11, 1), late_days=2, recheck_days=5, date_cap=50,
            page_retention_days=30, text_retention_days=365,
        )  # fmt: skip
        self.journal = Journal(self.profile)

    def drain(self, *steps: Step) -> object:
        """Drain the queue."""
        source = ScriptedSource(*steps, queue=("ropo.example", self.profile.name))
        return msgspec.structs.replace(drain(self.session, self.profile, source), seconds=0.0)

    def reread(self, *answers: Step, cap: int = 50) -> object:
        """Re-read the rows' date."""
        source = ScriptedSource(*answers, queue=("ropo.example", self.profile.name))
        journal = Journal(msgspec.structs.replace(self.profile, date_cap=cap))
        done = Reread(self.session, source, journal).by_date(DATE)
        return done.new, done.revised, done.absent, done.whole

    def update(self, table: str, columns: str, *values: object) -> None:
        """Move what the profile has in a table in time."""
        of_pages = "poll_id IN (SELECT poll_id FROM ropo.status_poll WHERE profile = %s)"
        which = of_pages if table == "status_page" else "profile = %s"
        execute(self.store, f"UPDATE ropo.{table} SET {columns} WHERE {which}", (*values, self.profile.name))

    def waiting(self) -> object:
        """What waits for a person."""
        name = self.profile.name
        with self.session.transaction() as cursor:
            lost = [(each.window_from, each.recovery, each.recovery_reason) for each in doubts(cursor, name)]
            bad = [(each.times_seen, each.error) for each in quarantined_rows(cursor, name)]
        return lost, bad

    def held(self) -> object:
        """What is held of changed rows, and of answers whether their texts or they themselves are gone."""
        of = (self.profile.name,)
        revised = "SELECT raw::text FROM ropo.status_event_revision WHERE profile = %s ORDER BY statusid, revision"
        answers = (
            "SELECT complete, redacted_at IS NOT NULL, removed_at IS NOT NULL FROM ropo.status_page "
            "JOIN ropo.status_poll USING (poll_id) WHERE profile = %s ORDER BY poll_id"
        )
        return column(self.store, revised, of), query(self.store, answers, of)

    def replay(self, max_seconds: float | None = None) -> object:
        """Take up what could not be parsed."""
        done = replay(self.session, self.profile, max_seconds=max_seconds)
        return done.pages, done.pages_left, done.rows, done.rows_left, done.new, done.untried

    def settle(self) -> None:
        """Settle what waits."""
        name = self.profile.name
        with self.session.transaction() as cursor:
            for each in doubts(cursor, name):
                accept_doubt(cursor, each.poll_id, by="Anna", note="seen", not_asked=True)
            for bad in quarantined_rows(cursor, name):
                dismiss_row(cursor, bad.quarantine_id, by="Anna", note="seen", profile=name)

    def undrained(self) -> object:
        """What another consumer must have taken."""
        with self.session.transaction() as cursor:
            noted = note_undrained(cursor, self.profile)
            return noted, [event.statusid for event in undrained_events(cursor, self.profile.name)]

    def recover(self) -> object:
        """Recover doubts."""
        source = ScriptedSource(queue=("ropo.example", self.profile.name))
        done = Recovery(self.session, source, self.journal, max_seconds=60).run()
        return len(source.polls), done.recovered, done.unproven, done.pending

    def earlier(self) -> object:
        """Re-read earlier dates; a date's answer is empty."""
        source = ScriptedSource(queue=("ropo.example", self.profile.name))
        reread_earlier(self.session, source, self.journal, DATE + 3 * ONE, max_seconds=60)
        return [poll["date"] for poll in source.polls]

    def erase(self) -> object:
        """Erase an invoice's texts."""
        try:
            done = TextErasure(self.session, self.profile, by="Aino", note="asked for").of_invoice("10001")
        except NotDealtWithError as error:
            return re.sub(r"\(ids [0-9, ]+\)", "", str(error)).replace(self.profile.name, "")
        return done

    def age(self) -> object:
        """A year goes by."""
        removed = remove_pages(self.session, self.profile, CAME + 31 * ONE, max_seconds=60)
        erased = TextErasure(self.session, self.profile, by="it", note="by age").by_age(OLD, max_seconds=60)
        return removed, erased

    def judge(self, date: datetime.date) -> None:
        """The date is reconciled."""
        judge(self.store, str(date), profile=self.profile.name)
        execute(
            self.store,
            "INSERT INTO ropo.reconciled_date SELECT profile, business_date, scope, reconciliation_id, 'test', now() "
            "FROM ropo.reconciliation WHERE profile = %s AND business_date = %s",
            (self.profile.name, date),
        )

    def steps(self) -> Iterator[object]:
        """Live; what a step comes to can depend on how far another profile is by then."""
        yield self.drain(EMPTY)
        self.update("status_poll", "opened_at = '2026-10-01 06:00Z', closed_at = '2026-10-01 06:00Z'")
        self.update("profile_pin", "pinned_at = '2026-11-01'")
        yield self.earlier()
        yield self.drain(page(*ROWS, BAD_ROW), EMPTY)
        yield self.waiting()
        yield self.reread(page(*ROWS, row(5)))
        yield self.reread(page(*ROWS[1:], {**ROWS[0], "statustext": "put right"}))
        yield self.undrained()
        yield self.drain(page(row(6)), EMPTY)
        yield self.undrained()
        yield self.drain(page(row(5)), EMPTY)
        yield land_alone(self.session, self.profile, page(row(7))).kind
        yield self.erase()
        yield self.drain(EMPTY)
        full = page(*ROWS, row(5), row(6), row(7))
        yield self.reread(BROKEN, full)
        yield self.reread(full, full, cap=7)
        yield self.reread(full, EMPTY, cap=7)
        yield self.reread(full, full, cap=7)
        yield self.drain(BROKEN)
        yield self.erase()
        yield self.waiting()
        yield self.recover()
        yield self.waiting()
        yield self.replay()
        yield self.drain(page(comment(8, jobid=3_000_001, billnum="10001"), BAD_ROW), PollInDoubtError("lost"))
        self.settle()
        yield self.waiting()
        self.update("status_page", "received_at = %s, parsed_at = %s", CAME, CAME)
        self.update("status_quarantine", "first_seen_at = %s", CAME)
        yield self.waiting()
        yield self.held()
        yield self.age()
        yield self.erase()
        self.judge(DATE)
        self.judge(DATE + ONE)
        yield self.earlier()
        yield self.age()
        # What nobody has dealt with when its time is over.
        yield self.drain(page(row(9, amount="a lot")), EMPTY)
        yield land_alone(self.session, self.profile, page(row(10))).kind
        self.update("status_page", "received_at = %s", CAME)
        self.update("status_quarantine", "first_seen_at = %s", CAME)
        yield self.age()
        yield self.replay(max_seconds=0)
        yield self.replay()


@pytest.fixture(scope="module")
def alone(postgres: Server, store_template: str) -> tuple[list[str], object]:
    """What a profile finds and keeps that is alone in its store."""
    name = postgres.fresh_database("alone", template=store_template)
    dsn = postgres.dsn(name)
    with (
        closing(connect(dsn)) as store,
        Session(lambda: connect(dsn)) as session,
    ):
        store.autocommit = True
        return [str(step) for step in Life(store, session, "default").steps()], books_of(store, "default")


@pytest.mark.parametrize(
    "ahead", [99, 12, 1, 0], ids=["lived before", "half its life ahead", "a step ahead", "a step behind"]
)
def test_each_finds_and_keeps_what_it_would_alone(
    session: Session, store: Connection, alone: tuple[list[str], object], ahead: int
) -> None:
    lives = {name: Life(store, session, name).steps() for name in ("default", "other")}
    found: dict[str, list[str]] = {"default": [], "other": []}
    found["other"] += [str(step) for _, step in zip(range(ahead), lives["other"], strict=False)]
    while any(len(steps) < len(alone[0]) for steps in found.values()):
        for name, life in lives.items():
            found[name] += [str(step) for _, step in zip(range(1), life, strict=False)]

    for name, steps in found.items():
        assert steps == alone[0], name
        assert books_of(store, name) == alone[1], name
