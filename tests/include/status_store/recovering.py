"""A doubt and its recovery: a window of five dates, and a source that answers each date as it is told."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from include.status_store.journal import Journal
from include.status_store.recovery import Recovery
from include.status_store.source import PollInDoubtError
from tests.include.status_store.scripted_source import ScriptedSource, row
from tests.include.status_store.views import drain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from include.status_store.recovery import RecoverySummary
    from include.status_store.session import Session
    from include.status_store.source import Answer
    from tests.include.status_store.scripted_source import Step

DAY = datetime.timedelta(days=1)


@pytest.fixture
def today() -> datetime.date:
    return Profile(name="any").business_date(datetime.datetime.now(datetime.UTC))


@pytest.fixture
def profile(today: datetime.date) -> Profile:
    """A doubt's window is five dates long: from two days before today to tomorrow, and the one before them."""
    return Profile(name="default", start_date=today - 3 * DAY, late_days=2, date_cap=3)


class DatedSource(ScriptedSource):
    """Answers each date as it is told, with 204 where it is told nothing."""

    def __init__(self, dates: Mapping[datetime.date, Step] | None = None) -> None:
        super().__init__()
        self.dates = dates or {}

    def poll(self, *, date: datetime.date | None = None, billnum: str | None = None) -> Answer:
        self.script = [self.dates[date]] if date is not None and date in self.dates else []
        return super().poll(date=date, billnum=billnum)

    @property
    def asked(self) -> list[object]:
        return [poll["date"] for poll in self.polls]


def doubt(session: Session, profile: Profile) -> None:
    drain(session, profile, ScriptedSource(PollInDoubtError("lost")))


def recover(session: Session, profile: Profile, source: ScriptedSource, max_seconds: float = 60) -> RecoverySummary:
    return Recovery(session, source, Journal(profile), max_seconds=max_seconds).run()


def held_on(date: datetime.date, number: int) -> dict[str, object]:
    return row(number, statustime=f"{date} 12:00:00")
