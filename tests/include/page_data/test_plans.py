"""Listings use indexes: PostgreSQL says so itself, of a store with enough rows that it has reason to."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from include.page_data.breaks import BreakSelection, break_sums_statement, breaks_statement
from include.page_data.dates import changes_statement, items_statement
from include.page_data.listing import place_name
from include.page_data.statements import statement
from include.reconciliation.item_selection import ItemSelection
from include.status_store.database import connect
from include.watch import statements as of_the_watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from psycopg2.extensions import cursor as Cursor

    from local_airflow.embedded import Server

LARGE = Path(__file__).with_name("large_store.sql").read_text(encoding="utf-8")
PROFILE = "default"
# A table of one row a profile: reading it whole is what an index would come to.
SMALL = {"break_policy"}


@pytest.fixture(scope="module")
def cursor(postgres: Server, store_template: str) -> Iterator[Cursor]:
    """A store with 50,000 items and 5,000 breaks."""
    name = postgres.fresh_database("large", template=store_template)
    with closing(connect(postgres.dsn(name))) as store:
        store.autocommit = True
        with store.cursor() as cursor:
            cursor.execute(LARGE)
            cursor.execute("VACUUM ANALYZE")
            yield cursor
    postgres.drop_database(name)


# Where a filter leaves few rows, which index is best is PostgreSQL's to judge.
ANY_OF_ITEMS, ANY_OF_BREAKS = "reconciliation_item_", "reconciliation_break_"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def planned(cursor: Cursor, text: str, parameters: dict[str, Any]) -> tuple[set[str], list[str]]:
    """The indexes that a statement uses, and the tables that it reads whole."""
    cursor.execute(f"EXPLAIN (FORMAT JSON) {text}", parameters)
    ((((top,)),),) = cursor.fetchall()
    every = list(nodes(top["Plan"]))
    indexes = {node["Index Name"] for node in every if "Index Name" in node}
    whole = [node["Relation Name"] for node in every if node["Node Type"] == "Seq Scan"]
    return indexes, [name for name in whole if name not in SMALL]


@pytest.mark.parametrize(
    ("selection", "index"),
    [
        (ItemSelection(), "reconciliation_item_at_stake"),
        (ItemSelection(state="break"), "reconciliation_item_at_stake"),
        (ItemSelection(text="0012"), ANY_OF_ITEMS),
        (ItemSelection(severity="high"), ANY_OF_ITEMS),
        (ItemSelection(order="invoice", is_descending=False), "reconciliation_item_differing"),
        (ItemSelection(order="category"), "reconciliation_item_by_category"),
        (ItemSelection(category="amount_mismatch", order="category"), "reconciliation_item_by_category"),
        (ItemSelection(state="matched"), ANY_OF_ITEMS),
        (ItemSelection(state="all", text="100500"), "reconciliation_item_of_billnum"),
        (ItemSelection(state="all", text="100500"), "reconciliation_item_of_invoice"),
        (ItemSelection(state="all", text="100500"), "reconciliation_item_of_job"),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_continued", [False, True], ids=["first page", "next page"])
def test_a_page_of_items_is_read_by_an_index(
    cursor: Cursor, selection: ItemSelection, index: str, is_continued: bool
) -> None:
    after = None
    if is_continued:
        places = {"item.invoice_key": "b:100500", "item.category": "amount_mismatch"}
        after = place_name([places.get(key, "100") for key in selection.keys])
    indexes, whole = planned(cursor, *items_statement(PROFILE, 2, selection, after=after))
    assert any(each.startswith(index) for each in indexes)
    # All breaks of a severity may be asked for at once; their table is read whole then, and is the smaller one.
    assert whole == (["reconciliation_break"] if selection.severity else [])


@pytest.mark.parametrize(
    ("selection", "index"),
    [
        (BreakSelection(), "reconciliation_break_by_amount"),
        (BreakSelection(severity="high"), ANY_OF_BREAKS),
        (BreakSelection(order="age", is_descending=False), "reconciliation_break_oldest"),
        (BreakSelection(order="category", is_descending=False), "reconciliation_break_by_age"),
        (BreakSelection(category="ledger_behind", order="category"), "reconciliation_break_by_age"),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_continued", [False, True], ids=["first page", "next page"])
def test_a_page_of_breaks_is_read_by_an_index(
    cursor: Cursor, selection: BreakSelection, index: str, is_continued: bool
) -> None:
    after = None
    if is_continued:
        places = {"break.break_id": 100, "break.business_date": "2026-10-20", "break.category": "ledger_behind"}
        after = place_name([places.get(key, "100") for key in selection.keys])
    indexes, whole = planned(cursor, *breaks_statement(PROFILE, selection, after=after))
    assert any(each.startswith(index) for each in indexes)
    assert whole == []


@pytest.mark.parametrize(
    ("selection", "index"),
    [
        (BreakSelection(), "reconciliation_break_open"),
        (BreakSelection(category="ledger_behind"), "reconciliation_break_open"),
        (BreakSelection(state="accepted"), ANY_OF_BREAKS),
        (BreakSelection(severity="high"), ANY_OF_BREAKS),
    ],
    ids=str,
)
def test_sums_of_breaks(cursor: Cursor, selection: BreakSelection, index: str) -> None:
    indexes, whole = planned(cursor, *break_sums_statement([PROFILE], selection))
    assert any(each.startswith(index) for each in indexes)
    assert whole == []


@pytest.mark.parametrize(
    ("text", "parameters", "index"),
    [
        (statement("calendar"), {"first": "2026-06-01", "last": "2026-11-30"}, None),
        (statement("open_breaks"), {"today": "2026-11-25", "ages": [3, 10, 30]}, "reconciliation_break_open"),
        (changes_statement(), {"earlier": 1, "later": 2}, "reconciliation_item_differing"),
    ],
    ids=["calendar", "open breaks", "changes"],
)
def test_an_overview_reads_no_items_but_those_that_differ(
    cursor: Cursor, text: str, parameters: dict[str, Any], index: str | None
) -> None:
    indexes, whole = planned(cursor, text, {"profile": PROFILE, **parameters})
    if index is None:  # a table of two rows here; what matters is that the items are not read
        assert whole in ([], ["reconciliation"])
    else:
        assert index in indexes
        assert whole == []


def test_a_number_is_looked_up_among_those_that_go_by_it_and_those_that_go_by_another_name(cursor: Cursor) -> None:
    indexes, whole = planned(cursor, statement("invoice_keys"), {"profile": PROFILE, "text": "100500"})
    assert {"reconciliation_item_of_invoice", "reconciliation_item_of_billnum", "reconciliation_item_of_job"} <= indexes
    assert whole == []


def test_breaks_that_are_open_still_are_counted_without_reading_the_items_of_other_dates(cursor: Cursor) -> None:
    spans = {"profiles": [PROFILE], "firsts": ["2026-01-01"], "lasts": ["2026-11-25"], "rechecked_from": ["2026-11-25"]}
    parameters = {"scope": "date", "most": 100, "recorded_from": None, "quiet": ["reconciled"], "in_full": False}
    _, whole = planned(cursor, of_the_watch.statement("latest_verdicts"), {**spans, **parameters})
    assert "reconciliation_item" not in whole


def test_of_many_events_each_job_is_asked_about_once_and_so_is_each_event_that_is_shown(cursor: Cursor) -> None:
    parameters = {"profile": PROFILE, "billnum": "1", "jobid": None, "limit": 501}
    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement('invoice_events')}", parameters)
    ((((top,)),),) = cursor.fetchall()
    every = list(nodes(top["Plan"]))
    assert [node["Actual Loops"] for node in every if node.get("Function Name") == "newest_billnum"] == [1]
    contents = [node for node in every if node.get("Relation Name") == "status_event_revision"]
    assert [node["Actual Loops"] for node in contents] == [501]
    cursor.execute(statement("invoice_events"), parameters)
    shown = [(row[4], int(row[0][1:])) for row in cursor.fetchall()]
    assert len(shown) == 501
    assert shown == sorted(shown, reverse=True)
