"""The items of a business date: filtered, ordered, page by page, and as a download."""

from __future__ import annotations

import csv
import functools
import html
import operator
import re
from typing import TYPE_CHECKING

import psycopg2
import pytest

from include.reconciliation.export import COLUMNS
from reconciliation_page import dates as dates_page
from tests.include.status_store.views import execute
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import words_of
from tests.plugins.reconciliation_page.test_dates import DATE, PATH, PENDING_UNTIL, shown, three

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

__all__ = ["three"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["202", "303", "101"]),
        ("?direction=asc", ["101", "303", "202"]),
        ("?order=invoice", ["101", "202", "303"]),
        ("?order=category", ["202", "101", "303"]),
        ("?state=break", ["202"]),
        ("?state=pending", ["303"]),
        ("?state=accepted", ["101"]),
        ("?category=ledger_behind", ["303", "101"]),
        ("?severity=high", ["202"]),
        ("?text=0", ["202", "303", "101"]),
        ("?text=03", ["303"]),
        ("?text=%25", []),
        ("?category=unknown_status", []),
        ("?severity=low&category=amount_mismatch", []),
        ("?state=all&text=303", ["303"]),
        ("?state=all&text=30", []),
        ("?state=matched", []),
    ],
)
def test_items_are_filtered_and_ordered(client: TestClient, three: int, query: str, expected: list[str]) -> None:
    page = client.get(PATH + query).text
    assert shown(page) == expected
    assert "Nothing differs" not in page, "of the date something does"
    assert ("Nothing matches these filters" in page) == (not expected and query != "?state=matched")
    lines = csv.reader(client.get(f"{PATH}/items.csv{query}").text.removeprefix("\ufeff").splitlines())
    names, *items = (row for row in lines if not row[0].startswith("#"))
    assert [item[names.index("billnum")] for item in items] == expected


def test_a_pending_difference_has_nothing_of_a_break_that_was_mended_before(
    client: TestClient, store: Connection, three: int
) -> None:
    """Nor its severity; the break that it became later, be it mended since, is its own."""
    keep_break(store, three, "b:303", "ledger_behind", "resolved", "5000.00")

    def high_and_named() -> tuple[list[str], bool]:
        text = client.get(f"{PATH}/items.csv?state=pending").text
        return shown(client.get(f"{PATH}?severity=high").text), "resolved" in text

    assert high_and_named() == (["202"], False)
    later = record(store, DATE, "breaks", breaks=(broken("303", "30.00"),), started_at=PENDING_UNTIL)
    execute(store, "UPDATE ropo.reconciliation_break SET last_reconciliation_id = %s WHERE amount = 5000", (later,))
    path = f"{PATH}?severity=high&reconciliation={three}"
    assert shown(client.get(path).text) == ["202", "303"]


@pytest.mark.parametrize(("words", "separator"), [("CSV of this view", ","), ("CSV with decimal comma", ";")])
def test_the_items_are_there_for_spreadsheets_of_both_decimal_signs(
    client: TestClient, three: int, words: str, separator: str
) -> None:
    (link,) = re.findall(f'href="([^"]*)">{words}<', client.get(PATH).text)

    rows = csv.reader(client.get(html.unescape(link)).text.splitlines(), delimiter=separator)

    names, *items = (row for row in rows if len(row) > 1 and not row[0].lstrip("\ufeff").startswith("#"))
    assert (tuple(names), len(items)) == (COLUMNS, 3)


@pytest.mark.parametrize("order", ["amount", "invoice", "category"])
def test_pages_follow_each_other_without_gap_or_repetition(client: TestClient, store: Connection, order: str) -> None:
    # Equal amounts and categories, so that only the invoice tells them apart.
    record(store, DATE, "breaks", breaks=tuple(broken(f"{place:04}", "10.00") for place in range(120)))
    found, query = [], f"?order={order}"
    for _ in range(3):
        page = client.get(PATH + query).text
        found.append(shown(page))
        following = re.search(r'rel="next" href="/reconciliation/dates/2026-11-23([^"]*after=[^"]*)#items"', page)
        if not following:
            break
        query = following[1].replace("&amp;", "&")
    assert [len(each) for each in found] == [50, 50, 20]
    assert sorted(functools.reduce(operator.iadd, found, [])) == [f"{place:04}" for place in range(120)]


def lines_of(client: TestClient, page: str) -> list[dict[str, str]]:
    """The items of the CSV that a page links to."""
    (link,) = re.findall('href="([^"]*)">CSV of this view<', page)
    lines = csv.reader(client.get(html.unescape(link)).text.removeprefix("\ufeff").splitlines())
    names, *items = (row for row in lines if not row[0].startswith("#"))
    return [dict(zip(names, item, strict=True)) for item in items]


def test_the_csv_is_of_the_view_that_is_shown_though_the_date_was_compared_again(
    client: TestClient, store: Connection
) -> None:
    record(store, DATE, "breaks", breaks=(broken("1", "10"), broken("2", "20")))
    page = client.get(PATH).text
    record(store, DATE, "breaks", breaks=(broken("3", "30"),))
    assert [item["billnum"] for item in lines_of(client, page)] == shown(page) == ["2", "1"]


def test_the_next_page_goes_on_with_the_list_that_was_begun_and_says_that_there_is_a_newer_one(
    client: TestClient, store: Connection
) -> None:
    amounts = {f"{place:04}": f"{1000 - place}" for place in range(60)}
    record(store, DATE, "breaks", breaks=tuple(broken(*each) for each in amounts.items()))
    first = client.get(PATH).text
    (following,) = re.findall(r'rel="next" href="([^"]*)#items"', first)
    second = client.get(html.unescape(following)).text
    assert "compared again" not in second
    pagers = [words_of(page, '<div class="pager">(.*?)</div>') for page in (first, second)]
    assert pagers == ["50 shown, more follow Next page", "10 shown, the last ones First page"]
    # The smallest is the largest now.
    record(store, DATE, "breaks", breaks=tuple(broken(*each) for each in {**amounts, "0059": "9000"}.items()))
    second = client.get(html.unescape(following)).text
    assert sorted(shown(first) + shown(second)) == sorted(amounts)
    assert "The date was compared again since" in second
    (newest,) = re.findall('<a href="([^"]*)#items">see the newest', second)
    assert shown(client.get(html.unescape(newest)).text)[0] == "0059"


def test_what_is_sorted_or_filtered_is_the_list_that_is_shown(client: TestClient, store: Connection) -> None:
    record(store, DATE, "breaks", breaks=(broken("1", "10"), broken("2", "20")))
    page = client.get(PATH).text
    record(store, DATE, "breaks", breaks=(broken("3", "30"),))
    (by_invoice,) = re.findall('<a href="([^"]*)#items">Invoice', page)
    assert shown(client.get(html.unescape(by_invoice)).text) == ["1", "2"]
    (number,) = re.findall('<input type="hidden" name="reconciliation" value="([^"]*)">', page)
    assert shown(client.get(PATH, params={"reconciliation": number, "text": "1"}).text) == ["1"]


def test_a_downloads_name_tells_its_reconciliation_and_a_full_comparison(client: TestClient, store: Connection) -> None:
    number, full = record(store, DATE), record(store, DATE, scope="full")
    for query, name in (
        ("", f"reconciliation-default-{DATE}-{number}.csv"),
        ("?decimal=comma", f"reconciliation-default-{DATE}-{number}-comma.csv"),
        (f"?reconciliation={full}", f"full-comparison-default-{DATE}-{full}.csv"),
    ):
        headers = client.get(f"{PATH}/items.csv{query}").headers
        assert headers["content-disposition"] == f'attachment; filename="{name}"'


def test_a_page_beyond_the_last_item_is_the_first_page_and_no_claim_that_all_agree(
    client: TestClient, store: Connection
) -> None:
    record(store, DATE, "breaks", breaks=tuple(broken(f"{place:04}", "10.00") for place in range(51)))
    first = client.get(PATH, params={"order": "invoice"}).text
    (following,) = re.findall(r'rel="next" href="([^"]*)#items"', first)
    # An address that names no reconciliation means the newest, in which fewer differ.
    record(store, DATE, "breaks", breaks=(broken("0001", "10.00"), broken("0002", "10.00")))
    page = client.get(re.sub(r"reconciliation=\d+&", "", html.unescape(following))).text
    assert "Nothing differs" not in page
    assert "That page of the list is empty now" in page
    assert shown(page) == ["0001", "0002"]


def test_a_category_counts_what_it_leads_to(client: TestClient, store: Connection, three: int) -> None:
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation SET categories = "
            """'{"matched": {"matched": 5}, "ledger_behind": {"accepted": 1, "pending": 1},"""
            """ "amount_mismatch": {"breaks": 1}}'"""
        )
    for query, expected in (
        ("", [("Ledger behind", "2"), ("Amounts differ", "1")]),
        ("?state=break", [("Amounts differ", "1")]),
        ("?state=pending", [("Ledger behind", "1")]),
        ("?state=all", [("Ledger behind", "2"), ("Amounts differ", "1")]),
        ("?state=matched", []),
    ):
        assert re.findall(r"<option value=\"\w+\">([^<(]+) \((\d+)\)", client.get(PATH + query).text) == expected


def test_filtering_keeps_the_order_and_the_place(client: TestClient, three: int) -> None:
    query = {"order": "category", "direction": "desc", "category": "ledger_behind", "text": "0"}
    page = client.get(PATH, params=query).text
    assert f'action="{PATH}#items"' in page
    assert '<input type="hidden" name="order" value="category">' in page
    assert '<input type="hidden" name="direction" value="desc">' in page
    (clear,) = re.findall(r'href="([^"]+)">Clear', page)
    assert clear == f"{PATH}?profile=default&amp;reconciliation={three}&amp;order=category&amp;direction=desc#items"
    chips = re.search(r'class="chips".*?</ul>', page, re.DOTALL)
    assert chips
    assert "text=" not in chips[0]


@pytest.mark.parametrize("pieces", [[], ["\ufeff"]])
def test_a_store_that_is_lost_before_the_download_begins_is_an_error_and_no_cut_file(
    client: TestClient, three: int, monkeypatch: pytest.MonkeyPatch, pieces: list[str]
) -> None:
    def export(*_: object, **__: object) -> Iterator[str]:
        yield from pieces
        raise psycopg2.OperationalError("the connection was closed")

    monkeypatch.setattr(dates_page, "export_items", export)
    answer = client.get(f"{PATH}/items.csv")
    assert answer.status_code == 503
    assert "The store did not answer" in answer.text
