"""The breaks of invoices that a later ``start_date`` leaves out wait to be closed."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0130"
down_revision = "0120"


def upgrade() -> None:
    """Add the columns."""
    # Straight to the driver: the text has colons and percent signs that are no parameters.
    op.get_bind().connection.cursor().execute(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
