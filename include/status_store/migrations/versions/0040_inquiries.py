"""What is asked of Ropo One beside a re-read: second opinions, cut answers, and changes that no drain brought."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0040"
down_revision = "0020"


def upgrade() -> None:
    """Add the columns and the table."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
