"""The overview: dates by verdict, open breaks, the drain."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from tests.include.watch.records import broken, keep_break, record

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection


def before(days: int) -> datetime.date:
    # Looked at in each test: a run of all of them may go over midnight.
    return Profile(name="default").business_date(datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=days)


def test_an_empty_store_says_what_comes_first(client: TestClient) -> None:
    page = client.get("/reconciliation/").text
    for text in ("None yet", "Nothing was compared yet", "No open breaks", "Never empty"):
        assert text in page


@pytest.mark.parametrize(
    ("verdict", "sign"), [("reconciled", "✓"), ("pending", "◔"), ("breaks", "✕"), ("incomplete", "?")]
)
def test_a_date_shows_its_newest_verdict_as_a_word_a_sign_and_a_class(
    client: TestClient, store: Connection, verdict: str, sign: str
) -> None:
    date = before(5)
    record(store, date, "reconciled" if verdict != "reconciled" else "breaks")
    record(store, date, verdict)
    page = client.get("/reconciliation/").text
    (cell,) = re.findall(rf'<a class="day [^>]*dates/{date}[^>]*>[^<]*</a>', page)
    assert f'class="day {verdict}"' in cell
    assert f'aria-label="{date}, {verdict}: ' in cell
    assert cell.endswith(f">{sign}</a>")


def test_days_that_are_not_over_or_before_the_start_are_no_missing_runs(client: TestClient, store: Connection) -> None:
    record(store, before(1))
    page = client.get("/reconciliation/").text
    assert f"dates/{before(2)}" in page
    assert f"dates/{before(0)}" not in page
    early = client.get("/reconciliation/", params={"until": "2026-01-02"}).text
    assert "dates/2026-01-01" in early
    assert "dates/2025-12-31" not in early


def test_open_breaks_are_counted_by_category_and_age_and_money_is_never_added_across_currencies(
    client: TestClient, store: Connection
) -> None:
    new = record(store, before(1), "breaks", breaks=(broken("1", "10.00"), broken("2", "20.00")))
    old = record(store, before(40), "breaks", breaks=(broken("3", "30.00", "missing_in_ledger"),))
    keep_break(store, new, "b:1", "ledger_behind", "open", "10.00")
    keep_break(store, new, "b:2", "ledger_behind", "open", "20.50")
    keep_break(store, new, "b:4", "ledger_behind", "accepted", "4000.00")
    keep_break(store, old, "b:3", "missing_in_ledger", "open", "30.00")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET currency = 'SEK' WHERE invoice_key = 'b:3'")
    page = client.get("/reconciliation/").text
    assert "30.50 <small>EUR</small>" in page
    assert "30.00 <small>SEK</small>" in page
    assert 'aria-label="0 to 2 days: 2"' in page
    assert 'aria-label="30 days and more: 1"' in page
    assert f"the oldest since {before(40)}, 40 days" in page


def test_doubts_are_told_first(client: TestClient, store: Connection) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO ropo.status_poll (profile, kind, outcome, closed_at, window_from, window_to, recovery)
            VALUES ('default', 'drain', 'empty', now(), '2026-11-01', NULL, NULL),
                   ('default', 'drain', 'in_doubt', now(), '2026-11-01', '2026-11-03', 'unproven'),
                   ('default', 'drain', 'in_doubt', now(), '2026-11-01', '2026-11-03', 'recovered')
            """
        )
        cursor.execute("UPDATE ropo.status_poll SET new_count = 7 WHERE outcome = 'empty'")
    page = client.get("/reconciliation/").text
    assert ">1 in doubt</a>" in page
    assert "7 changes a day" in page
    assert "just now" in page


def test_earlier_weeks_leave_the_figures_as_they_are_today(client: TestClient, store: Connection) -> None:
    record(store, before(3), "breaks", break_count=2)
    earlier = client.get("/reconciliation/", params={"until": before(200)}).text
    (cell,) = re.findall(r'id="latest-name">.*?<p class="value"><a href="([^"]+)"', earlier, re.DOTALL)
    assert f"dates/{before(3)}?" in cell
    assert (
        f'<a href="/reconciliation/dates/{before(3)}?profile=default">' in earlier.split("Dates that need somebody")[1]
    )


def test_a_date_that_is_typed_is_gone_to(client: TestClient) -> None:
    answer = client.get("/reconciliation/dates", params={"date": "2026-10-25", "profile": "default"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/reconciliation/dates/2026-10-25?profile=default"
    assert client.get("/reconciliation/dates", params={"date": "yesterday"}).status_code == 422
