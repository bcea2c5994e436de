"""The list of breaks: filtered, ordered, counted, page by page and as CSV."""

from __future__ import annotations

import csv
import datetime
import html
import io
import re
from typing import TYPE_CHECKING

import pytest

from tests.include.reconciliation.world import World, at
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER, listed, words_of

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

DATE = datetime.date(2026, 11, 20)
PATH = "/reconciliation/breaks"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["2", "3", "1"]),
        ("?order=age", ["3", "1", "2"]),
        ("?order=category", ["3", "1", "2"]),
        ("?order=age&direction=desc", ["2", "1", "3"]),
        ("?state=accepted", ["4"]),
        ("?state=resolved", ["5"]),
        ("?category=missing_in_ledger", ["2"]),
        ("?first_from=2026-01-05", ["2", "3", "1"]),
        ("?first_from=2026-01-06", ["2", "1"]),
        ("?first_from=2026-11-21", []),
        ("?first_to=2026-01-05", ["3"]),
        ("?first_to=2026-01-04", []),
        ("?first_from=2026-01-05&first_to=2026-11-19", ["3"]),
        ("?first_from=&first_to=", ["2", "3", "1"]),
        # An address that was kept says since when.
        ("?date=2026-01-06", ["2", "1"]),
        ("?date=", ["2", "3", "1"]),
        ("?severity=high", ["2", "3"]),
        ("?text=3", ["3"]),
        ("?text=%25", []),
    ],
)
def test_breaks_are_filtered_and_ordered(
    client: TestClient, ids: dict[str, int], query: str, expected: list[str]
) -> None:
    if query == "?severity=high":
        # By amount the one, by age the other, and since this year's November all of them are old enough some day.
        assert set(expected) <= set(listed(client.get(PATH + query).text))
    else:
        assert listed(client.get(PATH + query).text) == expected


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("", "Open breaks 3 breaks: 2\u202f012.00 EUR at stake"),
        ("?category=ledger_behind", "Open breaks 2 breaks match: 12.00 EUR at stake"),
        ("?text=2", "Open breaks 1 break matches: 2\u202f000.00 EUR at stake"),
        ("?state=accepted", "Accepted breaks 1 break: 8.00 EUR at stake"),
        ("?state=resolved", "Resolved breaks CSV"),
        ("?text=9", "Open breaks CSV"),
    ],
)
def test_the_lists_head_counts_its_breaks_and_their_money(
    client: TestClient, ids: dict[str, int], query: str, told: str
) -> None:
    page = client.get(PATH + query).text
    head = re.search(r'<h2 id="breaks-title".*?</header>', page, re.DOTALL)
    assert head
    assert re.sub("<[^>]+>", " ", head[0]).split()[: len(told.split())] == told.split()


def test_what_is_at_stake_in_an_unpaid_invoice_that_the_ledger_lacks_is_not_known(
    client: TestClient, store: Connection
) -> None:
    number = record(
        store,
        DATE,
        "breaks",
        breaks=(broken("1", "5.00"), broken("2", "0", "missing_in_ledger", reason="no_row", ledger_total=None)),
    )
    keep_break(store, number, "b:2", "missing_in_ledger", "open", "0.00")
    for path in ("breaks/1", "breaks", "", f"dates/{DATE}"):
        text = " ".join(re.sub("<[^>]+>", " ", client.get(f"/reconciliation/{path}").text).split())
        assert "not known" in text, path
        assert "0.00 EUR" not in text, path
    keep_break(store, number, "b:1", "ledger_behind", "open", "5.00")
    text = " ".join(re.sub("<[^>]+>", " ", client.get(PATH).text).split())
    assert "2 breaks: 5.00 EUR and 1 of an amount not known at stake" in text
    text = " ".join(re.sub("<[^>]+>", " ", client.get("/reconciliation/").text).split())
    assert "Money at stake 5.00 EUR in open breaks, by currency and 1 of an amount not known" in text
    for path in ("breaks.csv", f"dates/{DATE}/items.csv"):
        rows = list(csv.reader(io.StringIO(client.get(f"/reconciliation/{path}").text)))
        [head] = [row for row in rows if "at_stake" in row]
        found = {row[head.index("category")]: row[head.index("at_stake")] for row in rows[rows.index(head) + 1 :]}
        assert found == {"ledger_behind": "5.00", "missing_in_ledger": ""}


def test_money_of_two_currencies_is_never_added_and_the_profiles_own_comes_first(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET currency = 'DKK' WHERE invoice_key = 'b:1'")
    assert "3 breaks: 2\u202f007.00 EUR, 5.00 DKK at stake" in client.get(PATH).text


def test_where_there_are_several_currencies_one_of_them_can_be_chosen(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    assert 'name="currency"' not in client.get(PATH).text
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET currency = 'DKK' WHERE invoice_key = 'b:1'")
    assert "<option>DKK</option>" in client.get(PATH).text
    page = client.get(f"{PATH}?currency=DKK").text
    assert listed(page) == ["1"]
    assert "1 break matches: 5.00 DKK at stake" in page
    assert "<option selected>DKK</option>" in page
    (link,) = re.findall(r'href="([^"]*)">CSV of this view<', page)
    rows = list(csv.reader(client.get(html.unescape(link)).text.splitlines()))
    assert ["# only breaks of", "state: open", "currency: DKK"] in rows
    assert [row[1] for row in rows if row[0] == str(ids["b:1"])] == ["1"]
    assert [row for row in rows if row[0] in (str(ids["b:2"]), str(ids["b:3"]))] == []


def test_after_a_decision_the_list_goes_on_where_it_was(client: TestClient, store: Connection) -> None:
    number = record(store, DATE, "breaks")
    for place in range(120):
        keep_break(store, number, f"b:{place:03}", "ledger_behind", "open", "10.00")
    (following,) = re.findall(r'rel="next" href="([^"]+)"', client.get(PATH).text)
    second = client.get(html.unescape(following)).text
    (seen,) = re.findall(r'name="seen" value="(\d+)"', second)
    chosen, kept = listed(second)[:10], listed(second)[10:]
    with store.cursor() as cursor:
        cursor.execute(
            "SELECT break_id FROM ropo.reconciliation_break WHERE substr(invoice_key, 3) = ANY(%s)", (chosen,)
        )
        break_ids = [break_id for (break_id,) in cursor.fetchall()]
    form = {"what": "accept", "note": "ten of them", "seen": seen, "break_id": break_ids}
    answer = client.post(html.unescape(following), data=form, headers=SAME_ORIGIN)

    page = client.get(answer.headers["location"]).text
    assert "10 breaks are accepted" in page
    assert listed(page)[: len(kept)] == kept
    assert len(listed(page)) == 50


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["2", "3", "1"]),
        ("?order=age", ["3", "1", "2"]),
        ("?state=accepted", ["4"]),
        ("?text=3", ["3"]),
        ("?first_from=2026-01-06", ["2", "1"]),
        ("?first_to=2026-01-05", ["3"]),
        ("?shown_by=1", ["1"]),
    ],
)
@pytest.mark.parametrize(("words", "separator"), [("CSV of this view", ","), ("CSV with decimal comma", ";")])
def test_the_breaks_of_the_view_are_there_for_spreadsheets(
    client: TestClient, ids: dict[str, int], query: str, expected: list[str], words: str, separator: str
) -> None:
    (link,) = re.findall(f'href="([^"]*)">{words}<', client.get(PATH + query).text)
    answer = client.get(html.unescape(link))
    named = r'filename="(open|accepted)-breaks-default-\d{4}-\d\d-\d\d(-comma)?\.csv"'
    found = re.search(named, answer.headers["content-disposition"])
    assert found
    assert bool(found[2]) == (separator == ";")
    rows = list(csv.reader(answer.text.removeprefix("\ufeff").splitlines(), delimiter=separator))
    names, *breaks = (row for row in rows if not row[0].startswith("#"))
    assert [each[names.index("billnum")] for each in breaks] == expected


def test_a_break_in_the_csv_has_both_sides_its_age_and_who_accepted_it(client: TestClient, world: World) -> None:
    world.payment("1", "60.50")
    world.row("1")
    world.reconcile(now=at("2026-03-20 08:00"))
    form = {"what": "accept", "note": "=known", "seen": "99"}
    assert client.post(f"{PATH}/1", data=form, headers=SAME_ORIGIN).status_code == 303
    text = client.get("/reconciliation/breaks.csv?state=accepted&decimal=comma&text=1").text
    head: list[list[str]] = []
    rows: list[list[str]] = []
    for row in csv.reader(text.removeprefix("\ufeff").splitlines(), delimiter=";"):
        (head if row[0].startswith("#") else rows).append(row)
    names, values = rows
    found = dict(zip(names, values, strict=True))
    assert head[0] == ["# breaks of profile", "default"]
    assert head[-1] == ["# only breaks of", "state: accepted", "text: 1"]
    told = ("break_id", "billnum", "jobid", "category", "reason", "state", "business_date", "at_stake", "currency")
    assert [found[name] for name in told] == [
        "1", "1", "J1", "ledger_behind", "Ropo is further in payment", "accepted", "2026-03-10", "60,50", "EUR",
    ]  # fmt: skip
    assert (found["ropo_paid"], found["ledger_paid"], found["ledger_open"]) == ("60,50", "0,00", "100,00")
    assert (found["accepted_by"], found["accepted_note"]) == (USER, "'=known")
    assert int(found["age_days"]) > 200
    assert found["times_seen"] == "1"


@pytest.mark.parametrize("order", ["amount", "age", "category"])
def test_pages_follow_each_other_without_gap_or_repetition(client: TestClient, store: Connection, order: str) -> None:
    number = record(store, DATE, "breaks")
    for place in range(60):
        keep_break(store, number, f"b:{place:03}", "ledger_behind", "open", "10.00")
    first = client.get(PATH, params={"order": order}).text
    (following,) = re.findall(r'rel="next" href="([^"]+)"', first)
    second = client.get(following.replace("&amp;", "&")).text
    found = [listed(page) for page in (first, second)]
    assert [len(each) for each in found] == [50, 10]
    assert sorted(found[0] + found[1]) == [f"{place:03}" for place in range(60)]


def test_a_page_beyond_the_last_break_is_the_first_page_and_no_claim_that_there_is_none(
    client: TestClient, store: Connection
) -> None:
    number = record(store, DATE, "breaks")
    for place in range(60):
        keep_break(store, number, f"b:{place:03}", "ledger_behind", "open", "10.00")
    (following,) = re.findall(r'rel="next" href="([^"]+)"', client.get(PATH).text)
    second = following.replace("&amp;", "&")
    rest = listed(client.get(second).text)
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(second).text)
    with store.cursor() as cursor:
        cursor.execute("SELECT break_id FROM ropo.reconciliation_break WHERE substr(invoice_key, 3) = ANY(%s)", (rest,))
        stale = [break_id for (break_id,) in cursor.fetchall()]
    form = {"what": "accept", "note": "ten of them", "seen": seen, "break_id": stale}
    assert client.post(second, data=form, headers=SAME_ORIGIN).status_code == 303

    page = client.get(second).text
    assert len(listed(page)) == 50
    assert "That page of the list is empty now" in page
    assert "No open breaks" not in page
    late = client.post(second, data={**form, "note": "another's note"}, headers=SAME_ORIGIN)
    assert late.status_code == 409
    assert "Nothing was accepted" in late.text
    assert "No open breaks" not in late.text
    assert "another&#39;s note</textarea>" in late.text


def comes_after(store: Connection, lacking: str) -> None:
    """The newest comparison is one that took no break into the list."""
    number = record(store, DATE, "incomplete", reasons=("ledger_empty",) if lacking == "ledger" else ())
    if lacking == "backlog":
        with store.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ropo.break_backlog (reconciliation_id, profile) VALUES (%s, 'default')", (number,)
            )


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        (None, "No break is recorded as open"),
        ("nothing", "No date was compared yet"),
        ("ledger", "found no row at all in the ledger"),
        ("backlog", "1 reconciliation waits to be taken into this list"),
    ],
)
def test_an_empty_list_claims_no_more_than_is_known(
    client: TestClient, store: Connection, lacking: str | None, told: str
) -> None:
    if lacking is None:
        record(store, DATE)
    elif lacking != "nothing":
        comes_after(store, lacking)
    page = client.get(PATH).text
    assert told in page
    assert ("Every difference that was found is within its grace" in page) == (lacking is None)
    assert ("to be trusted" in page) == (lacking is not None)
    file = client.get(f"{PATH}.csv").text
    assert (told in file) == ("# not to be trusted as all there is" in file) == (lacking is not None)


@pytest.mark.parametrize("query", ["", "?text=1", "?text=none", "?state=accepted", "?state=resolved"])
@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        (
            "ledger",
            "The newest reconciliation, of 2026-11-20, found no row at all in the ledger, and such a one opens and "
            "closes no break, whatever differs.",
        ),
        ("backlog", "1 reconciliation waits to be taken into this list; the next comparison does so."),
    ],
)
def test_a_list_that_may_lack_breaks_says_so_above_those_it_has_and_in_its_csv(
    client: TestClient, store: Connection, ids: dict[str, int], query: str, lacking: str, told: str
) -> None:
    """Whatever the filters leave of it, and also where that is none."""
    said = "not to be trusted as all there is"
    assert said not in client.get(PATH + query).text
    assert said not in client.get(f"{PATH}.csv{query}").text
    comes_after(store, lacking)
    page = client.get(PATH + query).text
    notice = rf'<p class="notice inside" role="status">This list is {said}: .*?</p>'
    assert told in words_of(page.partition('<table class="list">')[0].partition('<div class="empty">')[0], notice)
    assert (f'href="/reconciliation/dates/{DATE}?profile=default">Look at {DATE}<' in page) == (lacking == "ledger")
    head = [row for row in csv.reader(client.get(f"{PATH}.csv{query}").text.splitlines()) if row[0].startswith("#")]
    assert [row for row in head if row[0] == f"# {said}"] == [[f"# {said}", told]]


def test_filters_are_told_apart_from_the_chips_and_keep_the_order(client: TestClient, ids: dict[str, int]) -> None:
    dates = {"first_from": "2026-01-01", "first_to": "2026-12-31"}
    chosen = {"category": "ledger_behind", "severity": "low", "currency": "EUR", "text": "1", **dates}
    page = client.get(PATH, params={**chosen, "order": "age", "direction": "desc"}).text
    chips = re.search(r'class="chips".*?</ul>', page, re.DOTALL)
    assert chips
    assert [name for name in chosen if f"{name}=" in chips[0]] == []
    assert "order=age&amp;direction=desc" in chips[0]
    assert '<input type="hidden" name="direction" value="desc">' in page
    (clear,) = re.findall(r'href="([^"]+)">Clear', page)
    assert clear == "/reconciliation/breaks?profile=default&amp;order=age&amp;direction=desc"


def test_a_kept_address_fills_in_the_dates_of_today(client: TestClient, ids: dict[str, int]) -> None:
    page = client.get(PATH, params={"date": "2026-01-06"}).text
    assert '<input type="date" name="first_from" value="2026-01-06">' in page
    assert "first_from=2026-01-06" in "".join(re.findall(r'href="([^"]*)">CSV of this view', page))
    assert "date=2026" not in page.replace("name=", "")


def test_the_csv_says_by_which_dates_it_was_filtered(client: TestClient, ids: dict[str, int]) -> None:
    text = client.get(f"{PATH}.csv?first_from=2026-01-05&first_to=2026-11-19").text
    assert "first seen from: 2026-01-05,first seen to: 2026-11-19" in text


def test_the_open_breaks_of_a_reconciliation_are_listed_whenever_they_were_first_seen(
    client: TestClient, store: Connection
) -> None:
    """Under whatever name and category; and none that it did not show."""
    before = record(store, DATE, "breaks")
    shown = tuple(broken(name, "5.00") for name in ("old", "job", "accepted", "other"))
    number = record(store, DATE + datetime.timedelta(days=1), "breaks", breaks=shown)
    for key, category, state in (
        ("b:old", "ledger_behind", "open"),
        ("b:job", "ledger_behind", "resolved"),
        ("b:named", "ledger_behind", "open"),
        ("b:accepted", "ledger_behind", "accepted"),
        ("b:other", "amount_mismatch", "open"),
        ("b:not-shown", "ledger_behind", "open"),
    ):
        keep_break(store, before, key, category, state, "5.00")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET renamed_to = 'b:named' WHERE invoice_key = 'b:job'")
        cursor.execute("UPDATE ropo.reconciliation_break SET billnum = substr(invoice_key, 3)")
    date = client.get("/reconciliation/dates/2026-11-21").text
    [address] = re.findall(r'<a class="button" href="([^"]+)">3 breaks open now</a>', date)
    page = client.get(html.unescape(address)).text
    assert sorted(listed(page)) == ["named", "old", "other"]
    assert "3 breaks match" in page
    assert "Only breaks of invoices that differ in" in page
    assert f'<input type="hidden" name="shown_by" value="{number}">' in page
    (clear,) = re.findall(r'href="([^"]+)">Clear', page)
    assert "shown_by" not in clear


def test_a_date_of_which_nothing_is_open_leads_to_no_list(client: TestClient, store: Connection) -> None:
    number = record(store, DATE, "breaks", breaks=(broken("1", "5.00"),))
    keep_break(store, number, "b:1", "ledger_behind", "accepted", "5.00")
    assert "open now" not in client.get(f"/reconciliation/dates/{DATE}").text


@pytest.mark.parametrize("path", [PATH, f"{PATH}.csv"])
def test_the_breaks_of_another_profiles_reconciliation_are_not_listed(
    client: TestClient, store: Connection, ids: dict[str, int], path: str
) -> None:
    number = record(store, DATE, "breaks", breaks=(broken("1", "5.00"),), profile="other")
    assert client.get(path, params={"shown_by": number}).status_code == 404


def test_no_two_links_to_different_breaks_sound_alike(client: TestClient, store: Connection) -> None:
    number = record(store, DATE, "breaks", breaks=(broken("1", "5.00"), broken("2", "6.00")))
    for name in ("1", "2"):
        keep_break(store, number, f"b:{name}", "ledger_behind", "accepted", "5.00")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET billnum = substr(invoice_key, 3)")
    for path in (f"{PATH}?state=accepted", f"/reconciliation/dates/{DATE}"):
        found = re.findall(r'<a href="(/reconciliation/breaks/\d+[^"]*)">(.*?)</a>', client.get(path).text, re.DOTALL)
        named = {re.sub("<[^>]+>", "", words) for _, words in found}
        assert len(found) == len(named) == 2, path


def test_the_csv_says_what_to_do_next_about_what_is_open(client: TestClient, ids: dict[str, int]) -> None:
    for state, told in (("open", {"Book Ropo's payment in the ERP."}), ("accepted", {""})):
        text = client.get(f"{PATH}.csv?state={state}&category=ledger_behind").text.removeprefix("\ufeff")
        names, *rows = (row for row in csv.reader(io.StringIO(text)) if not row[0].startswith("#"))
        assert {row[names.index("what_to_do_next")] for row in rows} == told
