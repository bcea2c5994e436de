"""Ids are compared by their bytes, and lead the indexes that find an event by one."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0160"
down_revision = "0150"


def upgrade() -> None:
    """Change the columns, and make the indexes anew."""
    # Straight to the driver: the text has colons that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
