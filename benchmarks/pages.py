"""The pages that the benchmarks' Ropo One serves: rows of the simulator, made once, numbered anew for each page."""

from __future__ import annotations

import datetime
import json

from include.simulator.rows import bulk_rows

ROWS_A_PAGE = 1000
FIRST_DAY = datetime.date(2026, 1, 5)
MOST_PAGES = 9999

# The numbers of the template's rows begin with this page number, its days are this day: both are found by their text.
_NUMBER = 7373
_DAY = datetime.date(1999, 9, 9)


def _template() -> tuple[bytes, ...]:
    rows = bulk_rows(ROWS_A_PAGE, first_day=_DAY)
    for place, row in enumerate(rows):
        invoice = place // 2
        kind = row["statusid"][0]
        row |= {
            "jobid": int(f"3{_NUMBER}{invoice:03}"),
            "billnum": f"2{_NUMBER}{invoice:03}",
            "statusid": f"{kind}{_NUMBER}{place:03}",
        }
    return tuple(json.dumps(row, ensure_ascii=False).encode() for row in rows)


_ROWS = _template()
_PAGE = b", ".join(_ROWS)
_HEAD, _TAIL = b'{"result": {"status": [', b"]}}"


class Queue:
    """The changes of one customer.

    :param pages: how many pages of :data:`ROWS_A_PAGE` rows.
    :param days: over how many days, from :data:`FIRST_DAY` on, they are spread evenly.
    """

    def __init__(self, pages: int, days: int = 1) -> None:
        if not 0 <= pages <= MOST_PAGES:
            raise ValueError(f"pages: expected at most {MOST_PAGES}, got {pages}")
        self.pages = pages
        self.days = days

    def day_of(self, page: int) -> datetime.date:
        """The business date of a page's rows."""
        return FIRST_DAY + datetime.timedelta(days=page * self.days // self.pages)

    def page(self, number: int) -> bytes:
        """The answer with a page, numbered from 0."""
        return _HEAD + _numbered(_PAGE, number, self.day_of(number)) + _TAIL

    def day(self, day: datetime.date, more: int = 0) -> bytes:
        """The answer with all rows of a day.

        :param more: rows of that day that no page of the queue has.
        """
        pages = [_numbered(_PAGE, number, day) for number in range(self.pages) if self.day_of(number) == day]
        if more:
            pages.append(_numbered(b", ".join(_ROWS[:more]), self.pages, day))
        return _HEAD + b", ".join(pages) + _TAIL


def _numbered(rows: bytes, number: int, day: datetime.date) -> bytes:
    return rows.replace(b"%d" % _NUMBER, b"%04d" % number).replace(str(_DAY).encode(), str(day).encode())
