"""Until when Ropo One asked not to be polled, for the tasks and runs that follow."""

from __future__ import annotations

from alembic import op

revision = "0210"
down_revision = "0200"


def upgrade() -> None:
    """Add the moment to the profile's row that each poll reads before it is sent."""
    op.execute("ALTER TABLE ropo.profile_pin ADD COLUMN not_before timestamptz")
