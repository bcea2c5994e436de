"""Indexes for what the page lists: differing items of a reconciliation, open breaks by age and money."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0090"
down_revision = "0080"


def upgrade() -> None:
    """Add the indexes."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
