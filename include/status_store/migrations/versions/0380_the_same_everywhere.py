"""Every store at this migration has the same, whatever its encoding is and whichever earlier checkouts migrated it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0380"
down_revision = "0370"


def upgrade() -> None:
    """Make what 0270 and 0360 make, which were shorter once; and, in SQL_ASCII, count characters and not bytes."""
    cursor = op.get_bind().connection.cursor()
    made = Path(__file__).with_name("0360_incompleteness_accepted.sql").read_text(encoding="utf-8")
    cursor.execute(made.replace("CREATE ", "CREATE OR REPLACE "))
    cursor.execute("ALTER TABLE ropo.period_sign_off_flag ALTER COLUMN reconciliation_id DROP NOT NULL")
    cursor.execute("SHOW server_encoding")
    if cursor.fetchone() == ("SQL_ASCII",):
        cursor.execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
