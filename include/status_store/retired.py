"""Profiles that are retired for good: the profiles file lacks them, and somebody has said that it is to.

It stands in the register of alerts, under the profile's own name: what a profile's watch no longer finds is over, so
that one that is put back into the file is not retired any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.status_store.required import required_text

if TYPE_CHECKING:
    from collections.abc import Collection

    from psycopg2.extensions import cursor as Cursor

TOPIC = "missing_profile"
_RETIRE = """
INSERT INTO ropo.alert (profile, topic, subject, fingerprint, found_at)
SELECT profile, %(topic)s, profile, %(why)s, clock_timestamp()
FROM ropo.profile_pin
WHERE profile = %(profile)s
ON CONFLICT (profile, topic, subject) DO UPDATE
SET fingerprint = excluded.fingerprint, found_at = excluded.found_at, ended_at = NULL
"""


class NotToRetireError(LookupError):
    """The store has no such profile, or it is in use."""


def retire(cursor: Cursor, profile: str, known: Collection[str], *, by: str, note: str) -> None:
    """Keep that a profile is retired, by whom and why; what the store has of it stays.

    :param known: names of the profiles file.
    :raises NotToRetireError: if the file has it, or the store never drained it.
    :raises ValueError: if the note or the name is empty.
    """
    by, note = required_text("by", by), required_text("note", note)
    if profile in known:
        raise NotToRetireError(f"Profile {profile} is in the profiles file: take it out first, then retire it")
    cursor.execute(_RETIRE, {"topic": TOPIC, "profile": profile, "why": f"retired by {by}: {note}"})
    if not cursor.rowcount:
        raise NotToRetireError(f"The store has no profile {profile}: nothing was ever drained under that name")
