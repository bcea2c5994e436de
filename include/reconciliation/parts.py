"""The part of a comparison that is recorded as one reconciliation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.reconciliation.statements import statement

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_ALL = "INSERT INTO part SELECT invoice_key, is_out_of_scope FROM population; ANALYZE part"
_OF_DATE = """
TRUNCATE part;
INSERT INTO part
SELECT invoice_key, population.is_out_of_scope
FROM member
JOIN population USING (invoice_key)
WHERE member.business_date = %s;
ANALYZE part
"""


def take_all(cursor: Cursor) -> None:
    """Take the whole population: of one business date."""
    cursor.execute(_ALL)


def take_date(cursor: Cursor, day: datetime.date) -> None:
    """Take one of several business dates that are compared at once."""
    cursor.execute(_OF_DATE, (day,))


def take_unsettled(cursor: Cursor, profile: Profile) -> None:
    """Take, of a full comparison, all but what is matched, ended or paid on both sides, and without a break."""
    cursor.execute(statement("take_unsettled"), {"profile": profile.name})
    cursor.execute("ANALYZE part")
