"""Alerts about a full comparison that failed: nothing in the store shows that there ought to have been one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.watch.alert import Matter

if TYPE_CHECKING:
    import datetime
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile


class FailedComparison:
    """A full comparison whose task failed.

    :param date: its business date.
    :param attempt: what tells this failure from an earlier one of the date.
    """

    name = "failed_full_comparison"
    plural = "full comparisons failed"
    is_everything = False

    def __init__(self, profile: Profile, now: datetime.datetime, *, date: datetime.date, attempt: str) -> None:
        self.profile = profile
        self.now = now
        self._date = date
        self._attempt = attempt

    def found(self, cursor: Cursor) -> Mapping[str, str]:  # noqa: ARG002 - the protocol's
        """Return the date."""
        return {self._date.isoformat(): self._attempt}

    def describe(self, cursor: Cursor, subjects: Sequence[str]) -> list[Matter]:  # noqa: ARG002 - the protocol's
        """Say what to do about it."""
        hint = (
            "Its task compare failed: its log says why. A month's sign-off needs a full comparison; when the cause is "
            "mended, clear the run's failed tasks, or run ropo_full_comparison for this date"
        )
        return [Matter(title=f"the full comparison of {self._date} failed", lines=(hint,))]
