"""The sign-off of a month by two people, each unmet condition with the way to it."""

from __future__ import annotations

import datetime
import html
import re
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user

from include.config.profiles import Profile
from reconciliation_page.access import may_change
from tests.include.status_store.views import execute
from tests.include.watch.records import broken, keep_break, record, stood_accepted
from tests.plugins.reconciliation_page.conftest import AFTER, DATES, SAME_ORIGIN, USER, words_of
from tests.plugins.reconciliation_page.month import MONTH, PATH, put, settle, shown

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection


def unmet(page: str) -> list[tuple[str, str]]:
    """Each condition that does not hold: its text and the address that leads to it."""
    found = re.findall(r'<li class="unmet"><span>(.*?)\s*<a href="([^"]*)"', page, re.DOTALL)
    return [(text, address.replace("&amp;", "&")) for text, address in found]


def flag(store: Connection) -> None:
    """A run has found another result of a date of the signed month."""
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.period_sign_off_flag (sign_off_id, kind, business_date, reconciliation_id, note) "
            "SELECT sign_off_id, 'result_changed', '2026-02-04', 1, 'row_count in the ledger from 1 to 2' "
            "FROM ropo.period_sign_off"
        )


def incomplete(store: Connection) -> int:
    """The reconciliation of the month that is incomplete."""
    with store.cursor() as cursor:
        cursor.execute("SELECT reconciliation_id FROM ropo.reconciliation WHERE verdict = 'incomplete'")
        (found,) = cursor.fetchone() or (0,)
    return int(found)


def signs(client: TestClient, page_app: FastAPI, name: str, signature: str) -> int:
    page_app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=name, role="ADMIN")
    return put(client, signature).status_code


def test_the_sign_off_leads_to_the_last_month_that_is_over(client: TestClient) -> None:
    today = Profile(name="default").business_date(datetime.datetime.now(datetime.UTC))
    over = today.replace(day=1) - datetime.timedelta(days=1)
    address = client.get("/reconciliation/sign-off").headers["location"]
    assert address == f"/reconciliation/sign-off/{over:%Y-%m}?profile=default"
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("wrong", ["2026-13", "2026-2", "x", "1999-01"])
def test_what_is_no_month_is_refused(client: TestClient, wrong: str) -> None:
    assert client.get(f"/reconciliation/sign-off/{wrong}").status_code == 422


def test_each_condition_that_does_not_hold_leads_to_where_it_is_met(
    client: TestClient, store: Connection, month: None
) -> None:
    page = client.get(PATH).text
    assert "26 of 28 dates are settled" in page
    assert [address for _, address in unmet(page)] == [
        "/reconciliation/dates/2026-02-03?profile=default&state=break",
        "/reconciliation/dates/2026-02-04?profile=default",
    ]
    for _, address in unmet(page):
        assert client.get(address).status_code == 200
    assert '<button class="primary" disabled data-off>' in page
    answer = put(client, "sign")
    assert answer.status_code == 409
    assert "cannot be signed" in answer.text


def test_what_is_within_its_grace_leads_to_the_pending_ones(client: TestClient, store: Connection, month: None) -> None:
    settle(client, store)
    pending = (broken("8", "5.00", pending_until=AFTER + datetime.timedelta(days=9_000)),)
    record(store, DATES[8], "pending", breaks=pending, started_at=AFTER)
    [(_, address)] = unmet(client.get(PATH).text)
    assert address == f"/reconciliation/dates/{DATES[8]}?profile=default&state=pending"


def test_what_breaks_since_a_date_that_does_not_show_it_itself_leads_to_the_breaks(
    client: TestClient, store: Connection, month: None
) -> None:
    """It was mended, and is back by what the ledger did later: the date is green, and nothing compares it again."""
    settle(client, store)
    number = record(store, DATES[-1] + datetime.timedelta(days=60), "breaks", breaks=(broken("7", "5.00"),))
    keep_break(store, number, "b:7", "ledger_behind", "open", "5.00")
    execute(
        store,
        "UPDATE ropo.reconciliation_break SET business_date = %s, billnum = '7' WHERE invoice_key = 'b:7'",
        (DATES[8],),
    )

    [(_, address)] = unmet(client.get(PATH).text)

    assert address == f"/reconciliation/breaks?profile=default&first_from={DATES[8]}&first_to={DATES[8]}"
    assert "key=b%3A7" in client.get(address).text


def test_a_month_is_signed_by_one_person_and_countersigned_by_another(
    client: TestClient, page_app: FastAPI, store: Connection, month: None
) -> None:
    settle(client, store)
    assert unmet(client.get(PATH).text) == []
    assert put(client, "sign", "closed").status_code == 303
    page = client.get(PATH).text
    assert "Signed, not countersigned" in page
    assert "another person countersigns it" in page
    assert put(client, "countersign", seen="x").status_code == 409
    page_app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="grace", role="ADMIN")
    assert put(client, "countersign").status_code == 303
    assert "Signed and countersigned" in client.get(PATH).text
    with store.cursor() as cursor:
        cursor.execute("SELECT signed_by, note, countersigned_by FROM ropo.period_sign_off")
        assert cursor.fetchall() == [(USER, "closed", "grace")]
        cursor.execute("SELECT accepted_by, note FROM ropo.incompleteness_acceptance")
        assert cursor.fetchall() == [(USER, "the queue was read elsewhere")]


def test_what_was_accepted_as_incomplete_is_shown_so_of_a_later_reconciliation_for_the_same_reasons(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    with store.cursor() as cursor:
        cursor.execute("SELECT reasons -> 0 ->> 'word' FROM ropo.reconciliation WHERE verdict = 'incomplete'")
        (word,) = cursor.fetchone() or ("",)
    date, told = "/reconciliation/dates/2026-02-04", "accepted that it stays incomplete"
    assert f"{USER} {told}: the queue was read elsewhere" in client.get(date).text
    record(store, DATES[3], "incomplete", reasons=(word,), started_at=AFTER)
    later = f"{USER} {told}, when an earlier reconciliation had the same reasons: the queue was read elsewhere"
    assert later in client.get(date).text
    assert unmet(client.get(PATH).text) == []
    record(store, DATES[3], "incomplete", reasons=(word, "other"), started_at=AFTER)
    assert told not in client.get(date).text
    assert "holds until there is another reason" in client.get(PATH).text


def test_a_month_is_signed_with_the_figures_that_were_shown_and_no_others(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    seen = shown(client)
    record(store, DATES[9], started_at=AFTER)
    answer = put(client, "sign", "closed", seen)
    assert answer.status_code == 409
    assert "it is not as it was shown" in answer.text
    assert "closed</textarea>" in answer.text
    assert "Your note" not in answer.text
    assert shown(client) != seen
    assert put(client, "sign", "closed").status_code == 303


def test_breaks_that_wait_to_be_worked_in_are_shown_after_the_first_try_to_sign(
    client: TestClient, store: Connection, month: None
) -> None:
    """A process that recorded them has died before; else every try would be refused for what it alone has found."""
    settle(client, store)
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.break_backlog (reconciliation_id, profile, out_of_scope, start_date) "
            "SELECT max(reconciliation_id), 'default', '{}', '2026-01-01' FROM ropo.reconciliation"
        )
        assert put(client, "sign", "closed", "0" * 16).status_code == 409
        cursor.execute("SELECT count(*) FROM ropo.break_backlog")
        assert cursor.fetchall() == [(0,)]
    assert put(client, "sign", "closed").status_code == 303


def test_a_full_comparison_that_is_not_settled_unsettles_no_date(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    record(store, DATES[-1], "incomplete", reasons=("doubt",), scope="full", started_at=AFTER)
    page = client.get(PATH).text
    assert "28 of 28 dates are settled" in page
    assert [address for _, address in unmet(page)] == [
        "/reconciliation/dates/2026-02-28?profile=default&reconciliation=30"
    ]


def test_a_signed_month_whose_conditions_hold_no_more_is_not_green(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    assert put(client, "sign").status_code == 303
    record(store, DATES[-1], "incomplete", reasons=("doubt",), scope="full", started_at=AFTER)
    page = client.get(f"{PATH}?done=signed").text
    assert "Signed, but not every condition holds now" in page
    assert "else what was signed stands" in page
    assert "notice good" not in page
    flag(store)
    page = client.get(PATH).text
    assert "Changed since it was signed" in page
    assert "2026-02-04</a>, rows in the ledger from 1 to 2</li>" in page
    assert "else what was signed stands" not in page


def test_a_signed_month_is_no_longer_so_when_a_break_that_it_rests_on_is_opened_again(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    with store.cursor() as cursor:
        cursor.execute(
            "SELECT first_reconciliation_id, break_id FROM ropo.reconciliation_break WHERE invoice_key = 'b:1'"
        )
        number, opened = cursor.fetchone() or (0, 0)
    stood_accepted(store, number)
    assert put(client, "sign").status_code == 303
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(f"/reconciliation/breaks/{opened}").text)
    form = {"what": "reopen", "note": "the wrong customer", "seen": seen}
    path = f"/reconciliation/breaks/{opened}"
    assert client.post(path, data=form, headers=SAME_ORIGIN).status_code == 303

    page = client.get(PATH).text

    assert "Changed since it was signed" in page
    assert (
        f'<a href="{path}?profile=default">2026-02-03</a>, invoice 1: ledger behind, opened again by ada: the wrong'
        " customer" in page
    )
    # Its date has recorded it as accepted: the way leads to where it is shown all the same.
    [(why, address)] = unmet(page)
    assert why.startswith("1 invoice of 2026-02-03 differs")
    assert "open again since" in client.get(address).text
    assert put(client, "sign").status_code == 409


def test_a_month_that_is_signed_again_shows_the_first_signatures_and_what_changed_since(
    client: TestClient, page_app: FastAPI, store: Connection, month: None
) -> None:
    settle(client, store)
    assert put(client, "sign", "closed").status_code == 303
    page_app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="grace", role="ADMIN")
    assert put(client, "countersign", "seen").status_code == 303
    assert "Signed before" not in client.get(PATH).text
    with store.cursor() as cursor:
        cursor.execute("SELECT break_id FROM ropo.reconciliation_break WHERE invoice_key = 'b:1'")
        (number,) = cursor.fetchone() or (0,)
    for what in ("reopen", "accept"):
        path = f"/reconciliation/breaks/{number}"
        (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(path).text)
        form = {"what": what, "note": f"to {what}", "seen": seen}
        assert client.post(path, data=form, headers=SAME_ORIGIN).status_code == 303
    assert put(client, "sign", "closed again").status_code == 303

    page = client.get(PATH).text
    now, before = words_of(page, r'id="signatures-title".*?</section>').split("Signed before")
    assert "Signed grace" in now
    assert "closed again" in now
    assert "Countersigned not yet" in now
    assert f"Signed {USER}" in before
    assert "Countersigned grace" in before
    assert all(note in before for note in ("closed", "seen", "opened again by grace: to reopen"))
    (link,) = re.findall(r'href="([^"]+)">what was accepted then', page)
    assert ",to reopen" not in (csv := client.get(html.unescape(link)).text)
    assert ",known" in csv


def test_a_note_of_what_was_not_accepted_stands_where_it_was_written(
    client: TestClient, store: Connection, month: None
) -> None:
    shown = incomplete(store)
    record(store, DATES[-1], "incomplete", reasons=("doubt",), scope="full", started_at=AFTER)
    form = {"scope": "date", "month": MONTH, "note": "read elsewhere", "reconciliation": shown + 1_000}
    page = client.post("/reconciliation/dates/2026-02-04/incomplete", data=form, headers=SAME_ORIGIN)
    assert page.status_code == 409
    assert "was shown, and" in page.text
    [opened] = re.findall(r'<details class="inline" open>(.*?)</details>', page.text, re.DOTALL)
    assert "Accept 2026-02-04 as incomplete" in opened
    assert "read elsewhere</textarea>" in opened
    assert page.text.count("read elsewhere") == 1


def test_a_note_whose_form_is_no_longer_there_is_not_lost(client: TestClient, store: Connection, month: None) -> None:
    form = {"scope": "date", "month": MONTH, "note": "read elsewhere", "reconciliation": incomplete(store)}
    path = "/reconciliation/dates/2026-02-04/incomplete"
    assert client.post(path, data=form, headers=SAME_ORIGIN).status_code == 303
    page = client.post(path, data=form, headers=SAME_ORIGIN)
    assert page.status_code == 409
    assert "was accepted by ada already" in page.text
    assert "Your note: read elsewhere" in page.text


@pytest.mark.parametrize("note", ["", " ", "a\x00b", "x" * 2001])
def test_a_note_that_cannot_be_kept_accepts_nothing(
    client: TestClient, store: Connection, month: None, note: str
) -> None:
    form = {"scope": "date", "month": MONTH, "note": note, "reconciliation": incomplete(store)}
    page = client.post("/reconciliation/dates/2026-02-04/incomplete", data=form, headers=SAME_ORIGIN)
    assert page.status_code == 409
    [opened] = re.findall(r'<details class="inline" open>(.*?)</details>', page.text, re.DOTALL)
    assert f"{note}</textarea>" in opened


def test_a_signature_takes_a_note_of_many_lines_and_none_that_cannot_be_kept(
    client: TestClient, store: Connection, month: None
) -> None:
    settle(client, store)
    answer = put(client, "sign", "a\x00b")
    assert answer.status_code == 409
    assert "a\x00b</textarea>" in answer.text
    assert put(client, "sign", "x\r\n" * 1000).status_code == 303
    with store.cursor() as cursor:
        cursor.execute("SELECT note FROM ropo.period_sign_off")
        assert cursor.fetchall() == [("x\n" * 999 + "x",)]


@pytest.mark.parametrize("name", ["Ada", "ada ", "ＡＤＡ"])
def test_nobody_is_offered_to_countersign_what_they_signed_whatever_the_spelling(
    client: TestClient, page_app: FastAPI, store: Connection, month: None, name: str
) -> None:
    settle(client, store)
    assert signs(client, page_app, "ada", "sign") == 303
    page_app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=name, role="ADMIN")
    page = client.get(PATH).text
    assert "You signed it; another person countersigns it" in page
    assert "Countersign 2026-02" not in page


def test_what_was_done_is_told_only_if_the_store_says_so(
    client: TestClient, page_app: FastAPI, store: Connection, month: None
) -> None:
    shown = incomplete(store)
    accepted = f"{PATH}?done=accepted&reconciliation={shown}"
    for claim in (f"{PATH}?done=signed", f"{PATH}?done=countersigned", f"{PATH}?done=accepted", accepted):
        assert "notice good" not in client.get(claim).text
    settle(client, store)
    assert "2026-02-04 is accepted as incomplete." in client.get(accepted).text
    assert signs(client, page_app, "ada", "sign") == 303
    assert "Signed by ada. Another person countersigns it." in client.get(f"{PATH}?done=signed").text
    assert "notice good" not in client.get(f"{PATH}?done=countersigned").text
    assert signs(client, page_app, "grace", "countersign") == 303
    assert "Countersigned by grace." in client.get(f"{PATH}?done=countersigned").text
    assert "notice good" not in client.get(f"{PATH}?done=signed").text
    flag(store)
    assert "notice good" not in client.get(f"{PATH}?done=countersigned").text


def test_of_a_date_that_was_never_compared_nothing_is_called_settled(client: TestClient) -> None:
    rows = re.findall(r"<th scope=\"row\">.*?</tr>", client.get(PATH).text, re.DOTALL)
    assert len(rows) == len(DATES)
    for row in rows:
        assert re.findall(r'<td class="number">(.*?)</td>', row) == ["–"] * 7


def test_the_first_and_the_last_month_lead_to_none_that_is_refused(client: TestClient) -> None:
    for month, others in (("2000-01", ["2000-02"]), ("2099-12", ["2099-11"]), (MONTH, ["2026-01", "2026-03"])):
        page = client.get(f"/reconciliation/sign-off/{month}").text
        assert re.findall(r'rel="(?:prev|next)" href="/reconciliation/sign-off/([^?]*)', page) == others


def test_who_may_not_edit_the_dag_signs_nothing(
    client: TestClient, page_app: FastAPI, store: Connection, month: None
) -> None:
    settle(client, store)
    page_app.dependency_overrides[may_change] = lambda: False
    page = client.get(PATH).text
    assert '<form method="post"' not in page
    assert "needs the right to edit the DAG ropo_reconciliation" in page
    for path in (f"{PATH}/sign", f"{PATH}/countersign", "/reconciliation/dates/2026-02-04/incomplete"):
        form = {"note": "x", "scope": "date", "month": MONTH, "reconciliation": "1", "shown": "x"}
        assert client.post(path, data=form, headers=SAME_ORIGIN).status_code == 403
    with store.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ropo.period_sign_off")
        assert cursor.fetchone() == (0,)


def test_dates_that_were_left_out_are_named_together_and_days_to_come_are_not(client: TestClient) -> None:
    page = client.get(PATH).text
    assert "28 dates have no reconciliation" in page
    assert "/reconciliation/dates/2026-02-28?profile=default" in page
    assert 'href="/dags/ropo_full_comparison"' in page
    future = client.get("/reconciliation/sign-off/2099-02").text
    assert "have no reconciliation" not in future
    assert "The month is not over" in future


@pytest.mark.parametrize(
    "path", [f"sign-off/{MONTH}/sign", f"sign-off/{MONTH}/countersign", "dates/2026-02-04/incomplete"]
)
def test_the_address_of_a_form_that_was_refused_leads_back_to_the_month(client: TestClient, path: str) -> None:
    answer = client.get(f"/reconciliation/{path}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{PATH}?profile=default")
