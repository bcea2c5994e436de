"""An item is found by the name that it goes by, and by its number where that is another one."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0450"
down_revision = "0440"


def upgrade() -> None:
    """Make the index of the few instead of that of all, and the function that asks both."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
