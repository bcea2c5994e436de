"""What a topic of alerts is, and how it is told."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Protocol

from include.status_store.session import takes_transactions
from include.watch.alert import Alert, compose
from include.watch.register import Register

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.session import Session
    from include.watch.alert import Matter

# What a topic with a single subject finds: it needs no name, and says the same while it holds.
THE_ONE: Mapping[str, str] = {"": ""}


class Topic(Protocol):
    """Something that people are told of, as the store shows it."""

    profile: Profile
    now: datetime.datetime
    name: str
    plural: str
    # Whether what it finds is everything there is, so that what it does not find is over.
    is_everything: bool

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return every subject that holds now, with the fingerprint of what is to be told of it."""

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:
        """Return what is to be told of subjects that were found."""


def tell(session: Session, topic: Topic, send: Callable[[Alert], None], *, base_url: str) -> int:
    """Send one message of all that is new in a topic, or due as a reminder; nothing where nothing is.

    What was told is committed after it was sent: where sending fails, it is told by the next run.

    :param send: raises where the message did not leave.
    :param base_url: of Airflow's UI, for links.
    :return: how many matters were told.
    :raises StoreUnavailableError: if the store is away or takes no transaction, for want of disk space say.
    """
    remind = datetime.timedelta(hours=topic.profile.alerts.remind_hours)
    with takes_transactions(), session.transaction() as cursor:
        found = topic.found(cursor)
        register = Register(cursor, topic.profile.name, topic.name, now=topic.now, remind=remind)
        if topic.is_everything:
            register.end_others(found)
        due = register.due(found)
        if due:
            matters = topic.describe(cursor, due)
            send(compose(topic.profile.name, topic.name, topic.plural, matters, base_url))
            register.told(due)
    return len(due)
