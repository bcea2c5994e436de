"""Comparisons of one business date come one after the other, and each starts from what the one before has left."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, TypeVar

import tenacity
from psycopg2.errors import DeadlockDetected, SerializationFailure

from include.reconciliation.statements import statement

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Collection

    from psycopg2.extensions import cursor as Cursor

logger = logging.getLogger(__name__)
T = TypeVar("T")

ATTEMPTS = 10
_NEWEST = """
UPDATE ropo.reconciled_date SET reconciliation_id = %s WHERE profile = %s AND business_date = %s AND scope = %s
"""


class NoTurnError(RuntimeError):
    """Other comparisons of the same dates came first, time and again."""


def in_turn(work: Callable[[], T], what: str) -> T:
    """Do ``work``, a whole transaction, and again from the start where another one came before it.

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
    scope: str,
    status_map_version: str,
    now: datetime.datetime,
) -> None:
    """Take the turn for some business dates: wait until nobody else compares any of them, until the transaction ends.

    :param cursor: in a transaction that is REPEATABLE READ and has read nothing that it relies on.
    :raises psycopg2.errors.SerializationFailure: where it had to wait, or came too late; see :func:`in_turn`.
    """
    values = {"profile": profile, "dates": sorted(dates), "scope": scope, "version": status_map_version, "now": now}
    cursor.execute(statement("claim_dates"), values)


def make_newest(
    cursor: Cursor, reconciliation_id: int, *, profile: str, business_date: datetime.date, scope: str
) -> None:
    """Write that a reconciliation is its date's newest one; its date was claimed."""
    cursor.execute(_NEWEST, (reconciliation_id, profile, business_date, scope))


def _tell(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    logger.info("Another comparison came first (%s); comparing again", type(error).__name__)
