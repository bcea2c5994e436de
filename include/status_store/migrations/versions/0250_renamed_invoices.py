"""What a reconciliation says of breaks under names that nothing goes by any more."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0250"
down_revision = "0240"


def upgrade() -> None:
    """Add the column."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
