"""What holds for every page: headers, errors as pages, and nobody but Airflow's users."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from reconciliation_page.access import may_read, require_editor, require_reader, require_same_origin
from reconciliation_page.app import create_app
from reconciliation_page.checking import may_check, require_checker
from reconciliation_page.headers import CONTENT_SECURITY_POLICY
from reconciliation_page.stores import reading
from tests.include.reconciliation.world import at
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi import FastAPI
    from fastapi.dependencies.models import Dependant

    from local_airflow.embedded import Server
    from tests.include.reconciliation.world import World


def _asked(dependant: Dependant) -> Iterator[object]:
    for each in dependant.dependencies:
        yield each.call
        yield from _asked(each)


def _routes() -> list[APIRoute]:
    return [route for route in create_app().routes if isinstance(route, APIRoute)]


@pytest.mark.parametrize("route", _routes(), ids=lambda route: f"{sorted(route.methods)[0]} {route.path}")
def test_each_route_asks_for_a_reader_and_each_change_for_an_editor_on_the_page_itself(route: APIRoute) -> None:
    asked = set(_asked(route.dependant))
    assert require_reader in asked
    if route.methods != {"GET"}:
        assert require_same_origin in asked
        # Whoever may trigger a DAG need not be somebody who may edit another.
        assert require_editor in asked or (require_checker in asked and route.path == "/invoice")


def test_nothing_describes_the_app_to_others() -> None:
    assert {getattr(route, "path", None) for route in create_app().routes} & {
        "/docs",
        "/redoc",
        "/openapi.json",
    } == set()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 200),
        ("static/page.css", 200),
        ("static/page.js", 200),
        ("profiles", 200),
        ("nothing", 404),
        ("?profile=unknown", 404),
    ],
)
def test_every_answer_has_the_headers(client: TestClient, path: str, status: int) -> None:
    answer = client.get(f"/reconciliation/{path}")
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == ("no-store" if "static" not in path else
                                               "public, max-age=31536000, immutable")  # fmt: skip


def test_who_must_sign_in_first_is_told_so_in_the_pages_own_style() -> None:
    stranger = TestClient(create_app(), raise_server_exceptions=False)
    page = stranger.get("/")
    assert page.status_code == 401
    [style, script] = re.findall(r'(?:href|src)="([^"]*/static/[^"]+)"', page.text)
    assert stranger.get(style).headers["content-type"].startswith("text/css")
    assert stranger.get(script).status_code == 200
    assert stranger.get("/static/app.py").status_code == 404


@pytest.mark.parametrize(
    ("path", "is_of_one_profile"),
    [
        ("", True),
        ("dates/2026-11-20", True),
        ("breaks", True),
        ("breaks/1", True),
        ("invoice?key=b:1", True),
        ("invoices?find=4711", True),
        ("polls", True),
        ("sign-off/2026-11", True),
        ("profiles", False),
        ("nothing", False),
    ],
)
def test_a_page_has_no_script_or_style_of_its_own_and_names_the_clock_of_its_times(
    client: TestClient, page_app: FastAPI, ids: dict[str, int], path: str, is_of_one_profile: bool
) -> None:
    page_app.dependency_overrides[may_check] = lambda: True
    page = client.get(f"/reconciliation/{path}").text
    assert not re.search(r"<[^>]*\s(style|on\w+)\s*=", page)
    assert "<style" not in page
    assert page.count("<script") == page.count("<script src=") == 1
    assert len(re.findall(r"Profile default, shown [-\d]+ [\d:]+. Times are those of Europe/Helsinki.", page)) == (
        is_of_one_profile
    )
    assert page.count(" · default</title>") == is_of_one_profile


def test_no_file_beside_the_static_ones_is_served(client: TestClient) -> None:
    for path in ("static/..%2fapp.py", "static/app.py", "static/%2e%2e/app.py"):
        assert client.get(f"/reconciliation/{path}").status_code == 404


def test_a_parameter_that_is_none_is_an_error_that_names_it_and_does_not_repeat_it(client: TestClient) -> None:
    answer = client.get("/reconciliation/", params={"until": "<script>alert(1)</script>"})
    assert answer.status_code == 422
    assert "until: " in answer.text
    assert "alert(1)" not in answer.text


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("breaks?severity=x", "severity: expected &#39;low&#39;, &#39;medium&#39;, &#39;high&#39; or nothing."),
        ("breaks?category=matched", "category: expected a category of differences, such as missing_in_ledger."),
        ("breaks?text=%00", "text: it holds a character that cannot be searched for."),
        ("sign-off/2026-13", "month: expected a month as YYYY-MM, from 2000-01 to 2099-12."),
        ("sign-off?month=20260-1", "month: expected a month as YYYY-MM, from 2000-01 to 2099-12."),
        ("dates/x", "date: expected a date as YYYY-MM-DD."),
        ("dates/1999-12-31", "date: expected 2000-01-01 at least."),
        ("breaks/x", "break_id: expected a whole number."),
        ("breaks/0", "break_id: expected 1 at least."),
        ("dates", "date: it is missing."),
    ],
)
def test_a_value_that_is_none_is_told_in_words_under_its_own_name(client: TestClient, path: str, told: str) -> None:
    answer = client.get(f"/reconciliation/{path}")
    assert answer.status_code == 422
    assert f"<p>{told}</p>" in answer.text


@pytest.mark.parametrize("place", ["WyJhXHUwMDAwIiwiMSJd", "WyJcdWQ4MDAiLCIxIl0", "x", "WyIxIl0", "é"])
def test_a_place_in_a_list_that_the_list_did_not_make_is_refused(client: TestClient, place: str) -> None:
    answer = client.get("/reconciliation/breaks", params={"after": place})
    assert answer.status_code == 422
    assert "Start again from the overview" in answer.text


PICKER = re.compile(r'<form method="get" action="([^"]+)" class="picker">(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


def switched(client: TestClient, page: str) -> str:
    """The address to which the picker of profiles leads, redirects followed."""
    found = PICKER.search(page)
    assert found
    answer = client.get(found[1], params={**dict(HIDDEN.findall(found[2])), "profile": "other"})
    if answer.status_code == 303:
        location = str(answer.headers["location"])
        assert client.get(location).status_code == 200
        return location
    assert answer.status_code == 200, answer.text
    return str(answer.request.url.raw_path.decode())


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("", "?profile=other"),
        ("breaks?state=accepted", "breaks?profile=other"),
        ("breaks/1", "breaks?profile=other"),
        ("dates/2026-03-10?state=all", "dates/2026-03-10?profile=other"),
        ("dates/2020-03-10", "dates/2020-03-10?profile=other"),
        ("sign-off/2026-02", "sign-off/2026-02?profile=other"),
        ("polls?kind=date", "polls?profile=other"),
        ("profiles", "?profile=other"),
        ("invoice?key=b:7", "invoices?find=7&profile=other"),
        ("invoice?key=b:unknown", "invoices?find=unknown&profile=other"),
        ("invoices?find=7x", "invoices?find=7x&profile=other"),
    ],
)
def test_another_profile_is_shown_on_the_page_that_it_has_for_the_same(
    client: TestClient, page_app: FastAPI, world: World, two_profiles: None, path: str, leads_to: str
) -> None:
    page_app.dependency_overrides[may_check] = lambda: True
    world.comment("7", "98", "2026-03-05 09:00", seen=at("2026-03-05 10:00"))
    world.row("another")
    world.reconcile(datetime.date(2026, 3, 5))
    page = client.get(f"/reconciliation/{path}").text
    assert switched(client, page) == f"/reconciliation/{leads_to}"


@pytest.mark.parametrize(
    ("path", "form", "leads_to"),
    [
        ("breaks/1", {"what": "comment", "seen": "0"}, "breaks?profile=other"),
        ("breaks", {"what": "comment", "seen": "0"}, "breaks?profile=other"),
        ("sign-off/2026-02/sign", {"shown": "x"}, "sign-off/2026-02?profile=other"),
        (
            "dates/2026-02-10/incomplete",
            {"scope": "date", "month": "2026-02", "reconciliation": "1", "note": "x"},
            "sign-off/2026-02?profile=other",
        ),
    ],
)
def test_another_profile_can_be_chosen_on_the_page_of_a_refusal(
    client: TestClient, world: World, two_profiles: None, path: str, form: dict[str, str], leads_to: str
) -> None:
    world.comment("7", "98", "2026-03-05 09:00", seen=at("2026-03-05 10:00"))
    world.row("another")
    world.reconcile(datetime.date(2026, 3, 5))
    refused = client.post(f"/reconciliation/{path}", data=form, headers=SAME_ORIGIN)
    assert refused.status_code == 409
    assert switched(client, refused.text) == f"/reconciliation/{leads_to}"


def test_an_error_leads_back_to_the_same_profile(client: TestClient, page_app: FastAPI, two_profiles: None) -> None:
    page_app.dependency_overrides[may_check] = lambda: True
    assert 'href="/reconciliation/?profile=other"' in client.get("/reconciliation/breaks/7?profile=other").text
    assert 'href="/reconciliation/?profile=other"' in client.get("/reconciliation/invoice?profile=other").text
    assert 'href="/reconciliation/"' in client.get("/reconciliation/?profile=unknown").text
    assert 'href="/reconciliation/"' in client.get("/reconciliation/nothing").text


def test_no_choice_in_a_list_leaves_the_page_by_itself(client: TestClient) -> None:
    """Arrow keys change a select: what it does waits for its button."""
    script = client.get("/reconciliation/static/page.js").text
    assert "requestSubmit" not in script
    assert ".submit()" not in script
    assert "without-script" not in client.get("/reconciliation/static/page.css").text


def test_who_may_not_see_the_dag_sees_nothing(client: TestClient, page_app: FastAPI) -> None:
    page_app.dependency_overrides[may_read] = lambda: False
    answer = client.get("/reconciliation/")
    assert answer.status_code == 403
    assert "the right to see the DAG ropo_reconciliation" in answer.text


def test_a_store_that_is_not_there_is_a_page_that_says_what_to_do(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE")
    answer = client.get("/reconciliation/")
    assert answer.status_code == 503
    assert "Connection ropo_store does not exist: add it in the UI" in answer.text


@pytest.mark.parametrize(
    ("revision", "told"),
    [
        ("0001", "0001, this code needs"),
        ("0999", "0999, which this code does not have"),
    ],
)
def test_a_store_at_another_migration_names_what_mends_it(
    client: TestClient, store_connection: str, store_dsn: str, revision: str, told: str
) -> None:
    from contextlib import closing

    from include.status_store.database import connect

    with closing(connect(store_dsn)) as connection, connection.cursor() as cursor:
        cursor.execute("UPDATE ropo.alembic_version SET version_num = %s", (revision,))
        connection.commit()
    answer = client.get("/reconciliation/")
    assert answer.status_code == 503
    assert told in answer.text
    assert ("make migrate" in answer.text) == (revision == "0001")


def test_pages_read_in_transactions_that_can_write_nothing(store_connection: str) -> None:
    import psycopg2

    cursors = reading()
    assert isinstance(cursors, Generator)
    cursor = next(cursors)
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction):
        cursor.execute("DELETE FROM ropo.profile_pin")
    cursors.close()


def test_an_unforeseen_error_is_a_page_without_a_trace(
    page_app: FastAPI, store_connection: str, caplog: pytest.LogCaptureFixture
) -> None:
    @page_app.get("/failing")
    def failing() -> None:
        raise ValueError("a text of a customer")

    with TestClient(page_app) as client:
        answer = client.get("/failing")
    assert answer.status_code == 500
    assert "text of a customer" not in answer.text + caplog.text
    assert "ValueError" in caplog.text
    assert "test_app.py" in caplog.text
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_pages_are_read_by_the_reader_where_there_is_one(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, postgres: Server, store_name: str
) -> None:
    reader = {**postgres.airflow_connection(store_name, "nobody_of_this_name"), "password": "x"}
    monkeypatch.setenv("AIRFLOW_CONN_ROPO_STORE_READER", json.dumps(reader))
    answer = client.get("/reconciliation/")
    assert answer.status_code == 503
    assert "nobody_of_this_name" in answer.text
