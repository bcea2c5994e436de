"""The business dates that a run or a page may be about."""

from __future__ import annotations

import datetime

# A date beyond them is a slip of the hand; and the calendar's own ends have no day before or after them.
FIRST_DATE, LAST_DATE = datetime.date(2000, 1, 1), datetime.date(2099, 12, 31)
