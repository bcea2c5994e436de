"""What is at stake where only the kind of the money differs, and amounts without a division's idle digits."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0320"
down_revision = "0290"


def upgrade() -> None:
    """Change the function, with the index that is made of it, and add the other one."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
