"""What several statements ask of a reconciliation, or say of an invoice, said once."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0400"
down_revision = "0390"


def upgrade() -> None:
    """Make the functions."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
