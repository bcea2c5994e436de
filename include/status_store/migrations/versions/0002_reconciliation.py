"""Reconciliations of business dates, and what each of them found of every invoice."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of the comparison's results."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
