"""What a page's events need so that they go in by COPY."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0080"
down_revision = "0051"


def upgrade() -> None:
    """Add defaults, and let the journal's protection stand in for references to it."""
    # Straight to the driver, as the other migrations.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
