"""A business date's page: why, what ties, what changed, and its items."""

from __future__ import annotations

import datetime
import html
import re
from typing import TYPE_CHECKING, Any, cast

import pytest

from reconciliation_page import dates as dates_page
from reconciliation_page.access import may_change
from ropo_one.links import ReconciliationLink
from ropo_one.operators.reconciliation import VerdictOperator
from tests.include.reconciliation.world import DAY, World, at
from tests.include.status_store.views import execute
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import words_of

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

DATE = datetime.date(2026, 11, 23)
PATH = f"/reconciliation/dates/{DATE}"
PENDING_UNTIL = datetime.datetime(2026, 11, 30, tzinfo=datetime.UTC)


def shown(page: str) -> list[str]:
    """The invoices of the list, in its order."""
    items = page.rsplit('id="items-title"', maxsplit=1)[-1]
    return re.findall(r"invoice\?[^\"]*key=b%3A([^\"&]+)", items)


@pytest.fixture
def three(store: Connection) -> int:
    """Three differences: the first accepted, the second a break of another category, the third pending."""
    items = (
        broken("101", "10.00"),
        broken("202", "2000.00", "amount_mismatch", reason="payments"),
        broken("303", "30.00", pending_until=PENDING_UNTIL),
    )
    number = record(store, DATE, "breaks", breaks=items, reasons=("breaks",))
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_item SET is_accepted = true WHERE billnum = '101'")
    keep_break(store, number, "b:101", "ledger_behind", "accepted", "10.00")
    keep_break(store, number, "b:202", "amount_mismatch", "open", "2000.00")
    return number


def test_a_date_that_was_never_compared_says_how_to_compare_it(client: TestClient) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    assert "was never compared" in answer.text
    assert 'href="/dags/ropo_reconciliation"' in answer.text
    assert "lies before the profile" in client.get("/reconciliation/dates/2025-06-01").text
    assert "is not over" in client.get("/reconciliation/dates/2099-06-01").text


@pytest.mark.parametrize("wrong", ["2026-11-31", "1999-01-01", "x", "2026-11-23?after=zzz", "2026-11-23?state=x",
                                   "2026-11-23?reconciliation=0", "2026-11-23?text=%00",
                                   "2026-11-23?after=WyJhIiwiYiJd"])  # fmt: skip
def test_what_is_no_value_of_a_parameter_is_refused(client: TestClient, three: int, wrong: str) -> None:
    assert client.get(f"/reconciliation/dates/{wrong}").status_code == 422


@pytest.mark.parametrize("outcome", ["landed", "empty", None])
def test_a_date_says_what_its_re_read_brought_and_whether_there_was_one(
    client: TestClient, world: World, outcome: str | None
) -> None:
    counted: dict[str, Any] = {} if outcome == "landed" else {"new_count": None, "absent_count": 0}
    world.reconcile(reread_poll_id=world.know_all(outcome=outcome, **counted) if outcome else None)
    page = client.get(f"/reconciliation/dates/{DAY}").text
    brought = words_of(page, "<dt>Re-read brought</dt>(.*?)</dd>")
    assert brought == ("nothing that the drain had missed" if outcome else "not re-read")


def test_a_date_says_why_and_that_its_population_ties(client: TestClient, three: int) -> None:
    page = client.get(PATH).text
    assert "Because of breaks." in page
    assert "1\u202f234.50" in page
    assert "+100.00" in page
    assert 'target="_top" href="/dags/ropo_reconciliation/runs/run%201"' in page


def test_what_ropo_one_has_not_spoken_of_is_explained_beside_its_number(client: TestClient, world: World) -> None:
    path, explained = f"/reconciliation/dates/{DAY}", "That alone is no difference"
    world.comment("1", "110")
    world.row("1")
    world.reconcile(reread_poll_id=world.know_all())
    assert explained not in client.get(path).text
    world.row("2", changed_at=at("2026-03-10 08:00"))
    world.reconcile(reread_poll_id=world.know_all())
    page = client.get(path).text
    assert "2 − 1 not spoken of" in words_of(page, '<table class="list totals">(.*?)</table>')
    assert explained in page


def test_an_invoice_of_the_print_service_that_is_paid_is_not_called_unpaid(client: TestClient, world: World) -> None:
    world.row("7", "paid", paid="100", by_ropo=False, changed_at=at("2026-03-10 08:00"))
    world.reconcile(reread_poll_id=world.know_all())
    page = client.get(f"/reconciliation/dates/{DAY}?state=matched").text
    items = words_of(page, '<section class="panel full flush"(.*?)</section>')
    assert "job J7 Matched Ropo has never spoken of it, and need not have" in items
    assert "unpaid" not in items


def test_the_link_of_a_full_comparisons_task_opens_that_very_one(client: TestClient, store: Connection) -> None:
    """Not the date's own, which is green, nor a later full one."""
    task = VerdictOperator(task_id="verdict", profile="default", reconciliation_task_id="compare", scope="full")
    task.worked_on = DATE
    task.recorded_as = record(store, DATE, "breaks", breaks=(broken("101", "10.00"),), scope="full")
    record(store, DATE)
    record(store, DATE, scope="full")

    address = ReconciliationLink().get_link(task, ti_key=cast("Any", None))
    page = client.get(address.removeprefix("/plugin/reconciliation")).text

    assert "This is a full comparison" in page
    assert shown(page) == ["101"]


def test_a_date_that_only_a_full_comparison_has_is_not_shown_as_compared(client: TestClient, store: Connection) -> None:
    full = record(store, DATE, scope="full")
    page = client.get(PATH).text
    assert "was never compared" in page
    assert "Reconciled" not in page
    assert f"reconciliation={full}" in page
    assert client.get(f"{PATH}/items.csv").status_code == 404

    of_full = client.get(PATH, params={"reconciliation": full}).text
    assert "This is a full comparison" in of_full
    assert "was never compared by itself" in of_full
    assert client.get(f"{PATH}/items.csv", params={"reconciliation": full}).status_code == 200


def test_the_labels_of_unmapped_codes_are_for_those_who_may_edit(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    world.comment("100", "66", statusref="Uusi tila")
    world.row("100")
    world.reconcile()
    assert "comment 66 (Uusi tila), 1" in client.get(f"/reconciliation/dates/{DAY}").text

    page_app.dependency_overrides[may_change] = lambda: False
    assert "comment 66, 1" in client.get(f"/reconciliation/dates/{DAY}").text


def test_money_that_differs_by_design_is_told_apart_from_differences(client: TestClient, world: World) -> None:
    world.comment("100", "98")
    world.row("100", "paid", paid="100", by_ropo=False)
    world.reconcile(reread_poll_id=world.know_all())
    page = f"/reconciliation/dates/{DAY}"

    agreeing = client.get(page).text
    assert "agreeing \u2212100.00" in agreeing
    assert 'off"' not in agreeing

    world.payment("200", "30")
    world.row("200")
    world.reconcile(reread_poll_id=world.know_all())
    differing = client.get(page).text
    assert 'class="number off"' not in differing, "the sum holds what agrees by design"
    assert '<strong class="off">differing +30.00</strong>' in differing
    assert "agreeing \u2212100.00" in differing


def test_the_ledgers_money_is_that_of_all_its_rows(client: TestClient, world: World) -> None:
    world.payment("1", "90")
    for _ in range(2):
        world.row("1", "paid", paid="90", discount="10")
    world.row("1", total="900", paid="7", currency="SEK")
    world.reconcile()
    page = re.sub("<[^>]+>", " ", client.get(f"/reconciliation/dates/{DAY}").text)
    money = page[page.index("Paid, EUR") : page.index("What it stands on")]
    assert re.sub(r"\s+", " ", money).strip() == (
        "Paid, EUR 90.00 180.00 = 90.00 + 90.00 of duplicates \u221290.00 "
        "Discount, EUR 0.00 20.00 = 10.00 + 10.00 of duplicates \u221220.00 "
        "Paid, SEK 0.00 7.00 = 0.00 + 7.00 of duplicates \u22127.00 "
        "Discount, SEK 0.00 0.00 0.00"
    )


def test_words_fit_their_numbers(client: TestClient, store: Connection) -> None:
    record(store, DATE)
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation SET population = 1, matched = 1, recovered = 1, out_of_scope = 3, "
            "second_opinions_asked = 1, second_opinions_cleared = 1"
        )
    page = client.get(PATH).text
    for told in ("The one invoice agrees", "1 change that no drain had brought", "1 invoice, 1 then agreed"):
        assert told in page
    assert "3 sent before the start_date that the profile had then" in page
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation SET population = 0, matched = 0")
    assert client.get(PATH).text.count("No invoice belongs to this date") == 2


def test_what_a_date_stands_on_is_told_where_something_is_amiss(client: TestClient, store: Connection) -> None:
    record(store, DATE)
    amiss = ("Not shown by it", "Not all asked", "Ledger's newest change")
    assert not [told for told in amiss if told in client.get(PATH).text]
    execute(
        store,
        "UPDATE ropo.reconciliation SET absent_from_reread = 2, second_opinions_note = 'no time was left', "
        "ledger_newest_change = '2026-11-23 20:00+02'",
    )
    facts = words_of(client.get(PATH).text, '<dl class="facts">(.*?)</dl>')
    assert "Ledger's newest change 2026-11-23 20:00 Re-read" in facts
    assert "Not shown by it 2 changes that the store holds" in facts
    assert "Not all asked no time was left" in facts


def test_each_number_of_a_date_stands_by_its_own_name(client: TestClient, store: Connection) -> None:
    record(store, DATE, "breaks")
    execute(store, "UPDATE ropo.reconciliation SET population = 14, matched = 5, pending = 4, breaks = 2, accepted = 3")
    page = client.get(PATH).text
    ties = words_of(page, '<div class="equation"[^>]*>(.*?)<div class="scroll"')
    assert ties == "14 invoices = 5 matched + 4 pending + 2 breaks + 3 accepted"
    chips = words_of(page, '<ul class="chips"[^>]*>(.*?)</ul>')
    assert chips == "All differences 9 Breaks 2 Pending 4 Accepted 3 Matched 5 All invoices 14"


@pytest.mark.parametrize("word", ["rows_in_quarantine", "pages_unparsed", "doubt_not_recovered", "poll_left_open"])
def test_a_reason_that_is_settled_on_another_page_leads_there(client: TestClient, store: Connection, word: str) -> None:
    record(store, DATE, "incomplete", reasons=("breaks", word))
    page = client.get(PATH).text
    assert page.count(">On the page Polls</a>") == 1
    assert (
        words_of(page, '<ul class="reasons">(.*?)</ul>') == f"Because of breaks. Because of {word}. On the page Polls"
    )
    record(store, DATE, "incomplete", reasons=("ledger_empty",))
    assert ">On the page Polls</a>" not in client.get(PATH).text


def test_no_link_leads_to_a_date_that_is_refused(client: TestClient) -> None:
    for date, others in (("2000-01-01", ["2000-01-02"]), ("2099-12-31", ["2099-12-30"])):
        page = client.get(f"/reconciliation/dates/{date}").text
        assert re.findall(r'rel="(?:prev|next)" href="/reconciliation/dates/([^?"]*)', page) == others


def test_what_changed_since_the_date_was_compared_before_is_told(client: TestClient, store: Connection) -> None:
    record(
        store,
        DATE,
        "breaks",
        breaks=(broken("1", "1"), broken("2", "2"), broken("3", "3", pending_until=PENDING_UNTIL)),
    )
    newest = record(store, DATE, "breaks", breaks=(broken("2", "2", "amount_mismatch", reason="payments"),
                                                   broken("3", "3"), broken("4", "4")))  # fmt: skip
    page = client.get(PATH).text
    changes = re.findall(r"<li><strong>(\d+)</strong> ([^<:]+)", page)
    assert changes == [
        ("1", "differs now and did not"),
        ("1", "is a break now, its grace is over"),
        ("1", "differs in another way"),
        ("1", "no longer differs"),
    ]
    earlier = client.get(PATH, params={"reconciliation": newest - 1}).text
    told = re.sub(r"\s+", " ", re.sub("<[^>]+>", "", earlier))
    assert "This is an earlier reconciliation of the date, kept as evidence. See the newest of the date" in told
    assert sorted(shown(earlier)) == ["1", "2", "3"]


def test_a_date_is_compared_with_the_one_before_it_of_its_kind(client: TestClient, store: Connection) -> None:
    """A full comparison looks at other invoices: what it found has neither come nor gone since."""
    first = record(store, DATE, "breaks", breaks=(broken("1", "1"),))
    full = record(store, DATE, "breaks", breaks=(broken("1", "1"), broken("2", "2")), scope="full")
    second = record(store, DATE, breaks=(broken("1", "1", pending_until=PENDING_UNTIL),))

    def since(reconciliation: int, **more: int) -> str:
        page = client.get(PATH, params={"reconciliation": reconciliation, **more}).text
        return words_of(page, '<h3 class="under">Since.*?</section>')

    told = since(second)
    assert "1 differs by other amounts or states" in told
    assert "no longer" not in told
    assert "The verdict was ✕ Breaks" in told
    records = words_of(client.get(PATH).text, '<ol class="records">(.*?)</ol>')
    assert re.findall("([0-9]) breaks?, [0-9] pending(, full)?", records) == [("0", ""), ("2", ", full"), ("1", "")]
    assert [since(first), since(full)] == ["", ""]
    for chosen, against in ((first, second), (full, second), (second, full)):
        assert client.get(PATH, params={"reconciliation": chosen, "compared": against}).status_code == 404


@pytest.mark.parametrize("differing", [(2, 0), (0, 2), (1, 1), (0, 0)])
def test_of_very_many_differences_what_changed_is_counted_when_it_is_asked_for(
    client: TestClient, store: Connection, monkeypatch: pytest.MonkeyPatch, differing: tuple[int, int]
) -> None:
    monkeypatch.setattr(dates_page, "COMPARED_BY_ITSELF", 1)
    for number in differing:
        record(store, DATE, "breaks", breaks=tuple(broken(str(place), "1") for place in range(number)))
    page = client.get(PATH).text
    links = re.findall('<a href="([^"]*)">Count what changed', page)
    assert len(links) == (max(differing) > 1)
    if links:
        assert "differ" not in words_of(page, '<h3 class="under">Since.*?</section>')
        page = client.get(html.unescape(links[0])).text
    told = {
        (2, 0): "2 no longer differ",
        (0, 2): "2 differ now and did not",
        (1, 1): "1 differs as it did",
        (0, 0): "Nothing differed then, nor now",
    }
    assert told[differing] in words_of(page, '<h3 class="under">Since.*?</section>')


@pytest.mark.parametrize(
    "now",
    [
        {"amount": "900000"},
        {"amount": "10", "reason": "stage"},
        {"amount": "10", "ledger_status": "partly_paid"},
        {"amount": "10", "currency": "SEK"},
        {"amount": "10", "pending_until": PENDING_UNTIL},
    ],
    ids=str,
)
def test_a_difference_of_other_amounts_or_states_does_not_differ_as_it_did_and_is_named(
    client: TestClient, store: Connection, now: dict[str, str]
) -> None:
    record(store, DATE, "breaks", breaks=(broken("1", "10"), broken("2", "20")))
    record(store, DATE, "breaks", breaks=(broken("1", **now), broken("2", "20")))
    page = client.get(PATH).text
    changes = re.findall(r"<li><strong>(\d+)</strong> ([^<:]+)", page)
    assert [(number, words.strip()) for number, words in changes] == [
        ("1", "differs by other amounts or states"),
        ("1", "differs as it did"),
    ]
    since = page[page.index("differs by other") : page.index("differs as it did")]
    assert re.findall(r"invoice\?[^\"]*key=b%3A([^\"&]+)", since) == ["1"]


def test_of_several_that_changed_the_words_are_in_the_plural(client: TestClient, store: Connection) -> None:
    record(store, DATE, "breaks", breaks=(broken("1", "10"), broken("2", "20")))
    record(store, DATE)
    changes = re.findall(r"<li><strong>(\d+)</strong> ([^<:]+)", client.get(PATH).text)
    assert [(number, words.strip()) for number, words in changes] == [("2", "no longer differ")]


def test_a_reconciliation_of_another_date_or_profile_is_not_shown(client: TestClient, store: Connection) -> None:
    record(store, DATE)
    other = record(store, DATE + datetime.timedelta(days=1))
    assert client.get(PATH, params={"reconciliation": other}).status_code == 404
    assert client.get(f"{PATH}/items.csv", params={"reconciliation": other}).status_code == 404


def test_texts_of_others_show_as_text(client: TestClient, store: Connection) -> None:
    script = "<script>alert(1)</script>"
    record(store, DATE, "breaks", breaks=(broken(script, "10.00", hint=script),), reasons=(script,), run_id=script)
    page = client.get(PATH, params={"text": "<script>"}).text
    assert script not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
