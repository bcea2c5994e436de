"""One consumer of a queue: the pin of a profile to its queue, and the lock that a drain holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg2

from include.status_store.database import StoreUnavailableError
from include.status_store.lock_key import lock_key
from include.status_store.retry_after import Pause

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import cursor as Cursor

    from include.status_store.session import Session

_THIS_LOCK = """
locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND ((classid::bigint << 32) | objid::bigint) = %(lock)s AND objsubid = 1
"""
# Whether the backend of a transaction holds the lock whose key is the parameter ``lock``.
HELD = f"EXISTS (SELECT FROM pg_locks WHERE pid = pg_backend_pid() AND {_THIS_LOCK})"
_HOLDER = f"SELECT backend_start FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE {_THIS_LOCK}"  # noqa: S608 - of constants

_IS_QUIET = """
SELECT coalesce(greatest(%(since)s, max(greatest(opened_at, closed_at))) < clock_timestamp() - %(span)s, true)
FROM ropo.status_poll WHERE profile = %(profile)s AND kind = 'drain'
"""

# A poll that was never sent, or refused, brought nothing that could be another customer's.
_UNPIN = """
DELETE FROM ropo.profile_pin AS pinned
WHERE (profile = %(profile)s OR (host, cid) = (%(host)s, %(cid)s))
    AND (profile, host, cid) <> (%(profile)s, %(host)s, %(cid)s)
    AND NOT EXISTS (
        SELECT FROM ropo.status_poll AS poll
        WHERE poll.profile = pinned.profile AND poll.outcome NOT IN ('unsent', 'refused')
    );
"""
_PIN = """
INSERT INTO ropo.profile_pin (profile, host, cid) VALUES (%(profile)s, %(host)s, %(cid)s) ON CONFLICT DO NOTHING
"""


class QueueBusyError(RuntimeError):
    """Another drain holds this queue's lock.

    :param since: when the session that holds it began; None where it has ended meanwhile, or is another role's.
    """

    def __init__(self, message: str, since: datetime.datetime | None) -> None:
        super().__init__(message)
        self.since = since


class PinnedElsewhereError(RuntimeError):
    """A profile and a queue that belong to others already."""


class QueueLock:
    """PostgreSQL's advisory lock on one queue, held by the very session that commits the queue's pages.

    It belongs to the backend: where that is lost, or a proxy hands each transaction another one, :meth:`held` is false.

    :param queue: (host, cid).
    """

    def __init__(self, session: Session, queue: tuple[str, str]) -> None:
        self._session = session
        self._queue = queue
        self.key = lock_key(*queue)

    def acquire(self) -> None:
        """Take the lock without waiting for it.

        :raises QueueBusyError: if another session has it.
        """
        with self._session.transaction() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (self.key,))
            if cursor.fetchone() != (True,):
                cursor.execute(_HOLDER, {"lock": self.key})
                (since,) = cursor.fetchone() or (None,)
                host, cid = self._queue
                raise QueueBusyError(f"Another drain is reading the queue of customer {cid} at {host}", since)

    def held(self, cursor: Cursor) -> bool:
        """Tell whether the backend of ``cursor``'s transaction holds the lock."""
        cursor.execute(f"SELECT {HELD}", {"lock": self.key})
        return cursor.fetchone() == (True,)

    def release(self) -> None:
        """Give the lock back, if this session still has it; a session that was lost took it along."""
        try:
            with self._session.transaction() as cursor:
                if self.held(cursor):
                    cursor.execute("SELECT pg_advisory_unlock(%s)", (self.key,))
        except (psycopg2.Error, StoreUnavailableError):
            # It ends with its backend, and must not stand before the error that ended the drain.
            self._session.close()


def is_quiet(cursor: Cursor, profile: str, since: datetime.datetime | None, span: datetime.timedelta) -> bool:
    """Tell whether whoever holds a profile's queue has not polled for longer than ``span``, by the store's clock.

    :param since: of :class:`QueueBusyError`: nobody is quiet who has only just begun. Where it is None there is no more
        to go by than the polls.
    """
    cursor.execute(_IS_QUIET, {"profile": profile, "since": since, "span": span})
    return cursor.fetchone() == (True,)


def pin(cursor: Cursor, profile: str, queue: tuple[str, str]) -> Pause | None:
    """Pin ``profile`` to its queue at its first poll; later, check that it is still the same.

    A pin under which Ropo One has served nothing, as that of a host or customer number that was mistyped, gives way.

    :return: where Ropo One has asked not to be polled yet, for how long.
    :raises PinnedElsewhereError: if the profile was pinned to another queue, or the queue to another profile.
    """
    host, cid = queue
    cursor.execute(_UNPIN + _PIN, {"profile": profile, "host": host, "cid": cid})
    cursor.execute(
        "SELECT profile, host, cid, not_before, extract(epoch FROM not_before - clock_timestamp())::float8 "
        "FROM ropo.profile_pin WHERE profile = %s OR (host, cid) = (%s, %s)",
        (profile, host, cid),
    )
    pause = None
    for *found, until, seconds in cursor.fetchall():
        pinned = tuple(found)
        if pinned != (profile, host, cid):
            raise PinnedElsewhereError(
                f"Profile '{profile}' would read the queue of customer {cid} at {host}, but the store has profile "
                f"'{pinned[0]}' pinned to customer {pinned[2]} at {pinned[1]}. {_way_out(pinned, profile, cid)}"
            )
        pause = Pause.if_any(until, seconds)
    return pause


def _way_out(pinned: tuple[str, str, str], profile: str, cid: str) -> str:
    name, host, pinned_cid = pinned
    if name != profile:
        return (
            f"A queue has one profile for good, under whose name its history stands: where '{profile}' is that profile "
            f"renamed, name it '{name}' again; else put the connection right"
        )
    if pinned_cid != cid:
        return (
            "A profile has one queue for good: give the other customer number a profile name of its own, or put the "
            "connection right"
        )
    return (
        f"Put the connection right or, where Ropo One itself has moved from {host} for good, see docs/operating.md, "
        '"Where Ropo One has a new address"'
    )
