"""Breaks that live across days, what people decide about them, and the sign-off of a month."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0050"
down_revision = "0010"


def upgrade() -> None:
    """Add the tables, their functions and the view of breaks as they stand today."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
