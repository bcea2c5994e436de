"""Matched items stand in no index by category: it is the differing ones that are listed by it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0480"
down_revision = "0470"


def upgrade() -> None:
    """Make the index by category anew, of differing items."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
