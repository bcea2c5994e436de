"""An event's two names stand in one index, in which a full comparison reads them without the events themselves."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0470"
down_revision = "0460"


def upgrade() -> None:
    """Make the index by jobid anew, with the number in it."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
