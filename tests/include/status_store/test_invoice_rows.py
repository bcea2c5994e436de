"""An invoice's rows are found by every name that the store knows it by, and its texts are erased by each."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import pytest

from include.status_store.database import connect
from include.status_store.erasure import NotDealtWithError, NothingToEraseError, TextErasure
from include.status_store.invoice_rows import InvoiceRows
from include.status_store.replay import replay
from include.status_store.session import Session
from include.status_store.statements import statement
from tests.include.status_store.erasing import DATE, NOW, OTHER, SECRET, by_date, erase, places_of
from tests.include.status_store.scripted_source import ScriptedSource, page, row
from tests.include.status_store.test_redaction import comment
from tests.include.status_store.views import column, drain, execute

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.erasure import Erased
    from tests.include.reconciliation.world import World
    from tests.include.status_store.views import Parameters


def erase_job(session: Session, profile: Profile, jobid: str) -> Erased:
    return TextErasure(session, profile, by="Aino", note="asked for by the customer").of_job(jobid)


def test_a_job_whose_number_the_ledger_alone_names(
    session: Session, store: Connection, world: World, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(comment(1, billnum="", statustext=SECRET))))
    world.reconcile(DATE, now=NOW)

    assert erase(session, profile, "10001").events == 1

    assert places_of(store, SECRET) == set()
    assert column(store, "SELECT DISTINCT jobids FROM ropo.text_erasure") == [["3000001"]]


class Between:
    """A cursor after one statement of which somebody else does something."""

    def __init__(self, cursor: Cursor, after: str, work: Callable[[], object]) -> None:
        self._cursor, self._after, self._work = cursor, after, work

    def execute(self, query: str, values: Parameters) -> None:
        """Execute it, and then let them."""
        self._cursor.execute(query, values)
        if query == self._after:
            self._work()

    def __getattr__(self, name: str) -> object:
        return getattr(self._cursor, name)


def test_a_row_that_a_replay_takes_meanwhile_is_waited_for(
    session: Session, store: Connection, store_dsn: str, profile: Profile
) -> None:
    drain(session, profile, ScriptedSource(page(comment(1, statustext=SECRET))))
    raw = json.dumps(comment(2, billnum="10001", statustext=SECRET)).encode()
    execute(
        store,
        "INSERT INTO ropo.status_quarantine "
        "(profile, poll_id, ordinal, raw, sha256, error, first_seen_at, last_seen_at) "
        "VALUES ('default', 1, 3, %s, sha256(%s), 'an earlier parser', now(), now())",
        (raw, raw),
    )

    def taken() -> None:
        with Session(lambda: connect(store_dsn)) as other:
            assert replay(other, profile).rows == 1

    with session.transaction() as cursor:
        between = Between(cursor, statement("events_of_invoice"), taken)
        rows = InvoiceRows(cast("Cursor", between), profile.name, billnum="10001")

    assert (rows.waiting or "").startswith("1 row in quarantine")


def test_a_job_of_another_number_stays_though_the_ledgers_row_names_both(
    session: Session, store: Connection, world: World, profile: Profile
) -> None:
    """The ERP has the jobid wrong: another debtor's."""
    world.row("10007", "open", "50.00", jobid="3000009")
    drain(session, profile, ScriptedSource(page(comment(9, statustext=OTHER), comment(7, statustext=SECRET))))
    world.reconcile(DATE, now=NOW)

    erase(session, profile, "10007")

    assert places_of(store, SECRET) == set()
    assert "status_event.statustext" in places_of(store, OTHER)


def test_the_number_that_a_row_had_before_it_was_renumbered(
    session: Session, store: Connection, profile: Profile
) -> None:
    first = comment(1, billnum=" 10001\u00a0", statustext=SECRET)
    drain(session, profile, ScriptedSource(page(first)))
    by_date(session, profile, ScriptedSource(page({**first, "billnum": "77777", "statustext": f"{SECRET} anew"})))

    done = erase(session, profile, "10001")

    assert (done.events, done.revisions, places_of(store, SECRET)) == (1, 1, set())


def test_a_renumbered_row_beside_another_that_has_the_number_still(
    session: Session, store: Connection, profile: Profile
) -> None:
    first, second = comment(1, statustext=SECRET, jobid=""), comment(2, billnum=10001, statustext="x", jobid="")
    drain(session, profile, ScriptedSource(page(first, second)))
    by_date(session, profile, ScriptedSource(page({**first, "billnum": "77777", "statustext": "new"}, second)))

    assert erase(session, profile, "10001").events == 2

    assert places_of(store, SECRET) == set()


def test_all_rows_of_a_job_that_came_with_the_number_only_before(
    session: Session, store: Connection, profile: Profile
) -> None:
    first, second = comment(1), comment(2, jobid=3_000_001, billnum="77777", statustext=SECRET)
    drain(session, profile, ScriptedSource(page(first, second)))
    by_date(session, profile, ScriptedSource(page({**first, "billnum": "77777"}, second)))

    assert erase(session, profile, "10001").events == 2

    assert places_of(store, SECRET) == set()


def test_a_job_alone_by_its_jobid(session: Session, store: Connection, profile: Profile) -> None:
    of_number = comment(2, billnum="10001", jobid="", statustext=OTHER)
    moved = comment(3, jobid=3_000_001, statustext=SECRET)
    drain(session, profile, ScriptedSource(page(comment(1, billnum="", statustext=SECRET), of_number, moved)))
    by_date(session, profile, ScriptedSource(page({**moved, "jobid": 3_000_003})))

    assert erase_job(session, profile, " 3000001 ").events == 2

    assert places_of(store, SECRET) == set()
    assert "status_event.statustext" in places_of(store, OTHER)
    assert column(store, "SELECT DISTINCT jobids FROM ropo.text_erasure WHERE billnum IS NULL") == [["3000001"]]


def test_a_row_in_quarantine_of_a_job_whose_number_the_ledger_alone_names_is_dealt_with_first(
    session: Session, world: World, profile: Profile
) -> None:
    world.reconcile(DATE, now=NOW)
    drain(session, profile, ScriptedSource(page(row(1, billnum="", amount="much"))))
    world.reconcile(DATE, now=NOW)

    with pytest.raises(NotDealtWithError, match="1 row in quarantine"):
        erase(session, profile, "10001")


def test_an_invoice_that_was_compared_is_not_said_to_be_unknown_though_no_row_speaks_of_it(
    session: Session, store: Connection, world: World, profile: Profile
) -> None:
    world.reconcile(DATE, now=NOW, scope="full")
    assert column(store, "SELECT count(*) FROM ropo.reconciliation_item WHERE billnum = '10001'") == [1]

    assert erase(session, profile, "10001").events == 0


# What Ropo One has not spoken of goes by its job, and bears the ledger's number.
@pytest.mark.parametrize("key", ["b:10001", "j:3000001"])
def test_what_was_compared_of_another_profile_makes_no_invoice_known(
    session: Session, store: Connection, world: World, profile: Profile, key: str
) -> None:
    world.reconcile(DATE, now=NOW, scope="full")
    moved = "UPDATE ropo.reconciliation_item SET profile = 'other', invoice_key = %s WHERE billnum = '10001'"
    assert execute(store, moved, (key,)) == 1

    with pytest.raises(NothingToEraseError, match="no row of invoice 10001 is known"):
        erase(session, profile, "10001")


@pytest.mark.parametrize("which", ["of_invoice", "of_job"])
def test_a_name_must_be_said(session: Session, profile: Profile, which: str) -> None:
    with pytest.raises(ValueError, match="expected a text, it is empty"):
        getattr(TextErasure(session, profile, by="Aino", note="asked for"), which)(" ")
