"""What is measured of a profile's queue and of its breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from include.reconciliation.categories import CATEGORIES, MATCHED
from include.status_store.rows import only_row
from include.watch.statements import statement

if TYPE_CHECKING:
    import datetime

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """One look.

    :param events_drained: new events that the drain of the run brought.
    :param newest_event_lag_seconds: since the newest event's ``statustime`` that does not lie ahead; None without one.
    :param in_doubt_polls: neither recovered nor accepted.
    :param open_breaks: by category, each category with its number.
    """

    events_drained: int
    newest_event_lag_seconds: float | None
    in_doubt_polls: int
    open_breaks: dict[str, int]


def measure(cursor: Cursor, profile: Profile, *, now: datetime.datetime, dag_id: str, run_id: str) -> Measures:
    """Measure a profile.

    :param dag_id: and ``run_id``: of the run whose drain is measured.
    """
    local = profile.wall_clock(now)
    run = {"dag_id": dag_id, "run_id": run_id}
    cursor.execute(statement("measure_queue"), {"profile": profile.name, "local": local, **run})
    drained, newest, in_doubt = only_row(cursor)
    cursor.execute(statement("open_breaks"), {"profile": profile.name})
    breaks = dict(cursor.fetchall())
    lag = None
    if newest is not None:
        # Wall clocks differ by the hour that a DST change skips or repeats; moments do not.
        lag = max(0.0, (now - newest.replace(tzinfo=profile.zone)).total_seconds())
    return Measures(
        events_drained=drained,
        newest_event_lag_seconds=lag,
        in_doubt_polls=in_doubt,
        open_breaks={category: breaks.get(category, 0) for category in CATEGORIES if category != MATCHED},
    )
