"""An event's content is hashed where it is asked for, and the hash no longer kept beside it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0340"
down_revision = "0330"


def upgrade() -> None:
    """Make the function, and leave the column to events whose texts are erased."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
