"""A session of the store that survives the loss of its connection."""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import psycopg2
import tenacity

from include.status_store.database import (
    GIVEN_UP,
    WHO_HOLDS,
    StoreUnavailableError,
    first_line,
    is_of_the_server,
    why_read_only,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from psycopg2.extensions import connection as Connection
    from psycopg2.extensions import cursor as Cursor

    from include.status_store.database import Connect

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Deadlocks, a lost or refused connection, a full disk, a shutdown: PostgreSQL may take the same work a moment later.
_PASSING = (psycopg2.OperationalError, psycopg2.InterfaceError, StoreUnavailableError)
# SQLSTATE class 54, which psycopg2 counts among the operational errors: a value too large for an index or the stack
# stays so, however often it is tried.
_LIMIT_EXCEEDED = "54"


def may_pass(error: BaseException) -> bool:
    """Tell whether the store may take the same work a moment later."""
    return isinstance(error, _PASSING) and not _is_beyond_a_limit(error)


def is_of_a_value(error: BaseException) -> bool:
    """Tell whether the store refuses what it was given, so that it would take other values."""
    return isinstance(error, psycopg2.DataError | psycopg2.IntegrityError) or _is_beyond_a_limit(error)


def _is_beyond_a_limit(error: BaseException) -> bool:
    return (getattr(error, "pgcode", None) or "").startswith(_LIMIT_EXCEEDED)


@contextmanager
def takes_transactions() -> Iterator[None]:
    """Tell a store that answers and takes nothing, whose disk is full say, like one that is away.

    :raises StoreUnavailableError: with PostgreSQL's reason, if something in the block fails for one of the server's.
    """
    try:
        yield
    except psycopg2.Error as error:
        if not is_of_the_server(error):
            raise
        raise StoreUnavailableError(f"The store takes no transaction: {first_line(error)}") from error


class Session:
    """One session of the store at a time; a context manager that closes it.

    :param connect: opens a connection (:func:`include.status_store.database.connect` with its DSN).
    :param patience: seconds for which :meth:`insist` tries again while the store cannot be had.
    """

    def __init__(self, connect: Connect, *, patience: float = 300.0) -> None:
        self._connect = connect
        self._patience = patience
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def another(self) -> Session:
        """A further session of the same store, with the same patience."""
        return Session(self._connect, patience=self._patience)

    @property
    def connection(self) -> Connection:
        """The open connection; a new one where there was none or it was lost."""
        if self._connection is None or self._connection.closed:
            self._connection = self._connect()
        return self._connection

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        """Commit what is done in the block, or roll it back where it raises.

        :raises StoreUnavailableError: if the connection was lost, or may only read: on a former primary after a
            failover, or because the role is set so. The next transaction takes a new one.
        """
        connection = self.connection
        lost = "The store's connection was lost"
        try:
            with connection.cursor() as cursor:
                yield cursor
            connection.commit()
        except BaseException as error:
            if isinstance(error, GIVEN_UP):
                logger.warning("The store gave a statement up: %s. %s", first_line(error), WHO_HOLDS)
            if isinstance(error, psycopg2.errors.ReadOnlySqlTransaction):
                lost = f"The store takes nothing: {why_read_only(connection)}"
                connection.close()
            with suppress(psycopg2.Error):  # a lost connection cannot be rolled back, and needs not
                connection.rollback()
            # psycopg2 has several classes for a loss, depending on when the server could still say something.
            if isinstance(error, psycopg2.Error) and connection.closed:
                raise StoreUnavailableError(f"{lost} ({type(error).__name__})") from error
            raise

    def insist(self, work: Callable[[Cursor], T]) -> T:
        """Do ``work`` in a transaction, again on a new connection where the first was lost or the store is away.

        A commit whose answer was lost may have taken effect: ``work`` must find that out for itself, or not mind.

        :raises psycopg2.Error: if it fails for another reason, or still fails after the session's patience.
        :raises StoreUnavailableError: if the store is still away then.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(may_pass),
            stop=tenacity.stop_after_delay(self._patience),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=10),
            before_sleep=_tell,
            reraise=True,
        )
        result: T = retrying(self._once, work)
        return result

    def close(self) -> None:
        """End the session, and with it every lock that it holds."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()

    def _once(self, work: Callable[[Cursor], T]) -> T:
        with self.transaction() as cursor:
            return work(cursor)


def _tell(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    # Of PostgreSQL's own errors the class only: a message may quote a row.
    reason = str(error) if isinstance(error, StoreUnavailableError) else type(error).__name__
    logger.warning("The store did not take a transaction (%s); trying again", reason)
