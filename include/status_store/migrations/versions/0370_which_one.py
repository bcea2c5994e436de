"""Which events a re-read did not show, and which name an invoice goes by since; not how many alone."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0370"
down_revision = "0360"


def upgrade() -> None:
    """Add both, and count a page that waits for its events whether or not a 204 came after it."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
