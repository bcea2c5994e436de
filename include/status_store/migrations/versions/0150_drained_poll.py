"""A row of the queue costs the store less: the poll that drained an event is no foreign key any more."""

from __future__ import annotations

from alembic import op

revision = "0150"
down_revision = "0140"


def upgrade() -> None:
    """Drop the constraint."""
    # It is asked for each row that is stored, though a row of a drain has no such poll. The journal refuses DELETE, and
    # `mark_drained.sql` writes only the poll whose page is being stored.
    op.drop_constraint("status_event_drained_poll_id_fkey", "status_event", schema="ropo")
