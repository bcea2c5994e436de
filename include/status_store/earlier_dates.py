"""Earlier business dates are re-read: changes are recorded late, and what was not shown whole is asked again."""

from __future__ import annotations

import datetime
import logging
import time
from typing import TYPE_CHECKING

import msgspec

from include.status_store.reread import Reread
from include.status_store.source import PollError
from include.status_store.statements import statement

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

    from include.config.profiles import Profile
    from include.status_store.journal import Journal
    from include.status_store.session import Session
    from include.status_store.source import StatusSource

logger = logging.getLogger(__name__)

# A date that fails is asked again the next night, so it is not worth the tries that the run's own date gets.
ATTEMPTS = 2
# Beyond the last `late_days`: what an outage of weeks has left is caught up with over some nights.
MAX_DATES = 30
_DAY = datetime.timedelta(days=1)


class EarlierDates(msgspec.Struct, kw_only=True):
    """What the re-reads of earlier dates came to, in counts.

    :param dates: asked; ``failed``: of them, those that brought no answer.
    :param new: events that no poll had brought; ``revised``: those that show other content.
    :param left: dates for which the bounds left no room; the next run goes on with them.
    """

    dates: int = 0
    failed: int = 0
    rows: int = 0
    new: int = 0
    revised: int = 0
    left: int = 0


def to_reread(cursor: Cursor, profile: Profile, before: datetime.date) -> list[tuple[datetime.date, bool]]:
    """Return the dates to re-read before a business date, each with whether it is a late one, in the order of asking.

    :param cursor: of the store.
    """
    values = {
        "profile": profile.name,
        "timezone": profile.timezone,
        "first": profile.rechecked_from(before),
        "late_days": profile.late_days,
        "late_from": before - profile.late_days * _DAY,
        "last": before - _DAY,
    }
    cursor.execute(statement("pick_rereads"), values)
    return cursor.fetchall()


def reread_earlier(
    session: Session, source: StatusSource, journal: Journal, before: datetime.date, *, max_seconds: float
) -> EarlierDates:
    """Re-read each of the ``late_days`` before a business date, and earlier dates that were not shown well enough.

    Those are unfinished dates without a whole newest re-read, and reconciled ones whose newest re-read is in doubt, or
    was before their last late night: of what was recorded late until then nobody has asked. Each is a poll of its own
    in the journal; one that fails does not stop the others.

    :param before: the business date of the run.
    :param max_seconds: after which no further date is begun.
    :raises PinnedElsewhereError: if profile and queue belong to others.
    """
    profile = journal.profile
    with session.transaction() as cursor:
        found = to_reread(cursor, profile, before)
    late = [date for date, is_late in found if is_late]
    others = [date for date, is_late in found if not is_late]
    dates = late + others[:MAX_DATES]
    done = EarlierDates(left=len(found))
    started = time.monotonic()
    for date in dates:
        if time.monotonic() - started >= max_seconds:
            logger.info("Profile %s: out of time; %d dates are left to the next run", profile.name, done.left)
            break
        done.left -= 1
        done.dates += 1
        try:
            summary = Reread(session, source, journal, attempts=ATTEMPTS).by_date(date)
        except PollError as error:
            done.failed += 1
            logger.warning("Profile %s: %s could not be re-read: %s", profile.name, date, error)
            continue
        done.rows += summary.rows
        done.new += summary.new
        done.revised += summary.revised
        not_whole = "" if summary.whole else ", not shown whole"
        logger.info(
            "Profile %s: %s re-read again, %d rows, %d new, %d changed%s",
            profile.name, date, summary.rows, summary.new, summary.revised, not_whole,
        )  # fmt: skip
    return done
