"""Which tasks are under way, so that one whose process was killed is told."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0230"
down_revision = "0220"


def upgrade() -> None:
    """Add the table."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
