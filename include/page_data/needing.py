"""What needs somebody: the same that the watch tells, of every date since the profile's work began."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, get_args

import msgspec

from include.config.profiles import Verdict
from include.page_data.past_grace import count_past_grace
from include.reconciliation.verdict import FOUND, is_red
from include.watch.missing import last_due, missing_dates, work_began
from include.watch.spans import Span
from include.watch.verdicts import latest_verdicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile, Scope
    from include.page_data.calendar import DateVerdict
    from include.watch.verdicts import LatestVerdict

# The page calls these red whatever turns a run red: neither is proven right.
_ALWAYS_RED = ("breaks", "incomplete")
# Open breaks of one that is not compared again by itself are counted up to so many: the page need not wait for more.
MOST_COUNTED = 1000
_DAY = datetime.timedelta(days=1)


class Needing(msgspec.Struct, frozen=True, kw_only=True):
    """A date that needs somebody, a row of dates without a verdict, or a full comparison that stands.

    :param last: the same as ``first`` but of a row of dates.
    :param verdict: ``no_run`` where there is none.
    :param reasons: what is not known, in words.
    :param full_id: the full comparison's reconciliation; None of a date.
    :param recorded_id: the reconciliation whose breaks are counted as it recorded them, whatever became of them since;
        None where only those that are open count.
    :param past_grace: invoices that it calls pending, and that nothing has compared since their grace was over.
    """

    first: datetime.date
    last: datetime.date
    verdict: str
    breaks: int = 0
    reasons: tuple[str, ...] = ()
    full_id: int | None = None
    recorded_id: int | None = None
    past_grace: int = 0

    @property
    def has_more_breaks(self) -> bool:
        """Whether there may be more breaks than were counted."""
        return self.breaks == MOST_COUNTED

    @property
    def is_of_now(self) -> bool:
        """Whether it is a date whose breaks are counted as they are now, since no night compares it again."""
        return self.breaks > 0 and self.full_id is None and self.recorded_id is None

    @property
    def days(self) -> int:
        """How many dates it is about."""
        return (self.last - self.first).days + 1


def read_never_compared(cursor: Cursor, profile: Profile) -> int:
    """Return how many dates since ``start_date`` lie before the profile's work began: a backfill's to compare."""
    begun = work_began(cursor, [profile])[profile.name]
    return max((begun - profile.start_date).days, 0) if begun else 0


def read_needing(
    cursor: Cursor, profiles: Sequence[Profile], now: datetime.datetime, latest: Mapping[str, DateVerdict]
) -> dict[str, list[Needing]]:
    """Return what needs somebody, by profile: a red full comparison, then dates that are red or lack their verdict.

    A date lacks it, too, where its grace is over and nothing has compared it since: what was pending may be a break.

    Before any date was compared none lacks its verdict: there is one thing to say then, and the page says it.

    :param latest: of :func:`include.page_data.calendar.read_latest_dates`.
    :return: of each profile its dates, the newest first.
    """
    dates = _verdicts(cursor, profiles, now, "date")
    full = _verdicts(cursor, profiles, now, "full")
    past_grace = _past_grace(cursor, profiles, now, dates)
    missing = _missing(cursor, [profile for profile in profiles if profile.name in latest], now)
    found = {}
    for profile in profiles:
        name, recheck = profile.name, profile.rechecked_from(profile.business_date(now))
        red = [
            _of_verdict(each, is_rechecked=each.business_date >= recheck, past_grace=waiting)
            for each in dates[name]
            if (waiting := past_grace.get(each.reconciliation_id, 0)) or _is_red(profile, each)
        ]
        known = {each.first for each in red}
        lacking = _rows([date for date in missing.get(name, ()) if date not in known])
        newest_first = sorted([*red, *lacking], key=lambda each: each.last, reverse=True)
        red_full = [_of_verdict(each, is_full=True) for each in full[name] if _is_red(profile, each)]
        found[name] = [*red_full, *newest_first]
    return found


def lacking_since(latest: DateVerdict | None, needing: Sequence[Needing]) -> datetime.date | None:
    """Return the newest date whose verdict is due and missing, where the newest one that was compared is older."""
    newest = max((each.last for each in needing if each.verdict == "no_run"), default=None)
    return newest if latest and newest and newest > latest.business_date else None


def _verdicts(
    cursor: Cursor, profiles: Sequence[Profile], now: datetime.datetime, scope: Scope
) -> dict[str, list[LatestVerdict]]:
    """Return the latest verdicts, but for those that can neither be red nor have anything pending."""
    told = {"pending"}.union(*(_red_words(profile) for profile in profiles))
    return latest_verdicts(
        cursor,
        [Span(profile, profile.start_date, profile.business_date(now)) for profile in profiles],
        now,
        scope=scope,
        most=MOST_COUNTED,
        quiet=set(get_args(Verdict)) - told,
        in_full=False,
    )


def _red_words(profile: Profile) -> set[str]:
    return {*profile.fail_on, *_ALWAYS_RED}


def _is_red(profile: Profile, verdict: LatestVerdict) -> bool:
    return is_red(verdict.verdict, verdict.breaks, _red_words(profile))


def _past_grace(
    cursor: Cursor, profiles: Sequence[Profile], now: datetime.datetime, dates: Mapping[str, Sequence[LatestVerdict]]
) -> dict[int, int]:
    """Return by reconciliation how many invoices need somebody since nothing has compared them after their grace.

    A grace ends within a business date or with it, and the run of that date compares its invoices again: it settles
    first, and has until that date's own verdict is due. Before that it is late for nobody.
    """
    moments: dict[int, datetime.datetime] = {}
    for profile in profiles:
        moment = profile.day_end(last_due(profile, now, profile.start_date))
        moments |= {each.reconciliation_id: moment for each in dates[profile.name] if each.pending}
    return count_past_grace(cursor, moments)


def _missing(cursor: Cursor, profiles: Sequence[Profile], now: datetime.datetime) -> dict[str, list[datetime.date]]:
    begun = work_began(cursor, profiles)
    since = [(each, max(first, each.start_date)) for each in profiles if (first := begun[each.name])]
    return missing_dates(cursor, since, now)


def _of_verdict(
    verdict: LatestVerdict, *, is_full: bool = False, is_rechecked: bool = False, past_grace: int = 0
) -> Needing:
    # What is incomplete names what is not known; a date of breaks alone has nothing to add to their number.
    told = [reason["text"] for reason in verdict.reasons if reason["word"] not in FOUND]
    return Needing(
        first=verdict.business_date,
        last=verdict.business_date,
        verdict=verdict.verdict,
        breaks=verdict.breaks,
        reasons=tuple(told) if verdict.verdict == "incomplete" else (),
        full_id=verdict.reconciliation_id if is_full else None,
        recorded_id=verdict.reconciliation_id if is_rechecked else None,
        past_grace=past_grace,
    )


def _rows(dates: Sequence[datetime.date]) -> list[Needing]:
    """Join dates that follow each other."""
    found: list[list[datetime.date]] = []
    for date in dates:
        if found and date - found[-1][-1] == _DAY:
            found[-1].append(date)
        else:
            found.append([date])
    return [Needing(first=row[0], last=row[-1], verdict="no_run") for row in found]
