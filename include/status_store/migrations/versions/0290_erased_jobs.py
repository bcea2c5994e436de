"""An erasure names the jobs whose texts it erased, so that one may be of a job alone."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0290"
down_revision = "0280"


def upgrade() -> None:
    """Add the column; an invoice is named by its number or by its jobs."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
