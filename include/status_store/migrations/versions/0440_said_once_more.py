"""What stood in several places is said once, and what nothing uses goes."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0440"
down_revision = "0430"


def upgrade() -> None:
    """Make the view, and drop what nothing asks for."""
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
