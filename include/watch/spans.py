"""Spans of business dates, each of one profile: what is asked of several profiles at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import datetime

    from include.config.profiles import Profile


class Span(NamedTuple):
    """Business dates of a profile, both ends included; none where ``last`` is before ``first``."""

    profile: Profile
    first: datetime.date
    last: datetime.date
