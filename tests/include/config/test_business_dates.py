"""A date has one form, wherever it is written by hand."""

from __future__ import annotations

import datetime

import pytest

from include.config.business_dates import parse_date

MALFORMED = ["", "2026-10-5", "20261025", "2026-W43-7", "2026-02-30", "2026-10-25T00:00:00", "25.10.2026", "now"]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_date_has_one_form(text: str) -> None:
    with pytest.raises(ValueError, match="expected YYYY-MM-DD"):
        parse_date(text)


def test_in_it_a_date_is_read() -> None:
    assert parse_date("2026-10-25") == datetime.date(2026, 10, 25)
