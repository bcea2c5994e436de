"""Grace in business days: weekends and the market's public holidays do not count."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

SATURDAY = 5


class BusinessCalendar:
    """The business days of a market.

    :param country: ISO 3166 code, for the public holidays (package ``holidays``).
    :param zone: the market's time zone.
    :raises ValueError: where the package does not know the country.
    """

    def __init__(self, country: str, zone: ZoneInfo) -> None:
        import holidays  # it takes its time, and the DAG files that import this module need none

        try:
            self._holidays = holidays.country_holidays(country)
        except NotImplementedError:
            raise ValueError(f"country {country!r}: the package holidays knows no public holidays of it") from None
        self._zone = zone

    def is_business_day(self, day: datetime.date) -> bool:
        """Tell whether ``day`` is neither of a weekend nor a public holiday."""
        return day.weekday() < SATURDAY and day not in self._holidays

    def grace_end(self, start: datetime.datetime, days: int) -> datetime.datetime:
        """Return when a grace of ``days`` business days ends.

        It keeps the market's wall clock: one day from Thursday 10:00 is Friday 10:00, from the end of Friday the end of
        Monday, from Saturday 10:00 (which does not count) the end of Monday as well.

        :param start: aware; the end of the causing event's business date, or the moment of a run.
        :param days: 0 ends it where it starts.
        """
        local = start.astimezone(self._zone)
        if days == 0:
            return local
        if not self.is_business_day(local.date()):
            local = datetime.datetime.combine(self._next(local.date()), datetime.time(), self._zone)
        clock = local.time()
        if clock == datetime.time():
            # At the first moment of a business day that whole day is still to come, and its end is the next midnight.
            return self._midnight_after(local.date(), days)
        day = local.date()
        for _ in range(days):
            day = self._next(day)
        return datetime.datetime.combine(day, clock, self._zone)

    def _midnight_after(self, day: datetime.date, days: int) -> datetime.datetime:
        for _ in range(days - 1):
            day = self._next(day)
        return datetime.datetime.combine(day + datetime.timedelta(days=1), datetime.time(), self._zone)

    def _next(self, day: datetime.date) -> datetime.date:
        day += datetime.timedelta(days=1)
        while not self.is_business_day(day):
            day += datetime.timedelta(days=1)
        return day
