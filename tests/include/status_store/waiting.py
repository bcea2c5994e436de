"""Waiting on a condition, and for a database to be in a state that another session has brought about."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from psycopg2.extensions import connection as Connection


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    """Run ``work`` in a thread beside the block; what it raises is raised at the block's end."""
    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below, in the test's own thread
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    thread.join(60)
    if thread.is_alive():
        raise TimeoutError("the thread beside the test did not end")
    if failed:
        raise failed[0]


def others(store: Connection, condition: str = "true") -> list[int]:
    """The backends of this database but the asking one, as they are now."""
    with store.cursor() as cursor:
        # Within a transaction PostgreSQL would show again what it showed at the first look.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            f"AND backend_type = 'client backend' AND {condition}"
        )
        return [pid for (pid,) in cursor.fetchall()]


def waiting_for_a_lock(store: Connection) -> list[int]:
    """Those of them that wait for a lock."""
    return others(store, "wait_event_type = 'Lock'")


def terminate(store: Connection, pids: list[int]) -> None:
    """End these backends, and wait until they are gone."""
    with store.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", (pids,))
    until(lambda: not set(pids) & set(others(store)))
