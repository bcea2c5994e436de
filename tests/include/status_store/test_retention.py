"""Raw pages leave when they are old and nothing can be asked of them any more; what they were stays on record."""

from __future__ import annotations

import datetime
from contextlib import closing
from typing import TYPE_CHECKING

import msgspec
import psycopg2
import pytest

from include.status_store import retention
from include.status_store.database import STORE_VARIABLE
from include.status_store.journal import Journal
from include.status_store.replay import replay
from include.status_store.reread import Reread
from include.status_store.retention import remove_pages
from include.status_store.source import PollInDoubtError
from include.status_store.statements import statement
from include.status_store.touched_dates import note_dates
from tests.include.status_store.parser_of_then import parser_of_then
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.test_redaction import comment
from tests.include.status_store.views import column, drain, execute, query

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile
    from include.status_store.retention import RemovedPages
    from include.status_store.session import Session
    from local_airflow.embedded import Server

CAME = datetime.datetime(2026, 11, 14, 6, tzinfo=datetime.UTC)
NOW = CAME + datetime.timedelta(days=31)
FRIDAY, SATURDAY, SUNDAY = "2026-11-13", "2026-11-14", "2026-11-15"
_VERDICT = """
INSERT INTO ropo.reconciliation (
    profile, business_date, scope, verdict, population, matched, pending, breaks, accepted, out_of_scope, reasons,
    categories, totals, unmapped, status_map_version, ledger_cutoff, started_at, finished_at
) VALUES (%s, %s, %s, %s, 0, 0, 0, 0, 0, 0, '[]', '{}', '{}', '[]', 'test', now(), now(), now())
"""


@pytest.fixture
def keeping(profile: Profile) -> Profile:
    """A profile that keeps raw pages for thirty days."""
    return msgspec.structs.replace(profile, page_retention_days=30)


def land(session: Session, store: Connection, profile: Profile, *rows: object) -> None:
    """A page came on Saturday with rows of Friday."""
    drain(session, profile, ScriptedSource(page(*rows)))
    execute(store, "UPDATE ropo.status_page SET received_at = %s, parsed_at = %s", (CAME, CAME))


def judge(
    store: Connection, date: str, verdict: str = "reconciled", scope: str = "date", profile: str = "default"
) -> None:
    execute(store, _VERDICT, (profile, date, scope, verdict))


def remove(session: Session, profile: Profile, now: datetime.datetime = NOW) -> RemovedPages:
    return remove_pages(session, profile, now, max_seconds=60)


def bodies(store: Connection) -> list[object]:
    """Whether each page has its body."""
    return column(store, "SELECT body IS NOT NULL FROM ropo.status_page ORDER BY poll_id")


def test_a_page_goes_when_every_date_that_it_bears_on_is_reconciled(
    session: Session, store: Connection, keeping: Profile
) -> None:
    land(session, store, keeping, row(1), row(2))
    judge(store, FRIDAY)
    assert (remove(session, keeping).removed, bodies(store)) == (0, [True])
    judge(store, SATURDAY)

    done = remove(session, keeping)

    assert (done.removed, done.kept, done.finished, bodies(store)) == (1, 0, True, [False])


@pytest.mark.parametrize("later", ["1 day", "16 hours"], ids=["by any clock", "by the market's"])
def test_a_page_that_was_parsed_on_a_later_day_waits_for_that_day_too(
    session: Session, store: Connection, keeping: Profile, later: str
) -> None:
    """Its events are first compared on the day of the replay that stored them."""
    land(session, store, keeping, row(1))
    execute(store, "UPDATE ropo.status_page SET parsed_at = received_at + %s::interval", (later,))
    for date in (FRIDAY, SATURDAY):
        judge(store, date)
    assert (remove(session, keeping).removed, bodies(store)) == (0, [True])

    judge(store, SUNDAY)

    assert (remove(session, keeping).removed, bodies(store)) == (1, [False])


def test_journal_hash_size_and_events_stay(session: Session, store: Connection, keeping: Profile) -> None:
    land(session, store, keeping, row(1))
    kept = (
        "SELECT poll.*, page.sha256::text, page.received_at, coalesce(page.size, octet_length(page.body)), event.* "
        "FROM ropo.status_poll AS poll LEFT JOIN ropo.status_page AS page USING (poll_id) "
        "LEFT JOIN ropo.status_event AS event ON event.first_poll_id = poll.poll_id ORDER BY poll.poll_id"
    )
    before = [str(values) for values in query(store, kept.replace("event.*", "event.raw"))]
    for date in (FRIDAY, SATURDAY):
        judge(store, date)

    assert remove(session, keeping).removed == 1

    assert [str(values) for values in query(store, kept.replace("event.*", "event.raw"))] == before


@pytest.mark.parametrize("verdict", ["pending", "breaks", "incomplete"])
def test_a_date_whose_newest_verdict_is_another_keeps_its_pages(
    session: Session, store: Connection, keeping: Profile, verdict: str
) -> None:
    land(session, store, keeping, row(1))
    judge(store, SATURDAY)
    judge(store, FRIDAY)
    judge(store, FRIDAY, verdict)
    judge(store, FRIDAY, "reconciled", scope="full")

    done = remove(session, keeping)

    assert (done.removed, done.kept, bodies(store)) == (0, 1, [True])


def test_dates_before_the_start_are_not_waited_for(session: Session, store: Connection, keeping: Profile) -> None:
    land(session, store, keeping, row(1, statustime="2025-12-31 00:00:00"))
    judge(store, SATURDAY)

    assert remove(session, keeping).removed == 1


def test_the_start_date_itself_is_waited_for(session: Session, store: Connection, keeping: Profile) -> None:
    keeping = msgspec.structs.replace(keeping, start_date=datetime.date.fromisoformat(FRIDAY))
    land(session, store, keeping, row(1))
    judge(store, SATURDAY)

    assert (remove(session, keeping).removed, bodies(store)) == (0, [True])


def test_a_younger_page_stays(session: Session, store: Connection, keeping: Profile) -> None:
    land(session, store, keeping, row(1))
    for date in (FRIDAY, SATURDAY):
        judge(store, date)

    done = remove(session, keeping, now=NOW - datetime.timedelta(days=2))

    assert (done.removed, done.kept, bodies(store)) == (0, 0, [True])


def test_a_page_with_a_row_in_quarantine_stays_until_that_is_settled(
    session: Session, store: Connection, keeping: Profile
) -> None:
    land(session, store, keeping, row(1), row(2, amount="much"))
    for date in (FRIDAY, SATURDAY):
        judge(store, date)
    assert remove(session, keeping).removed == 0

    execute(store, "UPDATE ropo.status_quarantine SET resolved_at = now()")

    assert remove(session, keeping).removed == 1


def test_a_page_of_which_a_replay_takes_a_row_waits_for_the_dates_of_that_row_too(
    session: Session, store: Connection, keeping: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    with parser_of_then(monkeypatch):
        land(session, store, keeping, row(1), row(2, statustime="2026-11-12 08:00:00"))
        for date in (FRIDAY, SATURDAY):
            judge(store, date)
        assert remove(session, keeping).removed == 0

    assert replay(session, keeping).rows == 2

    judge(store, "2026-11-12")
    assert remove(session, keeping).removed == 0, "it bears on the day on which its rows were taken"
    judge(store, str(keeping.business_date(datetime.datetime.now(datetime.UTC))))
    judge(store, "2026-11-12", "breaks")
    assert (remove(session, keeping).removed, bodies(store)) == (0, [True])
    judge(store, "2026-11-12")
    assert (remove(session, keeping).removed, bodies(store)) == (1, [False])


def test_a_page_that_is_not_parsed_stays(session: Session, store: Connection, keeping: Profile) -> None:
    land(session, store, keeping, row(1))
    execute(store, "UPDATE ropo.status_page SET parsed_at = NULL")
    for date in (FRIDAY, SATURDAY):
        judge(store, date)

    assert (remove(session, keeping).removed, bodies(store)) == (0, [True])


@pytest.mark.parametrize(("recovery", "goes"), [("pending", False), ("unproven", False), ("recovered", True)])
def test_what_came_of_a_broken_answer_stays_until_its_doubt_is_settled(
    session: Session, store: Connection, keeping: Profile, recovery: str, goes: bool
) -> None:
    drain(session, keeping, ScriptedSource(PollInDoubtError("broke off", http_status=200, body=b'{"result"')))
    execute(store, "UPDATE ropo.status_poll SET recovery = %s WHERE recovery IS NOT NULL", (recovery,))
    execute(store, "UPDATE ropo.status_page SET received_at = %s", (CAME,))

    remove(session, keeping)

    assert bodies(store) == [not goes]


def test_it_goes_on_where_it_ran_out_of_time(session: Session, store: Connection, keeping: Profile) -> None:
    land(session, store, keeping, row(1))
    for date in (FRIDAY, SATURDAY):
        judge(store, date)

    assert not remove_pages(session, keeping, NOW, max_seconds=0).finished

    assert remove(session, keeping).removed == 1
    assert remove(session, keeping).removed == 0


def test_more_pages_than_a_batch_holds_go_in_one_run(
    session: Session, store: Connection, keeping: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAGES_AT_ONCE", 2)
    drain(session, keeping, ScriptedSource(*(page(row(number)) for number in range(5))))
    execute(store, "UPDATE ropo.status_page SET received_at = %s, parsed_at = %s", (CAME, CAME))
    for date in (FRIDAY, SATURDAY):
        judge(store, date)

    assert remove(session, keeping).removed == 5


def test_a_drain_does_not_wait_for_a_removal(
    session: Session, store: Connection, store_dsn: str, keeping: Profile
) -> None:
    land(session, store, keeping, row(1))
    for date in (FRIDAY, SATURDAY):
        judge(store, date)
    assert note_dates(session, keeping, float("inf"), before=NOW)
    with closing(psycopg2.connect(store_dsn)) as removing, removing.cursor() as cursor:
        cursor.execute(statement("remove_pages"), _values(keeping))
        assert cursor.rowcount == 1  # and its locks are held
        execute(store, f"ALTER DATABASE {store.info.dbname} SET lock_timeout = '1s'")
        session.close()

        summary = drain(session, keeping, ScriptedSource(page(row(1), row(2))))

        removing.rollback()
    assert (summary.stopped_by, summary.new) == ("empty", 1)


def _values(profile: Profile) -> dict[str, object]:
    before = NOW - datetime.timedelta(days=profile.page_retention_days)
    return {"profile": profile.name, "before": before, "start": profile.start_date, "limit": 50}


def test_a_reread_of_a_removed_pages_rows_changes_nothing(
    session: Session, store: Connection, keeping: Profile
) -> None:
    land(session, store, keeping, row(1))
    for date in (FRIDAY, SATURDAY):
        judge(store, date)
    remove(session, keeping)

    summary = Reread(session, ScriptedSource(page(row(1))), Journal(keeping)).by_date(datetime.date(2026, 11, 13))

    assert (summary.new, summary.revised, summary.whole) == (0, 0, True)


def test_the_command_erases_an_invoices_texts_and_says_how_many(
    session: Session,
    store: Connection,
    store_dsn: str,
    profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drain(session, profile, ScriptedSource(page(comment(1, statustext="SALAISUUS"), row(1))))
    monkeypatch.setenv(STORE_VARIABLE, store_dsn)
    asked = ["erase", "--profile", "default", "--by", "Aino", "--note", "asked for", "--billnum"]

    assert retention.main([*asked, "10001"]) == 0
    told = capsys.readouterr()
    assert retention.main([*asked, "4711"]) == 1

    assert told.out == (
        "Profile default, invoice 10001: erased the texts of 2 events, 0 revisions, 0 rows in quarantine and 1 raw "
        "page, and the labels of 0 reconciliations.\n"
    )
    assert "SALAISUUS" not in told.out + told.err
    assert capsys.readouterr().err == "Profile default: no row of invoice 4711 is known\n"
    assert column(store, "SELECT statustext FROM ropo.status_event ORDER BY statusid") == ["", "1"]


def test_the_command_erases_a_jobs_texts_where_no_row_names_its_number(
    session: Session,
    store: Connection,
    store_dsn: str,
    profile: Profile,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drain(session, profile, ScriptedSource(page(comment(1, billnum="", statustext="SALAISUUS"))))
    monkeypatch.setenv(STORE_VARIABLE, store_dsn)
    asked = ["erase", "--profile", "default", "--by", "Aino", "--note", "asked for", "--jobid"]

    assert retention.main([*asked, "3000001"]) == 0
    assert retention.main([*asked, "4711"]) == 1

    told = capsys.readouterr()
    assert told.out.startswith("Profile default, job 3000001: erased the texts of 1 event, ")
    assert told.err == "Profile default: no row of job 4711 is known\n"
    assert column(store, "SELECT statustext FROM ropo.status_event") == [""]


def test_what_postgresql_refuses_of_the_command_is_one_line(
    session: Session,
    store: Connection,
    profile: Profile,
    postgres: Server,
    store_name: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    drain(session, profile, ScriptedSource(page(comment(1, statustext="SALAISUUS"))))
    # A role that may read, and nothing else.
    execute(store, "GRANT USAGE ON SCHEMA ropo TO ropo_store; GRANT SELECT ON ALL TABLES IN SCHEMA ropo TO ropo_store")
    monkeypatch.setenv(STORE_VARIABLE, postgres.dsn(store_name, "ropo_store"))

    code = retention.main(
        ["erase", "--profile", "default", "--by", "Aino", "--note", "asked for", "--billnum", "10001"]
    )

    told = capsys.readouterr()
    assert (code, told.out, told.err.count("\n")) == (1, "", 1)
    assert told.err.startswith("PostgreSQL refuses it: permission denied for table ")
