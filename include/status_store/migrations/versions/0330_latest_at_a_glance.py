"""The latest reconciliation of each date, and the newest of a profile, are read from indexes alone."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0330"
down_revision = "0320"


def upgrade() -> None:
    """Make the indexes."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
