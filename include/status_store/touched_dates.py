"""Which business dates a raw page bears on, noted on it once, so that it is not unpacked to tell that again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from include.status_store.envelope import split_rows
from include.status_store.page_body import unpack
from include.status_store.parsing import parse_rows
from include.status_store.statements import statement

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.session import Session

PAGES_AT_ONCE = 50


def note_dates(
    session: Session,
    profile: Profile,
    deadline: float,
    *,
    before: datetime.datetime | str = "-infinity",
    repeating: bool = False,
) -> bool:
    """Note on pages which dates they bear on, a batch a transaction; tell whether all have it noted.

    :param deadline: on the clock of ``time.monotonic``.
    :param before: pages that came before; ``repeating``: and those with texts that show rows which were held already.
    """
    after = 0
    while time.monotonic() < deadline:
        with session.transaction() as cursor:
            values = {"profile": profile.name, "before": before, "repeating": repeating}
            cursor.execute(statement("pages_to_date"), {**values, "after": after, "limit": PAGES_AT_ONCE})
            found = cursor.fetchall()
            if not found:
                return True
            for poll_id, body, encoding, *moments in found:
                _note(cursor, profile, poll_id, unpack(body, encoding), moments)
            after = found[-1][0]
    return False


def _note(cursor: Cursor, profile: Profile, poll_id: int, body: bytes, moments: Iterable[datetime.datetime]) -> None:
    dates = {event.statustime[:10] for event in parse_rows(split_rows(body), profile.zone).events}
    dates |= {profile.business_date(moment).isoformat() for moment in moments}
    cursor.execute(
        "UPDATE ropo.status_page SET touched_dates = %s::date[] WHERE poll_id = %s", (sorted(dates), poll_id)
    )
