"""A session of the store for what is no operator: callbacks and notifiers."""

from __future__ import annotations

from include.status_store.database import connect
from include.status_store.migrate import require_current
from include.status_store.session import Session
from ropo_one.profile_operator import STORE_CONNECTION, connection_dsn


def open_store() -> Session:
    """Open a session of the store, at the migration that this code needs.

    :raises StoreUnavailableError: naming the connection, and the command that mends it.
    """
    dsn = connection_dsn(STORE_CONNECTION)
    session = Session(lambda: connect(dsn))
    try:
        require_current(session.connection)
    except BaseException:
        session.close()
        raise
    return session
