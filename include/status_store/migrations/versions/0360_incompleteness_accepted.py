"""Whose incompleteness is accepted: of the reconciliation that was accepted, and of later ones of the same reasons."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0360"
down_revision = "0350"


def upgrade() -> None:
    """Add the functions and the view."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
