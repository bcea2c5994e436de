"""Rows' JSON kept as it came, and which pages wait for a replay."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0140"
down_revision = "0130"


def upgrade() -> None:
    """Change the columns, and add the view."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
