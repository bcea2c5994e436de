"""What is at stake where the two sides agree on the money: what is open."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0390"
down_revision = "0380"


def upgrade() -> None:
    """Change the function, with the index that is made of it."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
