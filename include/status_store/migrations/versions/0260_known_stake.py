"""Of which differences it is known what is at stake, and since when a break's invoice was seen again."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0260"
down_revision = "0250"


def upgrade() -> None:
    """Add the functions."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
