"""Events are found by their day through when they were stored: a drain keeps one index over times, not two."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0410"
down_revision = "0400"


def upgrade() -> None:
    """Note the days of the events that are held, and make what finds them."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
