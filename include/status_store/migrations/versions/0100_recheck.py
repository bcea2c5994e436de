"""The newest reconciliation of each business date, and when it was last looked at."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0100"
down_revision = "0090"


def upgrade() -> None:
    """Add the table, and fill it from what is recorded."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
