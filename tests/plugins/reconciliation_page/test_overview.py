"""The overview: dates by verdict, open breaks, the drain."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import Profile
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import words_of

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

    from tests.include.reconciliation.world import World


def before(days: int) -> datetime.date:
    # Looked at in each test: a run of all of them may go over midnight.
    return Profile(name="default").business_date(datetime.datetime.now(datetime.UTC)) - datetime.timedelta(days=days)


def test_an_empty_store_says_what_comes_first(client: TestClient) -> None:
    page = client.get("/reconciliation/").text
    for text in ("None yet", "Nothing was compared yet", "Breaks are not known", "Not polled yet"):
        assert text in page
    for text in ("No open breaks", "0.00", "not emptied for an hour", "over an hour", "nothing in doubt"):
        assert text not in page


def test_a_start_date_that_lies_ahead_is_named_in_the_place_of_what_comes_first(
    client: TestClient, store: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "profiles.yaml"
    file.write_text("profiles: [{name: default, start_date: 2062-01-01}]", encoding="utf-8")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(file))
    record(store, before(1))

    page = client.get("/reconciliation/").text

    assert "start_date lies ahead</span>" in page
    assert "No date is compared before 2062-01-01" in page
    assert "That is the start_date of profile default in the profiles file" in page
    for text in ("The first run of ropo_reconciliation shows here", "Unpause", "Nothing was compared yet"):
        assert text not in page
    assert "start_date lies ahead" in client.get("/reconciliation/profiles").text


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
    assert "nothing in doubt" not in page
    assert "7 changes in 24 h" in page
    assert "just now" in page


def test_each_number_of_the_drain_stands_by_its_own_name(client: TestClient, world: World) -> None:
    now = datetime.datetime.now(datetime.UTC)
    closed = {"opened_at": now, "closed_at": now, "window_to": "2026-11-03"}
    for recovery in ("unproven", "pending", *["recovered"] * 3, *["accepted"] * 4):
        world.poll("drain", "in_doubt", recovery=recovery, **closed)
    for _ in range(5):
        world.poll("drain", "open", opened_at=now - datetime.timedelta(hours=1))
    for number in range(6):
        world.quarantine(str(number).encode(), now)
    world.page(complete=True)
    page = client.get("/reconciliation/").text
    assert (
        "Polls in doubt 2 not recovered yet Recovered, accepted 3, 4 Left open 5 polls, the next drain judges them "
        "In quarantine 6 rows Pages not read 1 page Changes in 24 h 0"
    ) in words_of(page, 'id="health-title".*?<dl class="facts">(.*?)</dl>')
    tags = words_of(page, 'id="queue-name".*?</section>')
    assert "2 in doubt 5 polls left open 6 in quarantine 1 page not read" in tags


def test_the_calendar_goes_on_by_as_many_weeks_as_it_shows(client: TestClient) -> None:
    def ways(until: datetime.date | None) -> dict[str, str]:
        page = client.get("/reconciliation/", params={"until": until} if until else {}).text
        return {way: date for date, way in re.findall(r'until=([\d-]+)" rel="(\w+)"', page)}

    span = datetime.timedelta(weeks=26)
    today = before(0)
    assert ways(None) == ways(today) == {"prev": str(today - span)}
    assert ways(before(1)) == {"prev": str(before(1) - span), "next": str(before(1) + span)}


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


def test_zero_breaks_are_said_of_what_is_recorded_only(client: TestClient, store: Connection) -> None:
    number = record(store, before(1))
    page = client.get("/reconciliation/").text
    assert "No break is recorded as open." in page
    assert "0.00 <small>EUR</small>" in page

    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.break_backlog (reconciliation_id, profile, out_of_scope, start_date) "
            "VALUES (%s, 'default', '{}', '2026-01-01')",
            (number,),
        )
    page = client.get("/reconciliation/").text
    assert "still being recorded" in page
    assert "0.00" not in page


def test_a_ledger_that_came_empty_leaves_breaks_unknown(client: TestClient, store: Connection) -> None:
    record(store, before(1), "incomplete", break_count=4, reasons=("ledger_empty",))
    page = client.get("/reconciliation/").text
    assert "the ledger came empty" in page
    assert "Breaks are not known" in page
    for text in ("0.00", "No open breaks", "No break is recorded"):
        assert text not in page


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (
            "INSERT INTO ropo.status_page (poll_id, body, sha256, received_at, complete, parse_error) "
            "SELECT poll_id, '', sha256(''), now(), true, 'no parser' FROM ropo.status_poll",
            "1 page not read",
        ),
        (
            "INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, window_from) "
            "VALUES ('default', 'drain', 'open', now() - interval '40 minutes', '2026-11-01')",
            "1 poll left open",
        ),
        (
            "INSERT INTO ropo.status_event (profile, statusid, billnum, statustype, statustime, statuscode, statusref, "
            "statustext, raw, source, first_poll_id, first_seen_at, content_poll_id, content_sha256) SELECT 'default', "
            "'C1', '1', 'comment', now(), '98', '', '', '{}', 'date', poll_id, now(), poll_id, '' "
            "FROM ropo.status_poll; "
            "INSERT INTO ropo.undrained_event (profile, statusid, shown_by_poll_id, empty_poll_id) "
            "SELECT 'default', 'C1', poll_id, poll_id FROM ropo.status_poll",
            "1 change that no drain brought",
        ),
        ("UPDATE ropo.status_poll SET closed_at = now() - interval '61 minutes'", "not emptied for an hour"),
        (
            "UPDATE ropo.status_poll SET closed_at = now() - interval '61 minutes'; "
            "INSERT INTO ropo.status_poll (profile, kind, filter_value, outcome, closed_at) "
            "VALUES ('default', 'date', '2026-11-13', 'empty', now())",
            "not emptied for an hour",
        ),
        (
            "UPDATE ropo.status_poll SET closed_at = now() + interval '1 day'",
            "not emptied for an hour",
        ),
    ],
    ids=[
        "unparsed",
        "left open",
        "undrained",
        "late",
        "late, with a 204 to a re-read since",
        "late, with a 204 of a clock that ran ahead",
    ],
)
def test_the_queue_is_in_order_only_where_nothing_waits(
    client: TestClient, store: Connection, statement: str, told: str
) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from) "
            "VALUES ('default', 'drain', 'empty', now() - interval '2 hours', now(), '2026-11-01')"
        )
    assert "nothing in doubt" in client.get("/reconciliation/").text
    with store.cursor() as cursor:
        cursor.execute(statement)
    page = client.get("/reconciliation/").text
    assert told in page
    assert "nothing in doubt" not in page


def test_a_queue_that_was_just_asked_for_the_first_time_is_not_late(client: TestClient, store: Connection) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.status_poll (profile, kind, outcome, opened_at, closed_at, window_from) "
            "VALUES ('default', 'drain', 'landed', now() - interval '10 minutes', now(), '2026-11-01')"
        )
    page = client.get("/reconciliation/").text
    assert "Not emptied yet" in page
    for text in ("nothing in doubt", "for an hour", "over an hour"):
        assert text not in page
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.status_poll SET opened_at = now() - interval '61 minutes'")
    assert "not emptied for an hour" in client.get("/reconciliation/").text


def test_the_calendar_leads_to_no_date_that_is_refused(client: TestClient) -> None:
    first = client.get("/reconciliation/", params={"until": "2000-01-03"}).text
    assert ">Earlier</a>" not in first
    assert "dates/1999" not in first
    assert ">Earlier</a>" in client.get("/reconciliation/").text


def test_one_is_said_in_the_singular(client: TestClient, store: Connection) -> None:
    record(store, before(1))
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation SET population = 1, matched = 1")
        cursor.execute(
            "INSERT INTO ropo.status_poll (profile, kind, outcome, closed_at, window_from, new_count) "
            "VALUES ('default', 'drain', 'empty', now(), '2026-11-01', 1)"
        )
    page = client.get("/reconciliation/").text
    assert f'aria-label="{before(1)}, reconciled: 1 invoice"' in page
    assert "1 change in 24 h" in page


def test_where_breaks_are_accepted_none_is_open_and_where_there_is_no_invoice_none_agrees(
    client: TestClient, store: Connection
) -> None:
    date = datetime.date(2026, 11, 20)
    number = record(store, date)
    keep_break(store, number, "b:1", "ledger_behind", "accepted")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation SET population = 0, matched = 0, categories = '{}'")
    page = client.get("/reconciliation/").text
    assert "<span>none is open</span>" in page
    assert "No break is recorded as open." in page
    assert "no invoice belongs to it" in page
    assert "0 of 0" not in page
