"""The alert about a profile at work whose ``start_date`` lies ahead: its runs are green, and compare nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.config.profiles import profiles_file
from include.status_store.rows import only_row
from include.watch.alert import Matter

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

_HAS_BEGUN = "SELECT EXISTS (SELECT FROM ropo.reconciliation WHERE profile = %(profile)s AND scope = 'date')"


class BeginsAhead:
    """A profile that has reconciliations of dates, and a ``start_date`` after today: none of its dates is compared.

    One that has none yet is set up for a day to come.
    """

    name = "begins_ahead"
    plural = "profiles begin on a day to come"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the one subject; another date that lies ahead is told anew."""
        if not self.profile.begins_ahead(self.now):
            return {}
        cursor.execute(_HAS_BEGUN, {"profile": self.profile.name})
        return {"": self.profile.start_date.isoformat()} if only_row(cursor)[0] else {}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return what that means, and what to do."""
        start = self.profile.start_date
        lines = (
            f"Its dates were compared before. Until {start} nothing is that was sent earlier: scheduled runs are green "
            "and empty, others leave the profile out, and no date without a verdict is told. Its queue is drained",
            f"What to do: correct start_date of profile {self.profile.name} in {profiles_file()}, then backfill "
            "ropo_reconciliation with All runs from the first date of which this was so. "
            "`python -m include.config.check` says where a start_date lies ahead",
        )
        return [Matter(title=f"start_date lies ahead ({start}): no date is compared", lines=lines)]
