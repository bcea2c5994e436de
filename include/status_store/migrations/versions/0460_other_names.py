"""An invoice that goes by another name is the same invoice, wherever two reconciliations are held side by side."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0460"
down_revision = "0450"


def upgrade() -> None:
    """Make the function that finds it, and ask it of what was accepted as incomplete."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
