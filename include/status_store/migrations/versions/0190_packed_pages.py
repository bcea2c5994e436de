"""Pages packed by the drain itself."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0190"
down_revision = "0180"


def upgrade() -> None:
    """Add the column that says how a body is kept."""
    # Straight to the driver: the text has colons that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
