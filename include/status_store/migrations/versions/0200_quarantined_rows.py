"""How often one answer had a row that is in quarantine, and which drain showed it."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0200"
down_revision = "0190"


def upgrade() -> None:
    """Add the columns."""
    # Straight to the driver: the text has colons that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
