"""What a difference rests on beyond the two sides' states and amounts: other rows of the ledger, and unmapped codes."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0120"
down_revision = "0110"


def upgrade() -> None:
    """Add the column, and take it into the evidence of a break."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
