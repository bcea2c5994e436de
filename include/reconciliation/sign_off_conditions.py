"""What must hold before a month can be signed off, and how it stands.

Of each business date of the period (from the profile's ``start_date`` on) the newest reconciliation counts. It must be
reconciled; or its breaks accepted or resolved since, and its incompleteness accepted with a note. None may have pending
differences but of what came after the period: a payment of the month after is booked the next morning.

A full comparison of the last date or a later one, begun after the period's end, must exist. The newest counts, and it
is held to the same: its breaks accepted or resolved, its incompleteness accepted. Two things it may have, since
business goes on while it runs: pending differences but of what the period or one before it has caused and no date up to
the period's last was compared with since; and breaks that a date after it has shown first and nothing in it has caused,
or that no date has shown and something after it has caused, of an invoice of which Ropo One had not spoken by then.
Those of an invoice that differed before, and was not right by the period's end, are none of these, whatever their
category. Nor is a difference, pending or not, that something after the period has caused while what came of the period
was not found right: of that it is not known whether it is later business alone.
"""

from __future__ import annotations

import calendar
import datetime
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from include.config.profiles import Scope
from include.config.wording import counted, grouped, worded
from include.reconciliation.statements import statement
from include.reconciliation.verdict import FOUND
from include.status_store.rows import structs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile

FULL_DAG_ID = "ropo_full_comparison"
# So many invoices that keep a month from being signed are named, of each date.
NAMED = 5
_PERIOD = re.compile("[0-9]{4}-[0-9]{2}")
_LAST_PERIOD = f"{datetime.date.max:%Y-%m}"


# Those from ``full_missing`` on are of the full comparison.
Condition = Literal[
    "period_not_over",
    "before_start",
    "not_reconciled",
    "pending",
    "open_breaks",
    "incomplete",
    "full_missing",
    "full_pending",
    "full_open_breaks",
    "full_incomplete",
]


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """A condition that does not hold.

    :param date: the business date that it is about; None where it is about the period.
    :param what: for machines and links.
    :param why: for people, with the numbers and what to do.
    :param reconciliation_id: the one that shows it, where one does.
    :param scope: whether it is a date's or the full comparison's; None where it is the period's.
    """

    date: datetime.date | None
    what: Condition
    why: str
    reconciliation_id: int | None = None
    scope: Scope | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a date stands, or the full comparison (``sign_off_standing.sql``).

    :param currencies: money of both sides by currency, amounts as text.
    :param reasons: for which it is incomplete, in words.
    :param acceptance_id: of its incompleteness, where one holds for it.
    :param held_up: invoices within their grace that nothing after the period has caused, or not that alone; of the
        full comparison those that something until its end has caused, and no date until then was compared with since.
    :param pending_until: when the last of these graces ends.
    :param unsettled: invoices whose break is neither accepted nor resolved; ``unsettled_named``: some, in words.
    :param accepted_breaks: ids of the breaks that stand accepted.
    :param accepted_by_events: of each of these the newest event, comments aside: accepted anew it has another one.
    """

    scope: Scope
    business_date: datetime.date
    reconciliation_id: int | None
    verdict: str | None
    population: int | None
    matched: int | None
    pending: int | None
    breaks: int | None
    accepted: int | None
    currencies: list[dict[str, Any]] | None
    reasons: list[str]
    acceptance_id: int | None
    unsettled: int
    unsettled_named: list[str]
    held_up: int
    pending_until: datetime.datetime | None
    accepted_breaks: list[int]
    accepted_by_events: list[int]


def parse_period(text: str) -> datetime.date:
    """Return the first day of a month.

    :param text: YYYY-MM.
    :raises ValueError: if it is no month, or the last one that Python knows, which nothing comes after.
    """
    if _PERIOD.fullmatch(text) and text != _LAST_PERIOD:
        with suppress(ValueError):
            return datetime.date.fromisoformat(f"{text}-01")
    raise ValueError(f"period: expected a month as YYYY-MM, got {text!r}")


def last_day(period: datetime.date) -> datetime.date:
    """Return the last day of a month, by its first."""
    return period.replace(day=calendar.monthrange(period.year, period.month)[1])


def standings(cursor: Cursor, profile: Profile, period: datetime.date) -> list[Standing]:
    """Return how every date of a period stands, and last the full comparison, where there is one.

    :param period: the first day of a month.
    """
    if period.day != 1:
        raise ValueError(f"period: expected the first day of a month, got {period}")
    first, last = max(period, profile.start_date), last_day(period)
    if first > last:
        return []
    values = {
        "profile": profile.name,
        "first": first,
        "last": last,
        "period_end": profile.day_end(last),
        "named": NAMED,
        "found": list(FOUND),
    }
    cursor.execute(statement("sign_off_standing"), values)
    return structs(cursor, Standing)


def unmet_conditions(
    profile: Profile, period: datetime.date, stand: list[Standing], *, now: datetime.datetime
) -> list[Unmet]:
    """Return every condition that does not hold, in the order of the dates; none where the period can be signed.

    :param stand: of :func:`standings`.
    :param now: aware.
    """
    last = last_day(period)
    if profile.start_date > last:
        why = f"the month is over before {profile.start_date}, the start_date of profile {profile.name}"
        return [Unmet(date=None, what="before_start", why=why)]
    found = []
    end = profile.day_end(last)
    if now < end:
        text = f"the month is not over before {profile.clock(end)}"
        found.append(Unmet(date=None, what="period_not_over", why=text))
    for each in stand:
        if each.scope == "date":
            found += _of_date(profile, each, now)
    full = [each for each in stand if each.scope == "full"]
    if not full:
        why = (
            f"no full comparison of {last} or later was made after the month's end; "
            f"run the DAG {FULL_DAG_ID} with the date {last}"
        )
        found.append(Unmet(date=None, what="full_missing", why=why, scope="full"))
    for each in full:
        found += _of_full(profile, each, now)
    return found


def _of_date(profile: Profile, date: Standing, now: datetime.datetime) -> Iterator[Unmet]:
    if date.reconciliation_id is None:
        yield _unmet(date, "not_reconciled", f"{date.business_date} has no reconciliation; run the date")
        return
    if date.held_up:
        differing = _differing(date.held_up, str(date.business_date))
        yield _unmet(date, "pending", f"{differing}{_grace(profile, date, now)}; {_compared_again(profile, date, now)}")
    if date.unsettled:
        why = _differing(date.unsettled, str(date.business_date), date.unsettled_named)
        yield _unmet(date, "open_breaks", f"{why}; mend what differs, or accept the breaks with a note")
    if date.verdict == "incomplete" and date.acceptance_id is None:
        why = f"{date.business_date} is incomplete; run it again when that is mended, or accept it with a note: "
        yield _unmet(date, "incomplete", why + "; ".join(date.reasons))


def _of_full(profile: Profile, full: Standing, now: datetime.datetime) -> Iterator[Unmet]:
    if full.held_up:
        differing = _differing(full.held_up, f"the full comparison of {full.business_date}")
        why = f"{differing}{_grace(profile, full, now, by='by what is of the month or before')}"
        again = "ask for the full comparison to be run again"
        if not _is_past_grace(full, now):
            them = worded(full.held_up, "it", "them")
            again = f"the nightly run compares the dates that have {them}, or {again} then"
        yield _unmet(full, "full_pending", f"{why}; {again}")
    if full.unsettled:
        why = _differing(full.unsettled, f"the full comparison of {full.business_date}", full.unsettled_named)
        why += "; mend what differs and run it again, or accept the breaks with a note"
        yield _unmet(full, "full_open_breaks", why)
    if full.verdict == "incomplete" and full.acceptance_id is None:
        why = f"the full comparison of {full.business_date} is incomplete; run it again, or accept it with a note: "
        yield _unmet(full, "full_incomplete", why + "; ".join(full.reasons))


def _compared_again(profile: Profile, date: Standing, now: datetime.datetime) -> str:
    if _is_past_grace(date, now):
        return "ask for the date to be run again"
    days = (profile.business_date(now) - date.business_date).days
    return "the date is compared again by itself then" if days <= profile.rechecked_days else "run the date again then"


def _grace(profile: Profile, stand: Standing, now: datetime.datetime, *, by: str = "") -> str:
    """Return how long what is held up has its grace, or since when it is past it and nothing has looked at it."""
    until = profile.clock(stand.pending_until) if stand.pending_until else ""
    if _is_past_grace(stand, now):
        is_past, was = worded(stand.held_up, ("is past its", "was"), ("are past their", "were"))
        return f"{by and f' {by}'}, {is_past} grace since {until} and {was} not compared again"
    return f" within the grace{by and f', {by}'}{until and f', at the latest until {until}'}"


def _is_past_grace(stand: Standing, now: datetime.datetime) -> bool:
    return stand.pending_until is not None and stand.pending_until <= now


def _differing(number: int, of: str, named: Sequence[str] = ()) -> str:
    why = f"{counted(number, 'invoice')} of {of} {worded(number, 'differs', 'differ')}"
    if not named:
        return why
    more = number - len(named)
    return f"{why}: {', '.join(named)}" + (f" and {grouped(more)} more" if more > 0 else "")


def _unmet(stand: Standing, what: Condition, why: str) -> Unmet:
    return Unmet(
        date=stand.business_date, what=what, why=why, reconciliation_id=stand.reconciliation_id, scope=stand.scope
    )
