"""Comparisons of one business date come one after the other, and each starts from what the one before has left.

A comparison waits for its turn before it takes its snapshot, so that waiting costs it nothing but time. Its own
transaction proves that nobody came before it all the same.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import psycopg2
import tenacity
from psycopg2.errors import DeadlockDetected, SerializationFailure

from include.reconciliation.sides import store_transaction
from include.reconciliation.statements import statement
from include.status_store.lock_key import lock_key

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Collection, Iterator

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Scope

logger = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 10
# A comparison of one date shares its profile's lock with those of other dates; one of many dates has it for itself. The
# locks are the session's and outlast its transactions. A pooler may give each of these another backend; nobody could
# give a lock back: behind one, where the backend is another than libpq was told of, none is taken.
_TAKE = """
SET LOCAL lock_timeout = '1h';
SELECT pg_advisory_lock_shared(%(all)s), pg_advisory_lock(%(one)s) WHERE pg_backend_pid() = %(backend)s
"""
_TAKE_ALL = """
SET LOCAL lock_timeout = '1h';
SELECT pg_advisory_lock(%(all)s) WHERE pg_backend_pid() = %(backend)s
"""
_GIVE_BACK = "SELECT pg_advisory_unlock(%(one)s), pg_advisory_unlock_shared(%(all)s)"
_GIVE_ALL_BACK = "SELECT pg_advisory_unlock(%(all)s)"
_NEWEST = """
UPDATE ropo.reconciled_date SET reconciliation_id = %s WHERE profile = %s AND business_date = %s AND scope = %s
"""


class NoTurnError(RuntimeError):
    """Other comparisons of the same dates came first, time and again."""


class Turn:
    """The turn of a comparison.

    :param store: its session; in no transaction where the turn is taken.
    :param what: profile and date that it is about, for errors.
    :param date: None: of whichever dates of the profile.
    """

    def __init__(
        self, store: Connection, what: str, *, profile: str, scope: str, date: datetime.date | None = None
    ) -> None:
        self._store = store
        self._what = what
        self._is_of_all = date is None
        self._values = {
            "all": lock_key("turn", profile, scope),
            "one": lock_key("turn", profile, scope, str(date)),
        }

    def do(self, work: Callable[[], T]) -> T:
        """Do ``work``, a whole transaction, when it is its turn.

        :raises NoTurnError: as :func:`in_turn`.
        :raises StoreUnavailableError: if the store is lost, or the turn does not come within an hour.
        """
        with self._held():
            return in_turn(work, self._what)

    @contextmanager
    def _held(self) -> Iterator[None]:
        may_be_held = True
        try:
            may_be_held = self._take()
            yield
        finally:
            if may_be_held:
                self._give_back()

    def _take(self) -> bool:
        """Wait for the turn; tell whether it is held then."""
        with store_transaction(self._store, self._what), self._store.cursor() as cursor:
            backend = self._store.info.backend_pid
            cursor.execute(_TAKE_ALL if self._is_of_all else _TAKE, {**self._values, "backend": backend})
            return cursor.fetchone() is not None

    def _give_back(self) -> None:
        # A session that is lost took it along.
        with suppress(psycopg2.Error), self._store, self._store.cursor() as cursor:
            cursor.execute(_GIVE_ALL_BACK if self._is_of_all else _GIVE_BACK, self._values)


def in_turn(work: Callable[[], T], what: str) -> T:
    """Do ``work``, a whole transaction, and again from the start where another one came before it all the same.

    Its snapshot is older than what the other has committed then, so that nothing of it may be recorded.

    :param what: profile and date that it is about, for the error.
    :raises NoTurnError: if another one came before it ten times.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type((SerializationFailure, DeadlockDetected)),
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_random(0, 0.2),
        before_sleep=_tell,
    )
    try:
        result: T = retrying(work)
    except tenacity.RetryError as error:
        raise NoTurnError(
            f"{what}: other comparisons of the same dates came first {ATTEMPTS} times, such as those of a backfill. "
            "Nothing is recorded; run it again when they are done"
        ) from error
    return result


def claim(
    cursor: Cursor,
    profile: str,
    dates: Collection[datetime.date],
    *,
    scope: Scope,
    rules_version: str,
    now: datetime.datetime,
    is_blind: bool = False,
) -> None:
    """Claim some business dates in a comparison's transaction: nobody else records of any of them until it ends.

    :param cursor: in a transaction that is REPEATABLE READ and has read nothing that it relies on.
    :param rules_version: by which they are compared (:func:`include.reconciliation.comparison.rules_version`).
    :param is_blind: the ledger shows nothing, so that this is not when they were last looked at.
    :raises psycopg2.errors.SerializationFailure: if it had to wait, or came too late, though it was its turn; see
        :func:`in_turn`.
    """
    values = {
        "profile": profile,
        "dates": sorted(dates),
        "scope": scope,
        "rules_version": rules_version,
        "now": now,
        "is_blind": is_blind,
    }
    cursor.execute(statement("claim_dates"), values)


def make_newest(
    cursor: Cursor, reconciliation_id: int, *, profile: str, business_date: datetime.date, scope: Scope
) -> None:
    """Write that a reconciliation is its date's newest one; its date was claimed."""
    cursor.execute(_NEWEST, (reconciliation_id, profile, business_date, scope))


def _tell(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.info("Another comparison came first (%s); comparing again", type(error).__name__)
