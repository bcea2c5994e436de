"""What people decide about breaks under their Airflow name."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user

from include.reconciliation.decisions import NAMED_REFUSALS
from reconciliation_page.access import may_change
from reconciliation_page.checking import may_check
from tests.include.reconciliation.world import World, at
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER, listed

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

DATE = datetime.date(2026, 11, 20)
PATH = "/reconciliation/breaks"


def decisions(store: Connection) -> list[tuple[str, str, str]]:
    with store.cursor() as cursor:
        cursor.execute(
            "SELECT invoice_key, event.kind, event.by_whom || ': ' || event.note "
            "FROM ropo.reconciliation_break_event AS event JOIN ropo.reconciliation_break USING (break_id) "
            "ORDER BY invoice_key, event_id"
        )
        return cursor.fetchall()


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
    for done in ("accept", "comment", "reopen"):
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


def test_what_was_just_decided_is_counted_and_on_a_breaks_own_page_that_one_alone(
    client: TestClient, page_app: FastAPI, ids: dict[str, int]
) -> None:
    """Decisions are kept without the spaces that a name may have in Airflow."""
    page_app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=f" {USER} ", role="ADMIN")
    form = {"what": "accept", "note": "fine", "seen": "99"}
    one = client.post(f"{PATH}/{ids['b:1']}", data=form, headers=SAME_ORIGIN)
    several = client.post(PATH, data={**form, "break_id": [ids["b:2"], ids["b:3"]]}, headers=SAME_ORIGIN)
    assert "1 break is accepted" in client.get(one.headers["location"]).text
    assert "2 breaks are accepted" in client.get(several.headers["location"]).text


def test_where_nothing_is_open_or_accepted_there_is_nothing_but_to_comment(
    client: TestClient, ids: dict[str, int]
) -> None:
    for path in (f"{PATH}?state=resolved", f"{PATH}/{ids['b:5']}"):
        assert re.findall(r'name="what" value="(\w+)"', client.get(path).text) == ["comment"]


def test_a_refusal_names_the_invoice_and_leads_to_the_break(client: TestClient, ids: dict[str, int]) -> None:
    form = {"what": "accept", "note": "x", "seen": "0", "break_id": [ids["b:1"], ids["b:4"], 999999]}
    page = client.post(PATH, data=form, headers=SAME_ORIGIN).text
    link = re.escape(f"/reconciliation/breaks/{ids['b:4']}?profile=default")
    assert re.search(f'<a href="{link}">invoice 4, Ledger behind</a> is accepted, not open', page)
    assert "break 999999 is unknown" in page
    assert "and 1 more" not in page
    many = {**form, "break_id": [*range(999_000, 999_000 + NAMED_REFUSALS + 1)]}
    page = client.post(PATH, data=many, headers=SAME_ORIGIN).text
    assert page.count("is unknown") == NAMED_REFUSALS
    assert "<li>and 1 more</li>" in page


def test_a_break_of_another_profile_is_not_decided_of(
    client: TestClient, store: Connection, ids: dict[str, int], two_profiles: None
) -> None:
    form = {"what": "accept", "note": "x", "seen": "0"}
    again = client.post(f"{PATH}/{ids['b:4']}?profile=other", data={**form, "what": "reopen"}, headers=SAME_ORIGIN)
    assert again.status_code == 404
    one = client.post(f"{PATH}/{ids['b:1']}?profile=other", data=form, headers=SAME_ORIGIN)
    assert one.status_code == 404
    for what in ("accept", "comment"):
        chosen = {**form, "what": what, "break_id": [ids["b:1"]]}
        many = client.post(f"{PATH}?profile=other", data=chosen, headers=SAME_ORIGIN)
        assert many.status_code == 409
        assert "is unknown" in many.text
        assert "ledger" not in many.text.split('role="alert"')[1].split("</div>")[0].lower()
    assert decisions(store) == []


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


def test_a_code_that_the_map_lacks_is_counted_and_leads_to_the_time_line_that_has_it(
    client: TestClient, page_app: FastAPI, world: World
) -> None:
    page_app.dependency_overrides[may_check] = lambda: True
    world.comment("1", "66")
    world.row("1")
    for day in ("2026-03-20", "2026-03-25"):
        world.reconcile(now=at(f"{day} 08:00"))
    for path in ("breaks", "breaks/1", "invoice?key=b:1"):
        page = client.get(f"/reconciliation/{path}").text
        assert '#line-title">1 row with a code not in the status map</a>' in page
        assert "Further rows" not in page
    csv = client.get("/reconciliation/breaks.csv").text
    assert ",1 row with a code not in the status map," in csv


@pytest.mark.parametrize("is_compared", [False, True])
def test_since_leads_to_the_date_or_where_that_was_never_compared_to_what_shows_the_break(
    client: TestClient, world: World, is_compared: bool
) -> None:
    world.payment("1", "60.50")
    world.row("1")
    full = world.reconcile(datetime.date(2026, 3, 31), now=at("2026-04-08 08:00"), scope="full").reconciliation_id
    if is_compared:
        world.reconcile(datetime.date(2026, 3, 31), now=at("2026-04-08 09:00"))
    where = "dates/2026-03-31?profile=default" + ("" if is_compared else f"&amp;reconciliation={full}")
    for path in (PATH, f"{PATH}/1"):
        assert f'href="/reconciliation/{where}">2026-03-31</a>' in client.get(path).text


def test_a_discount_of_nothing_is_not_told_of_a_break(client: TestClient, world: World) -> None:
    world.payment("1", "100")
    world.row("1", discount="0")
    world.reconcile(now=at("2026-03-20 08:00"))
    page = client.get(PATH).text
    assert "100.00 paid</span>" in page
    assert "0.00 paid</span>" in page
    assert "discount</span>" not in page


def test_a_near_miss_stands_wherever_it_is_said_what_to_do_lest_an_invoice_be_booked_twice(
    page_app: FastAPI, client: TestClient, world: World
) -> None:
    page_app.dependency_overrides[may_check] = lambda: False
    world.comment("0012", "110")
    world.row("INV-12", jobid=None)
    world.reconcile(now=at("2026-03-20 08:00"))
    near, booked = "The ledger has INV-12: if that is this invoice", "Book the invoice in the ERP"
    for path in ("breaks/1", "invoice?key=b:0012", "breaks.csv"):
        text = client.get(f"/reconciliation/{path}").text
        assert near in text, path
        assert text.index(near) < text.index(booked), path
    assert "nearly: the ledger has INV-12" in client.get(PATH).text


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
    reopening = {**form, "what": "reopen", "break_id": [ids["b:4"]]}
    for path in (PATH, f"{PATH}/{ids['b:4']}"):
        assert "<textarea" not in client.get(path, params={"state": "accepted"}).text
        assert client.post(path, data=reopening, headers=SAME_ORIGIN).status_code == 403
    assert decisions(store) == []


def test_a_break_that_is_not_there_is_a_page(client: TestClient, ids: dict[str, int]) -> None:
    answer = client.get(f"{PATH}/999999")
    assert answer.status_code == 404
    assert "There is no break 999999" in answer.text
