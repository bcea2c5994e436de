"""Whoever signs a month sees each accepted difference that the signature takes as it is."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.include.reconciliation.month import APRIL, FIRST, LAST, accepts, run, run_all, signs
from tests.include.reconciliation.world import at
from tests.include.watch.records import broken, keep_break, record
from tests.include.watch.test_verdicts import accept_as_incomplete
from tests.plugins.reconciliation_page.conftest import AFTER, DATES, SAME_ORIGIN, words_of
from tests.plugins.reconciliation_page.month import MONTH, PATH, put, settle

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

    from tests.include.reconciliation.world import World

MARCH = "/reconciliation/sign-off/2026-03"
SIGNED, NOW = r'id="signed-title">.*?</section>', r'id="now-title">.*?</section>'


def csv_of(text: str, separator: str = ",") -> tuple[list[list[str]], list[dict[str, str]]]:
    """The head of a file and its rows, by the names of its columns."""
    lines = list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=separator))
    head = [line for line in lines if line[0].startswith("#")]
    names, *rows = lines[len(head) :]
    return head, [dict(zip(names, row, strict=True)) for row in rows]


@pytest.fixture
def march(world: World) -> World:
    """The last two dates of March, signed by Anna over a difference of 5.00 that she took for a bank fee."""
    world.profile = msgspec.structs.replace(world.profile, start_date=FIRST)
    for billnum, day in (("1", FIRST), ("2", LAST)):
        sent = at(f"{day} 08:00")
        world.row(billnum, "paid", paid="100", sent_at=sent, changed_at=sent)
        world.payment(billnum, "100", str(day), seen=at(f"{day} 09:00"))
    world.ledger("UPDATE ropo_ledger SET status = 'open', paid = 95, open = 5 WHERE billnum = '1'")
    run_all(world)
    accepts(world, note="bank fee")
    signs(world)
    return world


def ledger_changes(march: World) -> None:
    """The difference is one of 100.00 now, and open again."""
    march.ledger("UPDATE ropo_ledger SET paid = 0, open = 100 WHERE billnum = '1'")
    run(march, APRIL, scope="full")


def test_beside_a_signature_stands_the_money_that_was_signed_whatever_the_difference_is_by_now(
    client: TestClient, march: World
) -> None:
    of_signature = r"<dt>Rests on</dt>.*?</dd>"
    assert "Rests on 1 accepted difference, 5.00 EUR" in words_of(client.get(MARCH).text, of_signature)
    ledger_changes(march)
    page = client.get(MARCH).text
    assert "Rests on 1 accepted difference, 5.00 EUR" in words_of(page, of_signature)
    assert "open again since 5.00 EUR Anna bank fee" in words_of(page, SIGNED)
    assert "As it is now, this rests on no accepted difference." in words_of(page, r'name="shown".*?<label')


def test_who_signs_again_sees_what_was_accepted_anew_and_not_what_the_former_signature_took(
    client: TestClient, march: World
) -> None:
    ledger_changes(march)
    accepts(march, by="Bob", note="wrong booking")
    page = client.get(MARCH).text
    assert '<a href="#now">1 accepted difference, 100.00 EUR' in page
    assert "100.00 EUR Bob wrong booking" in words_of(page, NOW)
    assert "accepted anew since 5.00 EUR Anna bank fee" in words_of(page, SIGNED)


def test_what_was_accepted_anew_with_the_same_money_is_another_acceptance(client: TestClient, march: World) -> None:
    assert "Accepted differences now" not in client.get(MARCH).text
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get("/reconciliation/breaks/1").text)
    form = {"what": "reopen", "note": "mistaken", "seen": seen}
    assert client.post("/reconciliation/breaks/1", data=form, headers=SAME_ORIGIN).status_code == 303
    accepts(march, by="Bob", note="agreed by phone")
    page = client.get(MARCH).text
    assert "5.00 EUR Bob agreed by phone" in words_of(page, NOW)
    assert "5.00 EUR Anna bank fee" in words_of(page, SIGNED)
    signs(march)
    ledger_changes(march)
    assert "open again since 5.00 EUR Bob agreed by phone" in words_of(client.get(MARCH).text, SIGNED)


def test_who_signs_sees_each_difference_that_the_signature_accepts(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET currency = 'SEK' WHERE invoice_key = 'b:2'")
        cursor.execute("UPDATE ropo.reconciliation_break SET billnum = substr(invoice_key, 3)")
    page = client.get(PATH).text
    # When it was compared nothing of it was accepted.
    row = re.findall(r"<tr>\s*<th scope=\"row\"><a [^>]*2026-02-03.*?</tr>", page, re.DOTALL)
    assert re.findall(r'<td class="number">(.*?)</td>', row[0]) == ["7", "5", "0", "2", "0", "0", "2"]
    told = "This rests on 2 accepted differences, 5.00 EUR, 6.00 SEK , and on 1 date that is accepted as incomplete."
    assert told in words_of(page, r'name="shown".*?<label')
    listed = r'id="now-title">.*?</section>'
    assert "2 Ledger behind 6.00 SEK ada known History" in words_of(page, listed)
    assert "1 Ledger behind 5.00 EUR ada known History" in words_of(page, listed)
    assert '<a class="invoice" href="/reconciliation/invoice?profile=default&amp;key=b%3A2">2</a>' in page


@pytest.mark.parametrize(
    ("days", "is_full", "told"),
    [
        ([], False, "."),
        ([4], False, ", and on 1 date that is accepted as incomplete."),
        ([4, 5], False, ", and on 2 dates that are accepted as incomplete."),
        ([], True, ", and on the full comparison that is accepted as incomplete."),
        ([4], True, ", and on 1 date and the full comparison that are accepted as incomplete."),
        ([4, 5], True, ", and on 2 dates and the full comparison that are accepted as incomplete."),
    ],
)
def test_the_full_comparison_that_is_accepted_as_incomplete_is_not_counted_as_a_date(
    client: TestClient, store: Connection, month: None, days: list[int], is_full: bool, told: str
) -> None:
    dates = [(DATES[day - 1], "date") for day in days] + [(DATES[-1], "full")] * is_full
    for date, scope in dates:
        number = record(store, date, "incomplete", reasons=("doubt",), scope=scope, started_at=AFTER)
        accept_as_incomplete(store, number)
    page = words_of(client.get(PATH).text, r'name="shown".*?<label')
    assert f"this rests on no accepted difference{told}" in page


def test_the_full_comparison_is_accepted_as_incomplete_beside_the_date_that_it_is_as_of(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    numbers = {
        scope: record(store, DATES[-1], "incomplete", reasons=("doubt",), scope=scope, started_at=AFTER)
        for scope in ("date", "full")
    }
    page = client.get(PATH).text
    forms = r'name="reconciliation" value="(\d+)">\s*<input type="hidden" name="scope" value="(\w+)"'
    assert {scope: int(number) for number, scope in re.findall(forms, page)} == numbers
    path = f"/reconciliation/dates/{DATES[-1]}/incomplete"
    form = {"scope": "full", "month": MONTH, "reconciliation": numbers["full"]}
    for note in (" ", "a\x00b"):
        refused = client.post(path, data={**form, "note": note}, headers=SAME_ORIGIN).text
        (opened,) = re.findall(r'<details class="inline" open>(.*?)</details>', refused, re.DOTALL)
        assert 'name="scope" value="full"' in opened
    answer = client.post(path, data={**form, "note": "read elsewhere"}, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    told = words_of(page, '<p class="notice good"[^>]*>(.*?)</p>')
    assert told == "The full comparison of 2026-02-28 is accepted as incomplete.", "of the 4th that was done before"
    assert [scope for _, scope in re.findall(forms, page)] == ["date"], "the date is not, by that"


def test_a_signature_shows_what_it_rests_on_whatever_was_decided_since(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    assert put(client, "sign").status_code == 303
    page = client.get(PATH).text
    assert "Rests on 2 accepted differences, 11.00 EUR" in words_of(page, r"<dt>Rests on</dt>.*?</dd>")
    assert "Accepted differences now" not in page

    form = {"what": "reopen", "note": "mistaken", "seen": "99"}
    assert client.post("/reconciliation/breaks/1", data=form, headers=SAME_ORIGIN).status_code == 303
    page = client.get(PATH).text

    signed = words_of(page, r'id="signed-title">.*?</section>')
    assert "2 accepted differences, 11.00 EUR" in signed
    assert "Ledger behind open again since 5.00 EUR ada known" in signed
    assert "Ledger behind 6.00 EUR ada known" in signed
    assert "As it is now, this rests on 1 accepted difference, 6.00 EUR" in words_of(page, r'name="shown".*?<label')


def test_where_nothing_was_accepted_the_signature_rests_on_no_difference(
    client: TestClient, store: Connection, month: None
) -> None:
    page = client.get(PATH).text
    assert "As it is now, this rests on no accepted difference." in words_of(page, r'name="shown".*?<label')
    assert "Accepted differences" not in page


def test_of_very_many_accepted_differences_the_largest_are_named_and_all_are_counted(
    client: TestClient, store: Connection, month: None
) -> None:
    items = tuple(broken(f"{place:03}", f"{place}.00") for place in range(1, 103))
    number = record(store, DATES[5], "breaks", breaks=items, started_at=AFTER)
    for item in items:
        keep_break(store, number, f"b:{item['billnum']}", "ledger_behind", "accepted", item["ropo_paid"])
    keep_break(store, number, "b:x", "missing_in_ledger", "accepted", "0.00")
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation_item SET category = 'missing_in_ledger', invoice_key = 'b:x' "
            "WHERE reconciliation_id = %s AND invoice_key = 'b:001'",
            (number,),
        )
    page = client.get(PATH).text
    told = "102 accepted differences, 5 252.00 EUR (1 of an amount not known)"
    assert told in words_of(page, r'name="shown".*?<label')
    rows = re.findall(r'<th scope="row">', "".join(re.findall(r'id="now-title">.*?</table>', page, re.DOTALL)))
    assert len(rows) == 100
    assert "The largest 100 of 102." in page
    # And each of them is in a file.
    links = re.findall(r'<a download href="([^"]*accepted\.csv[^"]*)"', page)
    assert [html.unescape(each).partition("?")[2] for each in links] == [
        "profile=default",
        "profile=default&decimal=comma",
    ]
    for link, separator, amount in zip(links, ",;", ("102.00", "102,00"), strict=True):
        answer = client.get(html.unescape(link))
        assert (
            f'filename="accepted-default-2026-02{"-comma" * (separator == ";")}.csv"'
            in answer.headers["content-disposition"]
        )
        _, rows = csv_of(answer.text, separator)
        assert [len(rows), rows[0]["at_stake"], rows[-1]["at_stake"]] == [102, amount, ""]
        assert {(row["accepted_by"], row["state"], row["what_to_do_next"]) for row in rows} == {
            ("Anna", "accepted", "")
        }


def test_the_file_of_a_signature_has_each_difference_as_it_was_accepted_then(client: TestClient, march: World) -> None:
    ledger_changes(march)
    accepts(march, by="Bob", note="wrong booking")
    now = csv_of(client.get(f"{MARCH}/accepted.csv").text)
    then = csv_of(client.get(f"{MARCH}/accepted.csv?signature=1").text)
    told = [
        [(row["at_stake"], row["ledger_paid"], row["accepted_by"], row["accepted_note"]) for row in rows]
        for _, rows in (now, then)
    ]
    assert told == [[("100.00", "0.00", "Bob", "wrong booking")], [("5.00", "95.00", "Anna", "bank fee")]]
    of_signature = client.get(f"{MARCH}/accepted.csv?signature=1").headers["content-disposition"]
    assert of_signature == 'attachment; filename="signed-1-default-2026-03.csv"'
    assert now[1][0]["accepted_at"] >= then[1][0]["accepted_at"]
    assert ["# month", "2026-03"] in now[0]
    assert ["# accepted now", "what a signature made now would rest on"] in now[0]
    [signed] = [line for line in then[0] if line[0] == "# signed by"]
    assert signed[1] == "Anna"
    [of_now] = [line for line in then[0] if line[0] == "# columns as of now"]
    assert "state" in of_now
    assert set(of_now[1:]) < set(then[1][0])


def test_the_file_of_a_signature_of_another_month_or_profile_is_none(
    client: TestClient, march: World, two_profiles: None
) -> None:
    assert client.get(f"{MARCH}/accepted.csv?signature=1").status_code == 200
    for path in (
        f"{MARCH}/accepted.csv?signature=2",
        f"{MARCH}/accepted.csv?signature=1&profile=other",
        "/reconciliation/sign-off/2026-02/accepted.csv?signature=1",
    ):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "There is no signature" in answer.text


def test_of_very_many_that_a_signature_covered_the_file_is_of_that_signature(
    client: TestClient, march: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("include.page_data.rested_on.NAMED", 0)
    ledger_changes(march)
    accepts(march, by="Bob", note="wrong booking")
    page = client.get(MARCH).text
    files = r'<a download href="/reconciliation/sign-off/2026-03/accepted\.csv\?([^"]*)"'
    assert [
        [html.unescape(each) for each in re.findall(files, "".join(re.findall(part, page, re.DOTALL)))]
        for part in (SIGNED, NOW)
    ] == [
        ["profile=default&signature=1", "profile=default&signature=1&decimal=comma"],
        ["profile=default", "profile=default&decimal=comma"],
    ]
