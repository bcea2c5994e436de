"""A full comparison that failed is told for each time that it did."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from include.watch.failed import FailedComparison
from tests.include.watch.records import told

if TYPE_CHECKING:
    from include.config.profiles import Profile
    from include.status_store.session import Session

NOW = datetime.datetime(2026, 11, 1, 3, tzinfo=datetime.UTC)
MONTH_END = datetime.date(2026, 10, 31)


def test_it_says_date_and_what_to_do_once_for_each_failure(session: Session, profile: Profile) -> None:
    first = FailedComparison(profile, NOW, date=MONTH_END, attempt="run 1 1")

    (alert,) = told(session, first)

    assert alert.subject == "[Ropo One] default: the full comparison of 2026-10-31 failed"
    assert "sign-off needs a full comparison" in alert.text
    assert told(session, first) == []
    assert len(told(session, FailedComparison(profile, NOW, date=MONTH_END, attempt="run 1 2"))) == 1
