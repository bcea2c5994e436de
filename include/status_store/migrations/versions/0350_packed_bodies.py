"""PostgreSQL keeps a page's body as it comes, which is packed."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0350"
down_revision = "0340"


def upgrade() -> None:
    """Say so."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
