"""The business dates that a run, a command or a page may be about."""

from __future__ import annotations

import datetime

# A date beyond them is a slip of the hand; and the calendar's own ends have no day before or after them.
FIRST_DATE, LAST_DATE = datetime.date(2000, 1, 1), datetime.date(2099, 12, 31)


def parse_date(text: str) -> datetime.date:
    """Read a calendar date in the one form that Ropo One, the partition keys and the params have.

    :raises ValueError: for any other form than YYYY-MM-DD, those of ISO 8601 too.
    """
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        date = None
    if date is None or date.isoformat() != text:
        raise ValueError(f"expected YYYY-MM-DD, got {text!r}")
    return date
