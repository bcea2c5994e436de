"""What retention needs: pages without their body, events without their free texts, and a record of each erasure."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0020"
down_revision = "0002"


def upgrade() -> None:
    """Add the columns and the record."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
