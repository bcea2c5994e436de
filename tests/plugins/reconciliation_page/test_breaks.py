"""Breaks: their list, and what people decide about them under their Airflow name."""

from __future__ import annotations

import csv
import datetime
import html
import re
from typing import TYPE_CHECKING

import pytest

from reconciliation_page.access import may_change
from reconciliation_page.checking import may_check
from tests.include.reconciliation.world import World, at
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

DATE = datetime.date(2026, 11, 20)
PATH = "/reconciliation/breaks"


@pytest.fixture
def ids(store: Connection) -> dict[str, int]:
    """Breaks by the key of their invoice: three open, one accepted, one resolved."""
    number = record(store, DATE, "breaks", breaks=(broken("1", "5.00"),))
    older = record(store, datetime.date(2026, 1, 5), "breaks", breaks=(broken("3", "7.00"),))
    keep_break(store, number, "b:1", "ledger_behind", "open", "5.00")
    keep_break(store, number, "b:2", "missing_in_ledger", "open", "2000.00")
    keep_break(store, older, "b:3", "ledger_behind", "open", "7.00")
    keep_break(store, number, "b:4", "ledger_behind", "accepted", "8.00")
    keep_break(store, number, "b:5", "ledger_behind", "resolved", "9.00")
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET billnum = substr(invoice_key, 3), reason = NULL")
        cursor.execute("SELECT invoice_key, break_id FROM ropo.reconciliation_break")
        return dict(cursor.fetchall())


def listed(page: str) -> list[str]:
    return re.findall(r"invoice\?[^\"]*key=b%3A([^\"&]+)", page)


def decisions(store: Connection) -> list[tuple[str, str, str]]:
    with store.cursor() as cursor:
        cursor.execute(
            "SELECT invoice_key, event.kind, event.by_whom || ': ' || event.note "
            "FROM ropo.reconciliation_break_event AS event JOIN ropo.reconciliation_break USING (break_id) "
            "ORDER BY invoice_key, event_id"
        )
        return cursor.fetchall()


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


def test_money_of_two_currencies_is_never_added_and_the_profiles_own_comes_first(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation_break SET currency = 'DKK' WHERE invoice_key = 'b:1'")
    assert "3 breaks: 2\u202f007.00 EUR, 5.00 DKK at stake" in client.get(PATH).text


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", ["2", "3", "1"]), ("?order=age", ["3", "1", "2"]), ("?state=accepted", ["4"]), ("?text=3", ["3"])],
)
@pytest.mark.parametrize(("words", "separator"), [("CSV of this view", ","), ("CSV with decimal comma", ";")])
def test_the_breaks_of_the_view_are_there_for_spreadsheets(
    client: TestClient, ids: dict[str, int], query: str, expected: list[str], words: str, separator: str
) -> None:
    (link,) = re.findall(f'href="([^"]*)">{words}<', client.get(PATH + query).text)
    answer = client.get(html.unescape(link))
    assert re.search(
        r'filename="(open|accepted)-breaks-default-\d{4}-\d\d-\d\d\.csv"', answer.headers["content-disposition"]
    )
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
    head, rows = [], []
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
    assert (found["ropo_paid"], found["ledger_paid"], found["ledger_open"]) == ("60,5", "0", "100")
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


def test_a_refused_note_is_kept_where_no_break_is_left_to_choose(client: TestClient, ids: dict[str, int]) -> None:
    taken = {"what": "accept", "note": "all", "seen": "0", "break_id": [ids["b:1"], ids["b:2"], ids["b:3"]]}
    assert client.post(PATH, data=taken, headers=SAME_ORIGIN).status_code == 303
    late = client.post(PATH, data={**taken, "note": "my reason"}, headers=SAME_ORIGIN)
    assert late.status_code == 409
    assert "my reason</textarea>" in late.text


def test_an_accepted_break_carries_the_airflow_users_name_and_note(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    form = {"what": "accept", "note": "the bank's fee", "seen": "0", "break_id": [ids["b:1"], ids["b:2"]]}
    answer = client.post(f"{PATH}?state=open&order=age", data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/reconciliation/breaks?profile=default&done=accept&since=0&order=age"
    page = client.get(answer.headers["location"]).text
    assert "2 breaks are accepted" in page
    assert listed(page) == ["3"]
    assert decisions(store) == [
        ("b:1", "accepted", f"{USER}: the bank's fee"),
        ("b:2", "accepted", f"{USER}: the bank's fee"),
    ]


def test_a_decision_is_told_only_if_the_store_has_it_from_this_user(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    for done in ("accept", "comment"):
        assert 'class="notice good"' not in client.get(PATH, params={"done": done, "since": 0}).text
        assert 'class="notice good"' not in client.get(f"{PATH}/{ids['b:4']}", params={"done": done}).text
    form = {"what": "accept", "note": "fine", "seen": "0"}
    location = client.post(f"{PATH}/{ids['b:1']}", data=form, headers=SAME_ORIGIN).headers["location"]
    assert "1 break is accepted. Its date's verdict follows" in client.get(location).text
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation_break SET state = 'open', accepted_at = NULL, accepted_by = NULL, "
            "accepted_note = NULL, accepted_evidence = NULL WHERE break_id = %s",
            (ids["b:1"],),
        )
    assert 'class="notice good"' not in client.get(location).text


def test_a_refusal_names_the_invoice_and_leads_to_the_break(client: TestClient, ids: dict[str, int]) -> None:
    form = {"what": "accept", "note": "x", "seen": "0", "break_id": [ids["b:1"], ids["b:4"], 999999]}
    page = client.post(PATH, data=form, headers=SAME_ORIGIN).text
    link = re.escape(f"/reconciliation/breaks/{ids['b:4']}?profile=default")
    assert re.search(f'<a href="{link}">invoice 4, Ledger behind</a> is accepted, not open', page)
    assert "break 999999 is not there" in page


def test_a_break_of_another_profile_is_not_decided_of(
    client: TestClient, store: Connection, ids: dict[str, int], two_profiles: None
) -> None:
    form = {"what": "accept", "note": "x", "seen": "0"}
    one = client.post(f"{PATH}/{ids['b:1']}?profile=other", data=form, headers=SAME_ORIGIN)
    assert one.status_code == 404
    many = client.post(f"{PATH}?profile=other", data={**form, "break_id": [ids["b:1"]]}, headers=SAME_ORIGIN)
    assert many.status_code == 409
    assert "is not there" in many.text
    assert "ledger" not in many.text.split('role="alert"')[1].split("</div>")[0].lower()
    assert decisions(store) == []


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
    if lacking != "nothing":
        number = record(store, DATE, "incomplete" if lacking else "reconciled",
                        reasons=("ledger_empty",) if lacking == "ledger" else ())  # fmt: skip
    if lacking == "backlog":
        with store.cursor() as cursor:
            cursor.execute(
                "INSERT INTO ropo.break_backlog (reconciliation_id, profile) VALUES (%s, 'default')", (number,)
            )
    page = client.get(PATH).text
    assert told in page
    assert "Every difference is within" not in page
    assert ("to be trusted" in page) == (lacking is not None)


def test_what_an_acceptance_covers_is_shown_where_it_is_given(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    page_app.dependency_overrides[may_check] = lambda: True
    world.payment("1", "100")
    world.row("1", "paid", paid="100")
    world.row("1", "open", total="7777")
    for day in ("2026-03-20", "2026-03-25"):  # after its grace
        world.reconcile(now=at(f"{day} 08:00"))
    for path in ("breaks", "breaks/1", "invoice?key=b:1"):
        page = re.sub("<[^>]+>", " ", client.get(f"/reconciliation/{path}").text)
        assert re.search(r"Further rows:?\s+open, total 7777, paid 0, discount 0, credited 0, open 7777", page)


def test_filters_are_told_apart_from_the_chips_and_keep_the_order(client: TestClient, ids: dict[str, int]) -> None:
    page = client.get(PATH, params={"category": "ledger_behind", "order": "age", "direction": "desc"}).text
    chips = re.search(r'class="chips".*?</ul>', page, re.DOTALL)
    assert chips
    assert "category=" not in chips[0]
    assert "order=age&amp;direction=desc" in chips[0]
    assert '<input type="hidden" name="direction" value="desc">' in page
    (clear,) = re.findall(r'href="([^"]+)">Clear', page)
    assert clear == "/reconciliation/breaks?profile=default&amp;order=age&amp;direction=desc"


def test_a_comment_stands_in_the_history_as_text(client: TestClient, store: Connection, ids: dict[str, int]) -> None:
    note = "<script>alert(1)</script>"
    one = f"{PATH}/{ids['b:4']}"
    answer = client.post(one, data={"what": "comment", "note": note, "seen": "0"}, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    page = client.get(one).text
    assert note not in page
    assert "&lt;script&gt;" in page
    assert decisions(store) == [("b:4", "commented", f"{USER}: {note}")]


def test_what_cannot_be_decided_is_told_and_the_note_is_not_lost(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    form = {"what": "accept", "note": "why not", "seen": "0", "break_id": [ids["b:1"], ids["b:4"]]}
    for data, told in (
        (form, "Nothing was accepted"),
        ({**form, "break_id": []}, "Choose at least one break"),
        ({**form, "note": " "}, "Write a note"),
    ):
        answer = client.post(PATH, data=data, headers=SAME_ORIGIN)
        assert answer.status_code == 409
        assert told in answer.text
    assert "why not</textarea>" in client.post(PATH, data=form, headers=SAME_ORIGIN).text
    assert decisions(store) == []


def test_a_notes_line_breaks_count_one_character_each_as_the_browser_counts_them(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    # Browsers send each line break of a form as two characters.
    form = {"what": "comment", "note": "x\r\n" * 1000, "seen": "0"}
    assert client.post(f"{PATH}/{ids['b:1']}", data=form, headers=SAME_ORIGIN).status_code == 303
    [(_, _, kept)] = decisions(store)
    assert kept == f"{USER}: " + "x\n" * 999 + "x"


@pytest.mark.parametrize(
    ("note", "told"),
    [
        ("", "Write a note"),
        (" ", "Write a note"),
        ("a\x00b", "cannot be kept"),
        ("x" * 2001, "has 2001 characters"),
    ],
)
def test_a_note_that_cannot_be_kept_is_told_where_it_was_written(
    client: TestClient, store: Connection, ids: dict[str, int], note: str, told: str
) -> None:
    form = {"what": "accept", "note": note, "seen": "0", "break_id": [ids["b:1"]]}
    for path in (PATH, f"{PATH}/{ids['b:1']}"):
        answer = client.post(path, data=form, headers=SAME_ORIGIN)
        assert answer.status_code == 409
        assert told in answer.text
        assert f"{note}</textarea>" in answer.text
    assert decisions(store) == []


def test_a_break_that_changed_since_it_was_shown_is_not_accepted_unseen(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(PATH).text)
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind) VALUES (%s, 'a run', 'changed')",
            (ids["b:1"],),
        )
    form = {"what": "accept", "note": "fine", "seen": seen, "break_id": [ids["b:1"]]}
    answer = client.post(PATH, data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 409
    assert "Nothing was accepted" in answer.text


def test_what_is_shown_says_nothing_of_other_profiles_whose_events_are_numbered_beside(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    before = re.findall(r'name="seen" value="(\d+)"', client.get(PATH).text)
    with store.cursor() as cursor:
        cursor.execute("INSERT INTO ropo.break_policy VALUES ('other', 'Europe/Helsinki', 100, 1000, 3, 10)")
        copied = """
            profile, invoice_key, category, state, business_date, currency, amount, evidence, first_seen, last_seen,
            times_seen, first_reconciliation_id, last_reconciliation_id
        """
        cursor.execute(
            f"INSERT INTO ropo.reconciliation_break ({copied}) SELECT 'other', {copied.strip().partition(',')[2]} "
            "FROM ropo.reconciliation_break WHERE break_id = %s RETURNING break_id",
            (ids["b:1"],),
        )
        (break_id,) = cursor.fetchone() or (0,)
        cursor.execute(
            "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind) VALUES (%s, 'a run', 'changed')",
            (break_id,),
        )
    assert re.findall(r'name="seen" value="(\d+)"', client.get(PATH).text) == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://airflow"},
        {"Origin": "http://elsewhere"},
        {"Origin": "null"},
        {"Origin": "http://airflow.elsewhere"},
    ],
    ids=str,
)
def test_a_change_of_another_origin_is_refused(
    client: TestClient, store: Connection, ids: dict[str, int], headers: dict[str, str]
) -> None:
    form = {"what": "accept", "note": "x", "seen": "0", "break_id": [ids["b:1"]]}
    answer = client.post(PATH, data=form, headers=headers)
    assert answer.status_code == 403
    assert "did not come from the page itself" in answer.text
    assert decisions(store) == []


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    form = {"what": "comment", "note": "x", "seen": "0", "break_id": [ids["b:1"]]}
    assert client.post(PATH, data=form, headers={"Origin": "http://airflow"}).status_code == 303


def test_who_may_not_edit_the_dag_sees_no_control_and_changes_nothing(
    client: TestClient, page_app: FastAPI, store: Connection, ids: dict[str, int]
) -> None:
    page_app.dependency_overrides[may_change] = lambda: False
    page = client.get(PATH).text
    assert "<textarea" not in page
    assert "needs the right to edit the DAG" in page
    one = client.get(f"{PATH}/{ids['b:1']}").text
    assert "<textarea" not in one
    assert "needs the right to edit the DAG" in one
    form = {"what": "accept", "note": "x", "seen": "0", "break_id": [ids["b:1"]]}
    assert client.post(PATH, data=form, headers=SAME_ORIGIN).status_code == 403
    assert client.post(f"{PATH}/{ids['b:1']}", data=form, headers=SAME_ORIGIN).status_code == 403
    assert decisions(store) == []


def test_a_break_that_is_not_there_is_a_page(client: TestClient, ids: dict[str, int]) -> None:
    answer = client.get(f"{PATH}/999999")
    assert answer.status_code == 404
    assert "There is no break 999999" in answer.text
