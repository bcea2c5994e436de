"""Grace in business days: weekends and the market's public holidays do not count."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo


class BusinessCalendar:
    """The business days of a market.

    :param country: ISO 3166 code, for the public holidays (package ``holidays``).
    :param zone: the market's time zone.
    :raises ValueError: if the package does not know the country.
    """

    def __init__(self, country: str, zone: ZoneInfo) -> None:
        import holidays  # it takes its time, and the DAG files that import this module need none

        try:
            self._holidays = holidays.country_holidays(country)
        except NotImplementedError:
            raise ValueError(f"country {country!r}: the package holidays knows no public holidays of it") from None
        self._zone = zone

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
        day = local.date()
        # By the moment, in UTC: where the clocks go forward at midnight they never show it.
        is_whole = start == self._midnight(day).astimezone(datetime.UTC)
        if not self._holidays.is_working_day(day):
            day, is_whole = self._holidays.get_nth_working_day(day, 1), True
        if is_whole:
            # At the first moment of a business day that whole day is still to come, and its end is the next midnight.
            return self._midnight(self._holidays.get_nth_working_day(day, days - 1) + datetime.timedelta(days=1))
        return datetime.datetime.combine(self._holidays.get_nth_working_day(day, days), local.time(), self._zone)

    def _midnight(self, day: datetime.date) -> datetime.datetime:
        """Return the first moment of a calendar day."""
        return datetime.datetime.combine(day, datetime.time(), self._zone)
