"""What another consumer of the queue took and nothing has explained since, for the command, the alert and the page."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0170"
down_revision = "0160"


def upgrade() -> None:
    """Add the view."""
    # Straight to the driver: the text has colons that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
