"""What a person opens again: with a note, and flagged in a signed period without a reconciliation that shows it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0270"
down_revision = "0260"


def upgrade() -> None:
    """Change the constraints and add the index."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
