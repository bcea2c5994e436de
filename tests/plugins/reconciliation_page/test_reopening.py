"""Accepted breaks are opened again by a person, under their Airflow name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user

from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN, USER, listed
from tests.plugins.reconciliation_page.test_breaks import PATH, decisions

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection


def test_that_it_is_open_again_is_told_only_while_it_is(client: TestClient, ids: dict[str, int]) -> None:
    one = f"{PATH}/{ids['b:4']}"
    form = {"note": "not so", "seen": "0"}
    location = client.post(one, data={**form, "what": "reopen"}, headers=SAME_ORIGIN).headers["location"]
    assert "1 break is open again" in client.get(location).text
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(one).text)
    assert client.post(one, data={**form, "what": "accept", "seen": seen}, headers=SAME_ORIGIN).status_code == 303
    assert 'class="notice good"' not in client.get(location).text


def test_an_accepted_break_is_opened_again_on_its_own_page_with_the_users_name_and_note(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    one = f"{PATH}/{ids['b:4']}"
    page = client.get(one).text
    assert re.findall(r'name="what" value="(\w+)"', page) == ["reopen", "comment"]
    (seen,) = re.findall(r'name="seen" value="(\d+)"', page)
    form = {"what": "reopen", "note": "the wrong customer", "seen": seen}
    answer = client.post(one, data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"{one}?profile=default&done=reopen&since=0"
    page = client.get(answer.headers["location"]).text
    assert "1 break is open again. Its date's verdict follows with the next comparison." in page
    assert re.search("The nightly run compares no date before [0-9-]{10} again: ask for it to be run again.", page)
    assert "<strong>opened again</strong> by ada" in page
    assert "the wrong customer" in page
    assert "<dt>Accepted</dt>" not in page
    assert re.findall(r'name="what" value="(\w+)"', page) == ["accept", "comment"]
    assert decisions(store) == [("b:4", "reopened", f"{USER}: the wrong customer")]
    with store.cursor() as cursor:
        cursor.execute("SELECT state, accepted_by FROM ropo.reconciliation_break WHERE invoice_key = 'b:4'")
        assert cursor.fetchone() == ("open", None)
    late = client.post(one, data={**form, "note": "my reason"}, headers=SAME_ORIGIN)
    assert late.status_code == 409
    assert "Nothing was opened again" in late.text
    assert "is open, not accepted" in late.text
    assert "my reason</textarea>" in late.text


def test_that_a_signed_month_is_changed_by_opening_one_again_is_said_before_and_after(
    client: TestClient, page_app: FastAPI, store: Connection, ids: dict[str, int]
) -> None:
    accepted, other = (f"{PATH}/{ids[key]}" for key in ("b:4", "b:1"))
    page_app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=f" {USER} ", role="ADMIN")
    assert "2026-03" not in client.get(accepted).text
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.period_sign_off "
            "(profile, period, signed_by, countersigned_by, countersigned_at, evidence) VALUES "
            "('default', '2026-03-01', 'Anna', 'Otto', now(), %s), ('default', '2026-04-01', 'Anna', NULL, NULL, %s)",
            tuple(json.dumps({"breaks": breaks}) for breaks in ([ids["b:4"]], [])),
        )
    page = client.get(accepted).text
    assert re.search(r'Signed: <a href="[^"]*sign-off/2026-03[^"]*">2026-03</a>, by Anna and Otto', page)
    assert "2026-04" not in page
    form = {"note": "the wrong customer", "seen": "99"}

    def told(path: str, what: str) -> str:
        answer = client.post(path, data={**form, "what": what}, headers=SAME_ORIGIN)
        addresses.append(answer.headers["location"])
        return str(client.get(addresses[-1]).text)

    addresses: list[str] = []
    for path, what in ((other, "accept"), (other, "reopen"), (accepted, "comment")):
        told(path, what)
    page = told(accepted, "reopen")
    assert re.search(r'Signed, and changed by that: <a href="[^"]*sign-off/2026-03[^"]*">2026-03</a>', page)
    opened, commented = (client.get(address).text for address in addresses[1:3])
    assert "1 break is open again" in opened
    assert "The comment stands in the history" in commented
    for page in (opened, commented):
        assert "changed by that" not in page, "it was by something else"


def test_several_are_opened_again_in_the_list_of_accepted_ones_or_none_of_them(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    accepting = {"what": "accept", "note": "all", "seen": "0", "break_id": [ids["b:1"], ids["b:2"]]}
    assert client.post(PATH, data=accepting, headers=SAME_ORIGIN).status_code == 303
    accepted = f"{PATH}?state=accepted"
    page = client.get(accepted).text
    assert re.findall(r'name="what" value="(\w+)"', page) == ["reopen", "comment"]
    assert "Accepting covers the states" not in page
    (seen,) = re.findall(r'name="seen" value="(\d+)"', page)
    form = {"what": "reopen", "note": "not so", "seen": seen, "break_id": [ids["b:1"], ids["b:3"]]}
    refused = client.post(accepted, data=form, headers=SAME_ORIGIN)
    assert refused.status_code == 409
    assert "Nothing was opened again" in refused.text
    assert "invoice 3, Ledger behind</a> is open, not accepted" in refused.text
    assert "not so</textarea>" in refused.text
    answer = client.post(accepted, data={**form, "break_id": [ids["b:1"], ids["b:2"]]}, headers=SAME_ORIGIN)
    assert answer.status_code == 303
    page = client.get(answer.headers["location"]).text
    assert "2 breaks are open again. Their dates' verdicts follow with the next comparison." in page
    assert listed(page) == ["4"]
    assert [kind for _, kind, _ in decisions(store)] == ["accepted", "reopened"] * 2


def test_a_break_that_was_accepted_anew_since_it_was_shown_is_not_opened_unseen(
    client: TestClient, store: Connection, ids: dict[str, int]
) -> None:
    one = f"{PATH}/{ids['b:4']}"
    (seen,) = re.findall(r'name="seen" value="(\d+)"', client.get(one).text)
    with store.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ropo.reconciliation_break_event (break_id, by_whom, kind, note) "
            "VALUES (%s, 'grace', 'reopened', 'x'), (%s, 'grace', 'accepted', 'agreed by phone')",
            (ids["b:4"], ids["b:4"]),
        )
    form = {"what": "reopen", "note": "not so", "seen": seen}
    answer = client.post(one, data=form, headers=SAME_ORIGIN)
    assert answer.status_code == 409
    assert "is not as it was shown: it has changed since" in answer.text
    assert "agreed by phone" in answer.text
