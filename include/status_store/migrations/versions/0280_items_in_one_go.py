"""Items of a reconciliation are recorded without a look-up of the reconciliation for each of them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0280"
down_revision = "0270"


def upgrade() -> None:
    """Drop the reference, and make it stay right by another way."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
