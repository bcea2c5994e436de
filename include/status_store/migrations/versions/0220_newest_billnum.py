"""Which invoice number a job has, for the page."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0220"
down_revision = "0210"


def upgrade() -> None:
    """Add the function."""
    # Straight to the driver: the text has colons that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
