"""How an event is read, in one place for the comparison and for the page."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0240"
down_revision = "0230"


def upgrade() -> None:
    """Add the function and the view, and let the function of 0220 use them."""
    # Straight to the driver: the text has colons that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
