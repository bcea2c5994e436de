"""Alerts that were told, so that each is told once and then only as a reminder."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0010"
down_revision = "0040"


def upgrade() -> None:
    """Create the table of alerts."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
