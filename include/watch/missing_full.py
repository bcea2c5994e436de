"""The alert about a month without a full comparison: where its run never came as far, nothing else shows it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.reconciliation.sign_off_conditions import FULL_DAG_ID
from include.status_store.rows import only_row
from include.watch.alert import Matter
from include.watch.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_DAY = datetime.timedelta(days=1)


class MissingFull:
    """The newest month that ought to have a full comparison and has none; what serves it serves earlier ones, too.

    It is due when the verdict of the day after the month is, so that its run has a day. A month that was over before
    the profile's work began has none to miss, though a backfill compares its dates.
    """

    name = "missing_full_comparison"
    plural = "months have no full comparison"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the month as subject, where it is missing."""
        last = self._newest_due()
        if last < self.profile.start_date:
            return {}
        values = {"profile": self.profile.name, "last": last, "end": self.profile.day_end(last)}
        cursor.execute(statement("missing_full"), values)
        return {f"{last:%Y-%m}": ""} if only_row(cursor)[0] else {}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return what that means, and what to do."""
        last = self._newest_due()
        lines = (
            f"None of {last} or later was made after the month's end. Without one the month cannot be signed off, and "
            "what only it shows, such as a ledger row that was deleted, goes unnoticed",
            f"What to do: see whether {FULL_DAG_ID} is unpaused and what became of its run of {last}: clear the tasks "
            f"that failed, or run it with the date {last}",
        )
        return [Matter(title=f"{month} has no full comparison", lines=lines, dag_id=FULL_DAG_ID) for month in subjects]

    def _newest_due(self) -> datetime.date:
        """Return the last day of the newest month whose full comparison is due."""
        last = self.profile.business_date(self.now).replace(day=1) - _DAY
        while last >= self.profile.start_date and self.profile.verdict_due_at(last + _DAY) > self.now:
            last = last.replace(day=1) - _DAY
        return last
