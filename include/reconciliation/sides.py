"""The sessions and transactions in which both sides are read: ended whatever happens, told apart where one fails."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg2

from include.reconciliation.ledger import LedgerReader
from include.reconciliation.ledger_contract import LedgerContractError
from include.status_store.database import (
    GIVEN_UP,
    NEVER_ENDED_IDLE,
    SESSION,
    WHO_HOLDS,
    StoreUnavailableError,
    first_line,
    give_up_after,
    is_of_the_server,
    why_read_only,
)

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

    from include.config.profiles import Profile


# What a row or a function of the ERP's SELECT may end in: no server that comes back mends it.
_OF_THE_SELECT = (psycopg2.DataError, psycopg2.ProgrammingError, psycopg2.errors.ReadOnlySqlTransaction)


class LedgerUnavailableError(RuntimeError):
    """The ledger's database cannot be reached, was lost, or refused a statement while it was read."""


def connect_ledger(dsn: str, profile: Profile, *, longest: datetime.timedelta | None = None) -> Connection:
    """Open a session of the ledger's database, with the keepalives of the store's: a server that vanished is noticed.

    :param dsn: libpq connection string or URI.
    :param longest: after which PostgreSQL gives a statement up, as one that waits for the ERP's loader; by default it
        never does.
    :raises LedgerUnavailableError: if PostgreSQL does not let us in; naming profile and connection. The message
        holds no password.
    """
    try:
        connection: Connection = psycopg2.connect(dsn, **SESSION)
        with connection.cursor() as cursor:
            cursor.execute(NEVER_ENDED_IDLE)
            give_up_after(cursor, longest)
        connection.commit()
    except psycopg2.OperationalError as error:
        raise LedgerUnavailableError(
            f"Profile {profile.name}: the ledger (connection {profile.ledger.connection}) cannot be reached: "
            f"{first_line(error)}. Nothing is recorded; run it again when that is mended"
        ) from None
    return connection


@contextmanager
def store_transaction(store: Connection, what: str) -> Iterator[None]:
    """End the store's transaction: nothing after a commit in the block, whatever was done before an error.

    :param what: profile and date that it is about, for the error.
    :raises StoreUnavailableError: if the connection was lost, the store gave a statement up, may only be read, or
        its server lacks space, say.
    """
    try:
        yield
    except GIVEN_UP as error:
        raise StoreUnavailableError(
            f"{what}: the store gave a statement up: {first_line(error)}. {WHO_HOLDS}; then run it again"
        ) from error
    except psycopg2.errors.ReadOnlySqlTransaction as error:
        if error.cursor is None or error.cursor.connection is not store:
            raise
        raise StoreUnavailableError(f"{what}: {why_read_only(store)}; then run it again") from error
    except psycopg2.Error as error:
        if store.closed:
            raise StoreUnavailableError(
                f"{what}: the store's connection was lost ({type(error).__name__}). Nothing of this comparison is "
                "recorded unless it was committed before; run it again"
            ) from error
        if is_of_the_server(error):
            raise StoreUnavailableError(
                f"{what}: the store takes no comparison: {first_line(error)}. Run it again when that is mended"
            ) from error
        raise
    finally:
        with suppress(psycopg2.Error):  # a lost connection cannot be rolled back, and needs not
            store.rollback()


@contextmanager
def ledger_transaction(ledger: Connection, profile: Profile) -> Iterator[LedgerReader]:
    """Read the ledger in one transaction, and end it.

    :param ledger: a session of the ledger's database that is in no transaction.
    :raises LedgerContractError: if the profile's SELECT does not keep the contract, or stumbles over a row.
    :raises LedgerUnavailableError: if the ledger's database fails; naming profile and connection.
    """
    try:
        yield LedgerReader(ledger, profile)
    except psycopg2.Error as error:
        is_of_ledger = error.cursor is not None and error.cursor.connection is ledger
        if is_of_ledger and isinstance(error, _OF_THE_SELECT):
            raise LedgerContractError(profile, f"PostgreSQL cannot give its rows: {first_line(error)}") from error
        if is_of_ledger or ledger.closed:
            raise LedgerUnavailableError(
                f"Profile {profile.name}: the ledger (connection {profile.ledger.connection}) failed while it was "
                f"read: {first_line(error)}. Nothing is recorded; run it again when that is mended"
            ) from error
        raise
    finally:
        with suppress(psycopg2.Error):
            ledger.rollback()
