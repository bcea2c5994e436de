"""What an event said before is found by its names and its day, as what it says now is."""

from __future__ import annotations

import datetime
import json
from contextlib import closing
from typing import Any

from alembic import op
from psycopg2.extras import execute_values

revision = "0430"
down_revision = "0420"

_AT_ONCE = 1000
_ADD = """
ALTER TABLE ropo.status_event_revision
    ADD COLUMN jobid text COLLATE "C",
    ADD COLUMN billnum text COLLATE "C",
    ADD COLUMN statustime timestamp -- by the market's wall clock
"""
_INDEXES = """
CREATE INDEX status_event_revision_by_jobid ON ropo.status_event_revision (jobid, profile);
CREATE INDEX status_event_revision_by_billnum ON ropo.status_event_revision (billnum, profile);
ANALYZE ropo.status_event_revision
"""
_FILL = """
UPDATE ropo.status_event_revision AS held
SET jobid = said.jobid, billnum = said.billnum, statustime = said.statustime::timestamp
FROM (VALUES %s) AS said (profile, statusid, revision, jobid, billnum, statustime)
WHERE held.profile = said.profile AND held.statusid = said.statusid AND held.revision = said.revision
"""


def upgrade() -> None:
    """Add the columns and fill them: by Python, which reads each row as it came, whatever texts it holds."""
    connection = op.get_bind().connection
    with closing(connection.cursor()) as cursor:
        cursor.execute(_ADD)
        with closing(connection.cursor("revisions")) as held:
            held.execute("SELECT profile, statusid, revision, raw::text FROM ropo.status_event_revision")
            while rows := held.fetchmany(_AT_ONCE):
                execute_values(cursor, _FILL, [(*key, *_said(raw)) for *key, raw in rows], page_size=_AT_ONCE)
        cursor.execute(_INDEXES)


def _said(raw: str) -> tuple[str | None, str | None, datetime.datetime | None]:
    row = json.loads(raw, parse_int=str, parse_float=str)
    fields: dict[str, Any] = row if isinstance(row, dict) else {}
    jobid, billnum, moment = (_text(fields.get(name)) for name in ("jobid", "billnum", "statustime"))
    try:
        time = datetime.datetime.fromisoformat(moment or "")
    except ValueError:
        return jobid, billnum, None
    # None was ever seen that names an offset.
    return jobid, billnum, time.replace(tzinfo=None)


def _text(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    # What PostgreSQL's texts cannot hold was no event's.
    return text if text and "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text) else None
