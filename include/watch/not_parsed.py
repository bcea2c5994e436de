"""Alerts about what Ropo One sent and nobody could read: rows in quarantine, pages whose events are not stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from include.config.wording import counted
from include.status_store.rows import named_rows
from include.watch.alert import Matter
from include.watch.statements import statement
from include.watch.topics import THE_ONE

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile


class NotParsed:
    """Rows in quarantine and pages that are not parsed. One alert for all: a new format brings them in each drain."""

    name = "not_parsed"
    plural = "groups of rows that could not be parsed"
    is_everything = True

    def __init__(self, profile: Profile, now: datetime.datetime) -> None:
        self.profile = profile
        self.now = now
        self._known: dict[str, Any] = {}

    def found(self, cursor: Cursor) -> Mapping[str, str]:
        """Return the one subject where something waits."""
        cursor.execute(statement("not_parsed"), {"profile": self.profile.name})
        [self._known] = named_rows(cursor)
        return THE_ONE if self._known["rows"] or self._known["pages"] else {}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Return how many, since when and why, and what to do."""
        known = self._known
        waiting = [counted(known["rows"], "row in quarantine", "rows in quarantine")] if known["rows"] else []
        waiting += [counted(known["pages"], "page")] if known["pages"] else []
        oldest = min(moment for moment in (known["oldest"], known["oldest_page"]) if moment)
        lines = [
            f"The oldest is of {self.profile.clock(oldest)}. All of it is kept; while it waits no business date is "
            "reconciled, since it may be of any",
            *(f"Reason: {reason}" for reason in known["reasons"] or ()),
            "What to do: `python -m include.status_store quarantine` lists the rows, as the page Polls does. "
            "`python -m include.status_store replay` parses rows and pages again, after an upgrade that can read them; "
            "`dismiss ROW --note …` settles a row that says nothing",
        ]
        return [Matter(title=f"not parsed: {' and '.join(waiting)}", lines=tuple(lines))]
