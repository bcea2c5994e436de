"""The parts of a comparison that are a reconciliation each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.reconciliation.statements import statement

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_DATES = """
INSERT INTO part (business_date, invoice_key, is_out_of_scope)
SELECT member.business_date, invoice_key, population.is_out_of_scope
FROM member
JOIN population USING (invoice_key);
CREATE INDEX ON part (business_date);
ANALYZE part
"""


def take_dates(cursor: Cursor) -> None:
    """Take the population of each wanted date as a part of its own."""
    cursor.execute(_DATES)


def take_unsettled(cursor: Cursor, profile: Profile, day: datetime.date) -> None:
    """Take a full comparison's part: all but what is matched, ended or paid on both sides, and without a break."""
    cursor.execute(statement("take_unsettled"), {"profile": profile.name, "business_date": day})
    cursor.execute("ANALYZE part")
