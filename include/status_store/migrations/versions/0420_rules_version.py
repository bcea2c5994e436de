"""A date is looked at again when any rule that decides a category changes, not the status map alone."""

from __future__ import annotations

from alembic import op

revision = "0420"
down_revision = "0410"


def upgrade() -> None:
    """Name the column for what it holds from now on; the nights compare each date once more for it."""
    op.execute("ALTER TABLE ropo.reconciled_date RENAME COLUMN status_map_version TO rules_version")
