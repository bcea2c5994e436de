"""What was written in a form that failed is shown again, and signing in leads back to where it was written."""

from __future__ import annotations

import asyncio
import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urljoin, urlsplit

import psycopg2
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from reconciliation_page import PREFIX
from reconciliation_page.access import may_change, may_read
from reconciliation_page.app import create_app
from reconciliation_page.headers import CONTENT_SECURITY_POLICY
from reconciliation_page.parameters import NOTE_LENGTH
from reconciliation_page.stores import StoreBusyError, reading
from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableMapping
    from pathlib import Path

    from httpx import Response

NOTE = "Agreed with <b>Ada</b> & co:\nthe bank's fee"
# Of each form with a note: its address, what else it sends, and the page on which it stands.
FORMS = [
    ("breaks?state=accepted&text=a+b%26c", {"what": "reopen", "seen": "777", "break_id": "888"}, "Breaks"),
    ("breaks/1", {"what": "comment", "seen": "777"}, "Break 1"),
    ("sign-off/2026-02/sign", {"shown": "777"}, "Sign-off of 2026-02"),
    ("sign-off/2026-02/countersign", {"shown": "777"}, "Sign-off of 2026-02"),
    (
        "dates/2026-02-04/incomplete",
        {"scope": "date", "month": "2026-02", "reconciliation": "777"},
        "Sign-off of 2026-02",
    ),
    ("polls/doubts/1", {}, "Polls"),
    ("polls/rows/1", {}, "Polls"),
]
TEXTAREA = re.compile(r"<textarea([^>]*)>(.*?)</textarea>", re.DOTALL)
SIGN_IN = re.compile(r'<a class="button" target="_top" href="([^"]*)">Sign in to Airflow</a>')


@pytest.fixture(autouse=True)
def _may_fail(client: TestClient) -> None:
    client.event_hooks = {}


@pytest.fixture(scope="module")
def locked() -> FastAPI:
    """The page's app as Airflow has it, where nobody has logged in."""
    return create_app()


@pytest.fixture
def stranger(locked: FastAPI) -> Iterator[TestClient]:
    """Somebody whose session has ended."""
    server = FastAPI()
    server.mount(PREFIX, locked)
    with TestClient(server, base_url="http://airflow/", follow_redirects=False) as client:
        yield client


def shown_note(answer: Response) -> str | None:
    """The note that a page shows to be copied."""
    found = TEXTAREA.search(answer.text)
    assert found is None or "readonly" in found[1].split()
    return html.unescape(found[2]) if found else None


def way_back(answer: Response, airflow: str = "") -> str:
    """Where the link to sign in leads once that is done."""
    assert answer.status_code == 401
    found = SIGN_IN.search(answer.text)
    assert found
    login = urlsplit(html.unescape(found[1]))
    assert (login.scheme, login.netloc, login.path) == ("", "", f"{airflow}/api/v2/auth/login")
    assert list(parse_qs(login.query)) == ["next"]
    return parse_qs(login.query)["next"][0]


def test_each_form_with_a_note_is_among_those_that_are_tested() -> None:
    taking = {
        route.path
        for route in create_app().routes
        if isinstance(route, APIRoute) and "POST" in route.methods and route.body_field
    }
    matched = {route for route in taking for path, _, _ in FORMS if _matches(route, path)}
    assert matched == taking


def _matches(route: str, path: str) -> bool:
    return bool(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route), f"/{urlsplit(path).path}"))


@pytest.mark.parametrize(("path", "form", "_title"), FORMS)
def test_the_note_of_a_form_is_shown_again_to_be_copied_and_nothing_else_of_it(
    stranger: TestClient, path: str, form: dict[str, str], _title: str
) -> None:
    answer = stranger.post(f"{PREFIX}/{path}", data={**form, "note": NOTE, "other": "999"}, headers=SAME_ORIGIN)
    assert answer.status_code == 401
    assert shown_note(answer) == NOTE
    assert "<b>" not in answer.text
    assert "Nothing was changed" in answer.text
    assert "Copy your note before you sign in" in answer.text
    assert not re.search("777|888|999", answer.text)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://airflow"},
        {"Origin": "http://other.example"},
        {"Origin": "null"},
        {"Referer": f"http://airflow{PREFIX}/breaks/1"},
        {},
    ],
)
def test_what_another_site_may_have_sent_is_not_shown(stranger: TestClient, headers: dict[str, str]) -> None:
    form = {"what": "comment", "seen": "0", "note": "pay to another account"}
    answer = stranger.post(f"{PREFIX}/breaks/1", data=form, headers=headers)
    assert answer.status_code == 401
    assert shown_note(answer) is None
    assert "another account" not in answer.text
    assert "Nothing was changed" in answer.text
    assert "your note" not in answer.text.lower()


def failing_with(error: Exception) -> Callable[[], None]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize(("path", "form", "_title"), FORMS)
def test_a_note_outlasts_a_store_that_is_away(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, path: str, form: dict[str, str], _title: str
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE")
    answer = client.post(f"{PREFIX}/{path}", data={**form, "note": NOTE, "other": "999"}, headers=SAME_ORIGIN)
    assert answer.status_code == 503
    assert shown_note(answer) == NOTE
    assert "<b>" not in answer.text
    assert "Copy your note before you leave this page" in answer.text
    assert not re.search("777|888|999", answer.text)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (psycopg2.OperationalError("the server restarts"), 503),
        (psycopg2.errors.QueryCanceled("it took too long"), 503),
        (psycopg2.DataError("no such value"), 422),
        (StoreBusyError(), 503),
        (ValueError("nobody has foreseen it"), 500),
    ],
    ids=repr,
)
def test_a_note_outlasts_whatever_the_store_says(
    client: TestClient, page_app: FastAPI, error: Exception, status: int
) -> None:
    page_app.dependency_overrides[reading] = failing_with(error)
    form = {"what": "comment", "seen": "777", "note": NOTE}
    answer = client.post(f"{PREFIX}/breaks/1", data=form, headers=SAME_ORIGIN)
    assert (answer.status_code, shown_note(answer)) == (status, NOTE)
    assert "777" not in answer.text


def test_a_note_outlasts_a_mistake_in_the_configuration(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "profiles.yaml").write_text("profiles: none", encoding="utf-8")
    monkeypatch.setenv("ROPO_PROFILES_FILE", str(tmp_path / "profiles.yaml"))
    form = {"what": "comment", "seen": "0", "note": NOTE}
    answer = client.post(f"{PREFIX}/breaks/1", data=form, headers=SAME_ORIGIN)
    assert (answer.status_code, shown_note(answer)) == (500, NOTE)
    assert "The configuration has a mistake" in answer.text


@pytest.mark.parametrize(
    ("path", "seen", "status"),
    [("breaks/1?profile=gone", "0", 404), ("breaks/1", "0", 404), ("breaks/1", "x", 422), ("breaks/0", "0", 422)],
    ids=["the profile has left the file", "no such break", "a value is not valid", "an address is not valid"],
)
def test_a_note_outlasts_a_form_that_is_refused(client: TestClient, path: str, seen: str, status: int) -> None:
    form = {"what": "comment", "seen": seen, "note": NOTE}
    answer = client.post(f"{PREFIX}/{path}", data=form, headers=SAME_ORIGIN)
    assert (answer.status_code, shown_note(answer)) == (status, NOTE)


@pytest.mark.parametrize("right", [may_change, may_read])
def test_a_note_outlasts_a_right_that_was_taken_away(
    client: TestClient, page_app: FastAPI, right: Callable[..., bool]
) -> None:
    page_app.dependency_overrides[right] = lambda: False
    form = {"what": "comment", "seen": "0", "note": NOTE}
    answer = client.post(f"{PREFIX}/breaks/1", data=form, headers=SAME_ORIGIN)
    assert (answer.status_code, shown_note(answer)) == (403, NOTE)


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("error", [psycopg2.OperationalError("away"), ValueError("not foreseen")], ids=repr)
def test_nor_does_a_failure_show_what_another_site_may_have_sent(
    client: TestClient, page_app: FastAPI, headers: dict[str, str], error: Exception
) -> None:
    page_app.dependency_overrides[may_read] = failing_with(error)
    form = {"what": "comment", "seen": "0", "note": "pay to another account"}
    answer = client.post(f"{PREFIX}/breaks/1", data=form, headers=headers)
    assert answer.status_code in (500, 503)
    assert shown_note(answer) is None
    assert "another account" not in answer.text


def test_a_page_that_failed_without_a_form_has_no_note(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_ROPO_STORE")
    for answer in (
        client.get(f"{PREFIX}/breaks?note=pay+to+another+account"),
        client.post(f"{PREFIX}/polls/replay", data={"note": NOTE}, headers=SAME_ORIGIN),
    ):
        assert (answer.status_code, shown_note(answer)) == (503, None)
        assert "your note" not in answer.text.lower()


def test_a_form_that_cannot_be_read_is_a_page_all_the_same(client: TestClient) -> None:
    headers = {**SAME_ORIGIN, "Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post(f"{PREFIX}/breaks/1", content=b"--y\r\nno part of it", headers=headers)
    assert (answer.status_code, shown_note(answer)) == (400, None)


def test_a_browser_that_names_the_origin_alone_gets_its_note_back(stranger: TestClient) -> None:
    form = {"what": "comment", "seen": "0", "note": NOTE}
    answer = stranger.post(f"{PREFIX}/breaks/1", data=form, headers={"Origin": "http://airflow"})
    assert shown_note(answer) == NOTE


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("n" * (NOTE_LENGTH + 500), "n" * NOTE_LENGTH),
        ("\r\n".join("n" * (NOTE_LENGTH // 2)) + "\r\n", "\n".join("n" * (NOTE_LENGTH // 2)) + "\n"),
        (" \r\n", None),
        ("", None),
    ],
    ids=["longer than a note may be", "as long as it may be, in many lines", "blank", "empty"],
)
def test_a_note_is_shown_as_long_as_it_may_be(stranger: TestClient, sent: str, shown: str | None) -> None:
    form = {"what": "comment", "seen": "0", "note": sent}
    assert shown_note(stranger.post(f"{PREFIX}/breaks/1", data=form, headers=SAME_ORIGIN)) == shown


def test_a_file_in_place_of_a_note_is_not_shown(stranger: TestClient) -> None:
    files = {"note": ("note.txt", b"of a file")}
    answer = stranger.post(f"{PREFIX}/breaks/1", data={"what": "comment"}, files=files, headers=SAME_ORIGIN)
    assert answer.status_code == 401
    assert "of a file" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [("POST", "/polls/replay", b""), ("POST", "/invoice", b"key=b:1"), ("GET", "/breaks", b"")],
)
def test_nothing_is_read_that_a_stranger_sends_where_no_form_is_taken(method: str, path: str, query: bytes) -> None:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        raise AssertionError("it was read")

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "query_string": query,
        "headers": [
            (b"host", b"airflow"),
            (b"sec-fetch-site", b"same-origin"),
            (b"content-type", b"application/x-www-form-urlencoded"),
        ],
    }
    asyncio.run(create_app()(scope, receive, send))
    assert sent[0]["status"] == 401


@pytest.mark.parametrize(("path", "form", "title"), [*FORMS, ("polls/replay", {}, "Polls")])
def test_signing_in_leads_back_from_a_form_to_the_page_that_held_it(
    client: TestClient,
    stranger: TestClient,
    ids: dict[str, int],
    path: str,
    form: dict[str, str],
    title: str,
) -> None:
    answer = stranger.post(f"{PREFIX}/{path}", data={**form, "note": NOTE}, headers=SAME_ORIGIN)
    back = way_back(answer)
    assert back == f"{PREFIX}/{path}"
    page = client.get(back, follow_redirects=True)
    assert page.status_code == 200
    assert f"<title>{title} · default</title>" in page.text


@pytest.mark.parametrize(
    "address",
    [
        "",
        "?profile=default",
        "breaks?state=accepted&text=a%2Bb%26c+d%25&profile=default",
        "breaks?text=&text=twice",
        "breaks/7",
        "dates/2026-03-10/items.csv",
        "invoice?key=b%3A%2F..%2F%C3%A4%23%3F",
        "invoices/b%3A4711",
    ],
)
def test_signing_in_leads_back_to_the_page_that_was_asked_for(stranger: TestClient, address: str) -> None:
    asked = urlsplit(way_back(stranger.get(f"{PREFIX}/{address}")))
    wanted = urlsplit(f"{PREFIX}/{address}")
    assert asked.path == wanted.path
    assert parse_qs(asked.query, keep_blank_values=True) == parse_qs(wanted.query, keep_blank_values=True)


@pytest.mark.parametrize(
    "path",
    [
        "invoices/..%2F..%2Fauth%2Flogout",
        "invoices/%2E%2E%2F%2E%2E%2Fauth%2Flogout",
        "invoices/%2F%2Fother.example",
        "invoices/%5C%5Cother.example",
        "invoices/x%3Fnext=%2F%2Fother.example%23",
        "invoices/x%0D%09%20x",
        "?next=https%3A%2F%2Fother.example&profile=%2F%2Fother.example",
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Host": "other.example", "Referer": "https://other.example/x"}])
def test_no_address_makes_signing_in_lead_elsewhere(stranger: TestClient, path: str, headers: dict[str, str]) -> None:
    back = way_back(stranger.get(f"{PREFIX}/{path}", headers=headers))
    assert back.startswith(f"{PREFIX}/")
    assert not re.search(r"[\\\s]", back)
    # As a browser reads it: dots taken out.
    led = urlsplit(urljoin("http://airflow/", back))
    assert led.netloc == "airflow"
    assert led.path.startswith(f"{PREFIX}/")


def test_signing_in_leads_back_under_the_path_that_airflow_has() -> None:
    server = FastAPI(root_path="/a/flow")
    server.mount(PREFIX, create_app())
    with TestClient(server, base_url="http://airflow/a/flow/") as client:
        back = way_back(client.get("reconciliation/breaks?state=accepted"), airflow="/a/flow")
        assert back == f"/a/flow{PREFIX}/breaks?state=accepted"
        form = {"what": "comment", "seen": "0", "note": NOTE}
        answer = client.post("reconciliation/breaks/1", data=form, headers=SAME_ORIGIN)
        assert way_back(answer, airflow="/a/flow") == f"/a/flow{PREFIX}/breaks/1"
        assert shown_note(answer) == NOTE
