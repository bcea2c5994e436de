"""An index for the events that came with other content on a date."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0180"
down_revision = "0170"


def upgrade() -> None:
    """Add the index."""
    # Straight to the driver: the text has colons that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
