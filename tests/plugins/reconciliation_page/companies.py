"""Five companies in one store, each in another state, and the file that makes a profile of each."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from include.config.profiles import TIME_FOR_A_VERDICT
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

# In the order of the file.
ZONES = {
    "calm": "Europe/Helsinki",
    "new": "Europe/Helsinki",
    "doubtful": "Europe/Stockholm",
    "broken": "Europe/Oslo",
    "lacking": "America/Los_Angeles",
}
_SHIPPED = Path("include/config").resolve()
_EMPTY = """
INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from)
VALUES (%(profile)s, 'drain', 'empty', %(at)s, %(at)s, '2026-01-01')
"""
# Polls that stayed unproven, are being re-read and were left open, a row that is no row, and a page for a later parser.
_WAITING = """
INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from, window_to, recovery)
VALUES (%(profile)s, 'drain', 'in_doubt', now() - interval '2 days', now(), '2026-01-01', '2026-01-02', 'unproven'),
       (%(profile)s, 'drain', 'in_doubt', now() - interval '2 days', now(), '2026-01-01', '2026-01-02', 'pending'),
       (%(profile)s, 'drain', 'open', now() - interval '2 days', NULL, '2026-01-01', NULL, NULL);
INSERT INTO ropo.status_quarantine (profile, poll_id, ordinal, raw, sha256, error, first_seen_at, last_seen_at)
SELECT profile, poll_id, 0, 'x', sha256('x'), 'row: is no valid JSON text', now(), now()
FROM ropo.status_poll
WHERE profile = %(profile)s AND recovery = 'unproven';
INSERT INTO ropo.status_page (poll_id, body, sha256, received_at, complete, parse_error)
SELECT poll_id, 'x', sha256('x'), now(), true, 'no parser'
FROM ropo.status_poll
WHERE profile = %(profile)s AND outcome = 'empty'
"""


def before(name: str, days: int) -> datetime.date:
    """A company's day so many days ago. Looked at in each test: a run of all of them may go over midnight.

    In its first hour a day is none yet: the verdict of the one before is not due.
    """
    return (datetime.datetime.now(ZoneInfo(ZONES[name])) - TIME_FOR_A_VERDICT).date() - datetime.timedelta(days=days)


def write_profiles(file: Path) -> None:
    """Write the profiles file: each begins five days ago, and its verdicts are due an hour after midnight."""
    text = "profiles:\n" + "".join(
        f"  - name: {name}\n    connection: ropo_one_{name}\n    timezone: {zone}\n    start_date: {before(name, 5)}\n"
        f"    settle_hours: 0\n    alerts: {{deadline_hour: 0}}\n    status_map: {_SHIPPED / 'status_map.yaml'}\n"
        f"    ledger: {{connection: erp_{name}, query: {_SHIPPED.parent / 'erp' / 'generic.sql'}}}\n"
        for name, zone in ZONES.items()
    )
    file.write_text(text, encoding="utf-8")


def fill(store: Connection) -> None:
    """Fill the store: nobody has heard of ``new``, and nothing is wrong with ``calm``."""
    now = datetime.datetime.now(datetime.UTC)
    emptied = {"calm": 5, "broken": 5, "lacking": 5, "doubtful": 200}
    for name, minutes in emptied.items():
        with store.cursor() as cursor:
            cursor.execute(_EMPTY, {"profile": name, "at": now - datetime.timedelta(minutes=minutes)})
        for days in range(5, 1 if name in ("lacking", "broken") else 0, -1):
            _record(store, name, days)
    with store.cursor() as cursor:
        cursor.execute(_WAITING, {"profile": "doubtful"})
    breaks = (broken("1", "5000.00"), broken("2", "7.00"), broken("3", "0.00", "missing_in_ledger", reason="no_row"))
    _record(store, "broken", 2, "breaks", breaks=breaks[:1])
    red = _record(store, "broken", 1, "breaks", breaks=breaks)
    keep_break(store, red, "b:1", "ledger_behind", "open", "5000.00", currency="NOK")
    keep_break(store, red, "b:2", "ledger_behind", "open", "7.00")
    keep_break(store, red, "b:3", "missing_in_ledger", "open", "0.00")
    keep_break(store, red, "b:4", "missing_in_ledger", "accepted", "9000.00")


def _record(store: Connection, name: str, days: int, verdict: str = "reconciled", **more: Any) -> int:
    """Record a day's reconciliation as of the night after it, by the company's own clocks."""
    date = before(name, days)
    night = datetime.datetime.combine(date + datetime.timedelta(days=1), datetime.time(0, 1), ZoneInfo(ZONES[name]))
    return record(store, date, verdict, profile=name, started_at=night, **more)
