"""A session survives the loss of its connection, and does not try again what can never work."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from include.status_store.database import StoreUnavailableError, connect
from include.status_store.session import Session, may_pass, takes_transactions
from local_airflow.cluster import free_port
from local_airflow.waiting import until
from tests.include.status_store.views import column, execute
from tests.include.status_store.waiting import others, terminate

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

PIN = "INSERT INTO ropo.profile_pin (profile, host, cid) VALUES (%s, 'h', %s)"


def pins(store: Connection) -> list[object]:
    return column(store, "SELECT profile FROM ropo.profile_pin ORDER BY profile")


def insert(name: str) -> Callable[[Cursor], None]:
    return lambda cursor: cursor.execute(PIN, (name, name))


def test_a_block_that_raises_is_rolled_back_and_the_session_goes_on(session: Session, store: Connection) -> None:
    with pytest.raises(ValueError, match="ours"), session.transaction() as cursor:  # noqa: PT012 - the block is the test
        insert("lost")(cursor)
        raise ValueError("ours")
    with session.transaction() as cursor:
        insert("kept")(cursor)

    assert pins(store) == ["kept"]


def test_work_is_done_again_on_a_new_connection(session: Session, store: Connection) -> None:
    tries: list[int] = []

    def work(cursor: Cursor) -> None:
        insert("kept")(cursor)
        tries.append(cursor.connection.info.backend_pid)
        if len(tries) == 1:
            terminate(store, others(store))

    session.insist(work)

    assert len(set(tries)) == 2
    assert pins(store) == ["kept"]


def test_a_store_that_is_set_to_read_only_is_told_as_that_and_with_what_to_run(
    store_dsn: str, store_name: str, store: Connection
) -> None:
    execute(store, f"ALTER DATABASE {store_name} SET default_transaction_read_only = on")
    with Session(lambda: connect(store_dsn)) as session:
        with (
            pytest.raises(StoreUnavailableError, match="is set to read-only") as caught,
            session.transaction() as cursor,
        ):
            insert("refused")(cursor)
        assert f'ALTER DATABASE "{store_name}" RESET default_transaction_read_only' in str(caught.value)
        assert "lost" not in str(caught.value)

        # What is set is known to a new connection alone.
        execute(store, f"SET default_transaction_read_only = off; ALTER DATABASE {store_name} RESET ALL")
        session.insist(insert("kept"))

    assert pins(store) == ["kept"]


def test_a_store_that_is_away_is_told_with_its_cause(store_dsn: str, caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    def open_or_fail() -> Connection:
        tries.append(1)
        return connect(store_dsn if len(tries) > 1 else make_dsn(store_dsn, port=free_port()))

    with closing(Session(open_or_fail)) as session:
        session.insist(insert("kept"))
    [told] = [record.getMessage() for record in caplog.records if "trying again" in record.getMessage()]
    assert told.startswith(
        "The store did not take a transaction (The store (connection ropo_store) cannot be reached: "
    )


def test_a_loss_is_a_loss_by_whatever_name_the_driver_gives_it(session: Session, store: Connection) -> None:
    """An idle transaction's end comes as an InternalError, which is not among the operational ones."""
    tries = 0

    def work(cursor: Cursor) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
            until(lambda: not others(store))
        insert("kept")(cursor)

    session.insist(work)

    assert (tries, pins(store)) == (2, ["kept"])


def test_a_server_that_only_reads_is_left_for_one_that_writes(session: Session, store: Connection) -> None:
    """As after a failover: the connection to the former primary is alive, and refuses every page."""
    tries = 0

    def work(cursor: Cursor) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            cursor.execute("SET TRANSACTION READ ONLY")
        insert("kept")(cursor)

    before = session.connection.info.backend_pid
    session.insist(work)

    assert (tries, pins(store)) == (2, ["kept"])
    assert session.connection.info.backend_pid != before


def test_our_own_mistake_is_not_tried_again(session: Session) -> None:
    tries = 0

    def work(cursor: Cursor) -> None:
        nonlocal tries
        tries += 1
        cursor.execute("SELECT no_such_column FROM ropo.status_poll")

    with pytest.raises(psycopg2.errors.UndefinedColumn):
        session.insist(work)

    assert tries == 1


def test_patience_with_a_store_that_stays_away_ends(store_dsn: str) -> None:
    nobody_listens = make_dsn(store_dsn, port=free_port())

    with (
        Session(lambda: connect(nobody_listens), patience=0.5) as session,
        pytest.raises(StoreUnavailableError, match="cannot be reached"),
    ):
        session.insist(insert("never"))


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (psycopg2.errors.DeadlockDetected(), True),
        (psycopg2.errors.AdminShutdown(), True),
        (psycopg2.errors.DiskFull(), True),
        (psycopg2.InterfaceError("connection already closed"), True),
        (StoreUnavailableError("away"), True),
        (psycopg2.errors.UniqueViolation(), False),
        (ValueError("ours"), False),
    ],
)
def test_errors_are_told_apart_by_whether_they_may_pass(error: Exception, passes: bool) -> None:
    assert may_pass(error) is passes


def test_a_key_that_no_index_takes_never_passes(session: Session) -> None:
    name = "".join(chr(number) for number in range(0x4E00, 0x4E00 + 5000))

    with pytest.raises(psycopg2.errors.ProgramLimitExceeded) as caught:
        session.insist(insert(name))

    assert not may_pass(caught.value)


def test_a_statement_that_took_too_long_is_not_a_store_that_takes_nothing(session: Session) -> None:
    with pytest.raises(psycopg2.errors.QueryCanceled), takes_transactions(), session.transaction() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 50; SELECT pg_sleep(10)")


def test_a_full_segment_of_shared_memory_is_told_as_no_full_disk(session: Session) -> None:
    raised = """
        DO $$
        BEGIN
            RAISE 'could not resize shared memory segment "/PostgreSQL.15" to 16777216 bytes: No space left on device'
            USING ERRCODE = 'disk_full';
        END
        $$
    """
    with (
        pytest.raises(StoreUnavailableError, match=r"No space left on device\. No disk is full: .*shm_size"),
        takes_transactions(),
        session.transaction() as cursor,
    ):
        cursor.execute(raised)
