"""What needs somebody, on the overview: nothing is called in order that the watch tells of."""

from __future__ import annotations

import datetime
import re
from html import unescape
from typing import TYPE_CHECKING

import pytest

from include.config.profiles import TIME_FOR_A_VERDICT, Profile
from include.page_data import needing, past_grace
from reconciliation_page import overview as overview_page
from tests.include.watch.records import broken, keep_break, record, stood_accepted
from tests.include.watch.test_verdicts import accept_as_incomplete

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

NOBODY, UNREACHED = "No date needs anybody", "the nightly run does not compare this date: ask for it to be run again"


def before(days: int, due_after: datetime.timedelta = TIME_FOR_A_VERDICT) -> datetime.date:
    # By now, as a run may go over midnight. In its first hour a day is none yet: no verdict of the one before is due.
    now = datetime.datetime.now(datetime.UTC) - due_after
    return Profile(name="default").business_date(now) - datetime.timedelta(days=days)


def named(date: datetime.date) -> str:
    return f"{date:%a} {date.day} {date:%b %Y}"


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, client: TestClient) -> None:
    """The profile begins five days ago, and its verdicts are due an hour after midnight."""
    profiles = tmp_path / "profiles.yaml"
    profiles.write_text(
        f"profiles:\n  - name: default\n    start_date: {before(5)}\n    settle_hours: 0\n"
        "    alerts: {deadline_hour: 0}\n"
    )
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(profiles))


def every_date(store: Connection, *, but: int | None = None) -> None:
    for days in range(1, 6):
        if days != but:
            record(store, before(days))


def listed(page: str) -> list[str]:
    """What the list says, a line an entry."""
    _, _, rest = page.partition("Dates that need somebody")
    entries = re.findall(r"<li>(.*?)</li>", rest.partition("</section>")[0], re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", entry)).split()) for entry in entries]


@pytest.mark.usefixtures("started")
def test_nobody_is_needed_where_each_date_is_reconciled(client: TestClient, store: Connection) -> None:
    every_date(store)
    page = client.get("/reconciliation/").text
    assert NOBODY in page
    assert listed(page) == []


def test_a_red_date_older_than_the_calendar_is_named(client: TestClient, store: Connection) -> None:
    number = record(store, before(220), "breaks", breaks=(broken("1", "10.00"), broken("2", "5.00")))
    keep_break(store, number, "b:1", "ledger_behind", "accepted")
    page = client.get("/reconciliation/", params={"needing": "all"}).text
    assert f"{named(before(220))} ✕ Breaks 1 open break" in listed(page)
    assert f">{named(before(220))}</a></p>" in page, "and it is the latest that was compared"
    record(store, before(1))
    assert NOBODY not in client.get("/reconciliation/").text


@pytest.mark.usefixtures("started")
def test_a_date_whose_breaks_are_settled_is_red_until_it_is_compared_again_where_it_is(
    client: TestClient, store: Connection, tmp_path: Path
) -> None:
    every_date(store, but=3)
    number = record(store, before(3), "breaks", breaks=(broken("1", "10.00"),))
    keep_break(store, number, "b:1", "ledger_behind", "accepted")
    page = client.get("/reconciliation/").text
    assert listed(page) == [f"{named(before(3))} ✕ Breaks 1 break , 1 accepted or mended since"]
    assert "A break stands on each date of its invoice." in page
    page = client.get(f"/reconciliation/dates/{before(3)}").text
    assert "1 break was accepted or mended since; the verdict follows with the date's next comparison" in page

    with (tmp_path / "profiles.yaml").open("a") as profiles:
        profiles.write("    recheck_days: 2\n    late_days: 2\n")
    assert NOBODY in client.get("/reconciliation/").text, "no recheck reaches it any more"
    page = client.get(f"/reconciliation/dates/{before(3)}").text
    assert f"1 break was accepted or mended since; {UNREACHED}." in page


@pytest.mark.usefixtures("started")
def test_the_newest_full_comparison_says_what_was_settled_since_as_the_overview_does(
    client: TestClient, store: Connection
) -> None:
    number = record(store, before(3), "breaks", breaks=(broken("1", "10.00"), broken("2", "10.00")), scope="full")
    every_date(store)  # recorded after it, the date's own does not take its place
    keep_break(store, number, "b:1", "ledger_behind", "accepted")
    keep_break(store, number, "b:2", "ledger_behind", "open")
    assert listed(client.get("/reconciliation/").text)[0].endswith("1 open break")
    path = f"/reconciliation/dates/{before(3)}"
    page = client.get(path, params={"reconciliation": number}).text
    assert "1 break was accepted or mended since; the verdict follows with the next full comparison." in page
    assert "1 break open now" in page

    record(store, before(3), scope="full")
    page = client.get(path, params={"reconciliation": number}).text
    assert "accepted or mended since" not in page, "it is the evidence of its day"


@pytest.mark.usefixtures("started")
def test_a_date_whose_accepted_break_was_opened_again_is_green_until_it_is_compared_again_where_it_is(
    client: TestClient, store: Connection, tmp_path: Path
) -> None:
    every_date(store, but=3)
    number = record(store, before(3), "breaks", breaks=(broken("1", "10.00"), broken("2", "10.00")))
    stood_accepted(store, number)
    path = f"/reconciliation/dates/{before(3)}"
    keep_break(store, number, "b:2", "ledger_behind", "accepted")
    assert "open again" not in client.get(path).text
    keep_break(store, number, "b:1", "ledger_behind", "open")
    assert NOBODY in client.get("/reconciliation/").text
    page = client.get(path).text
    assert "1 break that was accepted is open again; the verdict follows with the date's next comparison." in page
    assert re.findall(r">(\w+ again since|\w+ since)<", page) == ["open again since"]

    with (tmp_path / "profiles.yaml").open("a") as profiles:
        profiles.write("    recheck_days: 2\n    late_days: 2\n")
    page = client.get("/reconciliation/").text
    assert listed(page) == [f"{named(before(3))} ✕ Breaks 1 open break"]
    assert f"The nightly run compares no date before {before(2, due_after=datetime.timedelta(0))} again" in page
    page = client.get(path).text
    assert f"1 break that was accepted is open again; {UNREACHED}." in page


@pytest.mark.usefixtures("started")
def test_a_date_that_no_recheck_reaches_and_that_has_something_pending_is_compared_again_all_the_same(
    client: TestClient, store: Connection, tmp_path: Path
) -> None:
    every_date(store, but=3)
    with (tmp_path / "profiles.yaml").open("a") as profiles:
        profiles.write("    recheck_days: 2\n    late_days: 2\n")
    items = (broken("1", "10.00"), broken("2", "10.00", pending_until=midnight(-1)))
    path = f"/reconciliation/dates/{before(3)}"
    for recorded, told in ((midnight(0), "the date's next comparison"), (midnight(2), UNREACHED)):
        number = record(store, before(3), "breaks", breaks=items, started_at=recorded)
        if recorded == midnight(0):
            keep_break(store, number, "b:1", "ledger_behind", "accepted")
        assert told in client.get(path).text


@pytest.mark.usefixtures("started")
def test_no_pending_stands_alone_over_a_grace_that_is_over(client: TestClient, store: Connection) -> None:
    every_date(store, but=3)
    two_pending_until(store, midnight(0))
    page = client.get("/reconciliation/").text
    assert re.search(rf'"day pending marked" [^>]*dates/{before(3)}[^>]*, 3 pending, 2 past the grace"', page)
    page = client.get(f"/reconciliation/dates/{before(3)}").text
    (head,) = re.findall(r'<div class="head">.*?</div>', page, re.DOTALL)
    assert "2 past the grace" in head


@pytest.mark.usefixtures("started")
def test_breaks_that_are_open_still_are_told_without_a_word_of_others(client: TestClient, store: Connection) -> None:
    every_date(store, but=3)
    number = record(store, before(3), "breaks", breaks=(broken("1", "10.00"),))
    keep_break(store, number, "b:1", "ledger_behind", "open")
    assert listed(client.get("/reconciliation/").text) == [f"{named(before(3))} ✕ Breaks 1 break"]
    assert "accepted or mended since" not in client.get(f"/reconciliation/dates/{before(3)}").text
    keep_break(store, number, "b:1", "amount_mismatch", "resolved")
    record(store, before(3), "breaks", breaks=(broken("1", "10.00", category="amount_mismatch", reason="payments"),))
    page = client.get(f"/reconciliation/dates/{before(3)}").text
    assert "payments differ" in page
    assert "accepted or mended since" not in page, "it differs, in another way"


@pytest.mark.usefixtures("started")
def test_a_date_whose_verdict_is_due_and_missing_is_named_and_stands_beside_the_latest(
    client: TestClient, store: Connection
) -> None:
    every_date(store, but=1)
    page = client.get("/reconciliation/").text
    assert listed(page) == [
        f"{named(before(1))} – No run 1 date without a verdict. See whether ropo_reconciliation ran; a backfill "
        "compares it."
    ]
    assert f"{named(before(1))} has no verdict</a>" in page
    record(store, before(1))
    page = client.get("/reconciliation/").text
    assert "has no verdict" not in page
    assert NOBODY in page


@pytest.mark.usefixtures("started")
def test_missing_dates_that_follow_each_other_are_one_entry(client: TestClient, store: Connection) -> None:
    record(store, before(5))
    record(store, before(1))
    (entry,) = listed(client.get("/reconciliation/").text)
    assert entry.startswith(f"{named(before(4))} to {named(before(2))} – No run 3 dates without a verdict.")


@pytest.mark.usefixtures("started")
def test_dates_before_the_first_that_was_compared_are_a_backfills_and_hurry_nobody(
    client: TestClient, store: Connection
) -> None:
    record(store, before(2))
    record(store, before(1))
    page = client.get("/reconciliation/").text
    assert NOBODY in page
    assert "Each date since the first one" in page
    assert "3 dates from start_date" in page


@pytest.mark.usefixtures("started")
def test_a_red_full_comparison_is_named_first_with_the_breaks_that_are_open_still(
    client: TestClient, store: Connection
) -> None:
    every_date(store, but=2)
    record(store, before(2), "breaks", break_count=3)
    number = record(store, before(3), "breaks", breaks=(broken("1", "1.00"), broken("2", "2.00")), scope="full")
    keep_break(store, number, "b:1", "ledger_behind", "accepted")
    page = client.get("/reconciliation/").text
    assert listed(page) == [
        f"Full comparison of {named(before(3))} ✕ Breaks 1 open break",
        f"{named(before(2))} ✕ Breaks 3 breaks",
    ]
    assert f"dates/{before(3)}?profile=default&amp;reconciliation={number}" in page


@pytest.mark.usefixtures("started")
def test_of_very_many_breaks_it_says_that_there_may_be_more(
    client: TestClient, store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needing, "MOST_COUNTED", 2)
    every_date(store)
    record(store, before(3), "breaks", breaks=tuple(broken(str(number), "1.00") for number in range(3)), scope="full")
    (told,) = listed(client.get("/reconciliation/").text)
    assert told.endswith("2 open breaks or more")


@pytest.mark.usefixtures("started")
def test_what_was_accepted_as_incomplete_needs_nobody_and_is_not_called_reconciled(
    client: TestClient, store: Connection
) -> None:
    every_date(store, but=1)
    number = record(store, before(1), "incomplete", reasons=("doubt",))
    assert listed(client.get("/reconciliation/").text) == [f"{named(before(1))} ? Incomplete Because of doubt."]
    accept_as_incomplete(store, number)
    page = client.get("/reconciliation/").text
    assert NOBODY in page
    assert 'class="verdict incomplete"' in page


@pytest.mark.usefixtures("started")
def test_an_incomplete_date_says_why_and_then_how_many_breaks_it_has(client: TestClient, store: Connection) -> None:
    every_date(store, but=1)
    record(store, before(1), "incomplete", break_count=1, reasons=("doubt", "queue", "breaks"))
    assert listed(client.get("/reconciliation/").text) == [
        f"{named(before(1))} ? Incomplete Because of doubt; and 1 more reason. 1 break"
    ]


def midnight(days: int) -> datetime.datetime:
    """The midnight with which the day so many days ago began."""
    return Profile(name="default").midnight(before(days))


def two_pending_until(store: Connection, until: datetime.datetime, *, verdict: str = "pending") -> int:
    """The date of three days ago with one more invoice pending beyond all nights."""
    later = midnight(-5)
    breaks = tuple(broken(each, "1.00", pending_until=until) for each in ("1", "2"))
    return record(store, before(3), verdict, breaks=(*breaks, broken("3", "1.00", pending_until=later)))


@pytest.mark.usefixtures("started")
def test_a_date_whose_grace_is_over_and_that_nothing_compared_again_needs_somebody(
    client: TestClient, store: Connection
) -> None:
    every_date(store, but=3)
    two_pending_until(store, midnight(0))
    page = client.get("/reconciliation/").text
    assert NOBODY not in page
    assert listed(page) == [
        f"{named(before(3))} ◔ Pending 2 invoices are past their grace and were not compared again since. See why the "
        "task recheck of ropo_reconciliation did not; a backfill compares the date."
    ]
    page = client.get(f"/reconciliation/dates/{before(3)}").text
    assert "2 invoices are past their grace and were not compared again since." in page
    assert page.count("grace over, not compared again yet") == 2
    assert page.count(f"until {midnight(-5).astimezone(Profile(name='default').zone):%Y-%m-%d %H:%M}") == 1


@pytest.mark.usefixtures("started")
def test_of_very_many_that_are_past_their_grace_it_says_that_there_may_be_more(
    client: TestClient, store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_grace, "MOST_PAST_GRACE", 2)
    invoices = tuple(broken(str(number), "1.00", pending_until=midnight(0)) for number in range(3))
    record(store, before(3), "pending", breaks=invoices)
    told = "2 invoices or more are past their grace and were not compared again since."
    page = client.get("/reconciliation/").text
    assert told in "".join(listed(page))
    assert f'{before(3)}, pending: 8 invoices, 3 pending, 2 or more past the grace"' in page
    figure = page.partition('aria-labelledby="latest-name"')[2].partition("</section>")[0]
    assert "2 or more past the grace" in figure
    page = client.get(f"/reconciliation/dates/{before(3)}").text
    (head,) = re.findall(r'<div class="head">.*?</div>', page, re.DOTALL)
    assert "2 or more past the grace" in head
    assert told in page


@pytest.mark.usefixtures("started")
def test_a_date_that_was_compared_when_its_grace_was_over_needs_nobody_though_nothing_new_was_recorded(
    client: TestClient, store: Connection
) -> None:
    every_date(store, but=3)
    number = two_pending_until(store, midnight(0))
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.reconciled_date VALUES ('default', %s, 'date', %s, 'v1', %s)",
            (before(3), number, midnight(0) + datetime.timedelta(minutes=1)),
        )
    assert NOBODY in client.get("/reconciliation/").text
    assert "past their grace" not in client.get(f"/reconciliation/dates/{before(3)}").text


@pytest.mark.usefixtures("started")
def test_until_the_night_that_follows_a_grace_must_be_through_it_is_nobodys_matter(
    client: TestClient, store: Connection, tmp_path: Path
) -> None:
    """The date says it from midnight on; whoever looks at six in the morning is not sent after a run of seven."""
    every_date(store, but=3)
    two_pending_until(store, midnight(0))
    file = tmp_path / "profiles.yaml"
    file.write_text(file.read_text().replace("settle_hours: 0", "settle_hours: 24"))
    assert NOBODY in client.get("/reconciliation/").text
    assert "grace over, not compared again yet" in client.get(f"/reconciliation/dates/{before(3)}").text


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("verdict", ["incomplete", "breaks"])
def test_a_date_that_is_red_says_what_is_past_its_grace_as_well(
    client: TestClient, store: Connection, verdict: str
) -> None:
    every_date(store, but=3)
    number = two_pending_until(store, midnight(0), verdict=verdict)
    told = "2 invoices are past their grace and were not compared again since."
    assert told in "".join(listed(client.get("/reconciliation/").text))
    if verdict == "incomplete":
        accept_as_incomplete(store, number)
        assert told in "".join(listed(client.get("/reconciliation/").text))


@pytest.mark.usefixtures("started")
def test_an_earlier_reconciliation_of_a_date_says_what_was_pending_then(client: TestClient, store: Connection) -> None:
    every_date(store, but=3)
    number = two_pending_until(store, midnight(0))
    record(store, before(3))
    page = client.get(f"/reconciliation/dates/{before(3)}", params={"reconciliation": number}).text
    assert "not compared again" not in page


@pytest.mark.usefixtures("started")
def test_what_does_not_turn_a_run_red_is_no_less_unknown(client: TestClient, store: Connection, tmp_path: Path) -> None:
    every_date(store, but=1)
    record(store, before(1), "incomplete", reasons=("doubt",))
    with (tmp_path / "profiles.yaml").open("a") as profiles:
        profiles.write("    fail_on: []\n")
    assert NOBODY not in client.get("/reconciliation/").text


@pytest.mark.usefixtures("started")
def test_of_many_the_newest_are_named_and_the_others_counted_and_one_press_away(
    client: TestClient, store: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview_page, "NAMED", 2)
    for days in (1, 2, 5):
        record(store, before(days), "breaks", break_count=1)
    page = client.get("/reconciliation/").text
    assert [entry.split(" ✕")[0] for entry in listed(page)] == [named(before(1)), named(before(2))]
    ((address, further),) = re.findall(r'<a href="([^"]*)">and (\d+) more</a>', page)
    assert further == "3", "two without a verdict and one with breaks"
    every = client.get(unescape(address)).text
    assert len(listed(every)) == 4, "dates in a row are one entry"
    assert "more</a>" not in every


def test_nothing_is_in_order_where_only_a_full_comparison_was_made(client: TestClient, store: Connection) -> None:
    record(store, before(2), scope="full")
    page = client.get("/reconciliation/").text
    assert "Nothing was compared yet" in page
    assert NOBODY not in page
