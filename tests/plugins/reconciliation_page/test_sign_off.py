"""The sign-off of a month by two people, each unmet condition with the way to it."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

import pytest
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user

from reconciliation_page.access import may_change
from tests.include.watch.records import broken, keep_break, record
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

MONTH = "2026-02"
PATH = f"/reconciliation/sign-off/{MONTH}"
DATES = [datetime.date(2026, 2, day) for day in range(1, 29)]
AFTER = datetime.datetime(2026, 3, 1, 2, tzinfo=datetime.UTC)


def unmet(page: str) -> list[tuple[str, str]]:
    """Each condition that does not hold: its text and the address that leads to it."""
    found = re.findall(r'<li class="unmet"><span>(.*?)\s*<a href="([^"]*)"', page, re.DOTALL)
    return [(text, address.replace("&amp;", "&")) for text, address in found]


@pytest.fixture
def month(store: Connection) -> None:
    """February: every date compared, two breaks of the 3rd, the 4th incomplete, a full comparison at the end."""
    for date in DATES:
        if date.day == 3:
            number = record(store, date, "breaks", breaks=(broken("1", "5.00"), broken("2", "6.00")))
            keep_break(store, number, "b:1", "ledger_behind", "open", "5.00")
            keep_break(store, number, "b:2", "ledger_behind", "open", "6.00")
        else:
            record(store, date, "incomplete" if date.day == 4 else "reconciled", reasons=("doubt",) * (date.day == 4))
    record(store, DATES[-1], scope="full", started_at=AFTER)
    with store.cursor() as cursor:
        cursor.execute("UPDATE ropo.reconciliation SET view_at = started_at")


def settle(client: TestClient, store: Connection) -> None:
    with store.cursor() as cursor:
        cursor.execute("SELECT array_agg(break_id) FROM ropo.reconciliation_break")
        (ids,) = cursor.fetchone() or ([],)
    form = {"what": "accept", "note": "known", "seen": "0", "break_id": ids}
    assert client.post("/reconciliation/breaks", data=form, headers=SAME_ORIGIN).status_code == 303
    with store.cursor() as cursor:
        cursor.execute("SELECT max(reconciliation_id) FROM ropo.reconciliation WHERE verdict = 'incomplete'")
        (shown,) = cursor.fetchone() or (0,)
    form = {"scope": "date", "month": MONTH, "note": "the queue was read elsewhere", "reconciliation": shown}
    page = client.get(PATH).text
    assert f'name="reconciliation" value="{shown}"' in page
    assert client.post("/reconciliation/dates/2026-02-04/incomplete", data=form, headers=SAME_ORIGIN).status_code == 303


def test_the_sign_off_leads_to_the_last_month_that_is_over(client: TestClient) -> None:
    address = client.get("/reconciliation/sign-off").headers["location"]
    assert re.fullmatch(r"/reconciliation/sign-off/20\d\d-\d\d\?profile=default", address)
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
    answer = client.post(f"{PATH}/sign", data={}, headers=SAME_ORIGIN)
    assert answer.status_code == 409
    assert "cannot be signed" in answer.text


def test_a_month_is_signed_by_one_person_and_countersigned_by_another(
    client: TestClient, page_app: FastAPI, store: Connection, month: None
) -> None:
    settle(client, store)
    assert unmet(client.get(PATH).text) == []
    assert client.post(f"{PATH}/sign", data={"note": "closed"}, headers=SAME_ORIGIN).status_code == 303
    page = client.get(PATH).text
    assert "Signed, not countersigned" in page
    assert "another person countersigns it" in page
    assert client.post(f"{PATH}/countersign", data={}, headers=SAME_ORIGIN).status_code == 409
    page_app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username="grace", role="ADMIN")
    assert client.post(f"{PATH}/countersign", data={}, headers=SAME_ORIGIN).status_code == 303
    assert "Signed and countersigned" in client.get(PATH).text
    with store.cursor() as cursor:
        cursor.execute("SELECT signed_by, note, countersigned_by FROM ropo.period_sign_off")
        assert cursor.fetchall() == [(USER, "closed", "grace")]
        cursor.execute("SELECT accepted_by, note FROM ropo.incompleteness_acceptance")
        assert cursor.fetchall() == [(USER, "the queue was read elsewhere")]


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
    assert client.post(f"{PATH}/sign", data={}, headers=SAME_ORIGIN).status_code == 303
    record(store, DATES[-1], "incomplete", reasons=("doubt",), scope="full", started_at=AFTER)
    assert "Changed since it was signed" in client.get(PATH).text


def test_who_may_not_edit_the_dag_signs_nothing(
    client: TestClient, page_app: FastAPI, store: Connection, month: None
) -> None:
    settle(client, store)
    page_app.dependency_overrides[may_change] = lambda: False
    assert '<form method="post"' not in client.get(PATH).text
    for path in (f"{PATH}/sign", f"{PATH}/countersign", "/reconciliation/dates/2026-02-04/incomplete"):
        form = {"note": "x", "scope": "date", "month": MONTH, "reconciliation": "1"}
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
