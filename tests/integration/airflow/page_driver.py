"""Airflow's own API app with the plugin in it, asked as several users; prints the statuses as JSON.

It gets the auth manager by Airflow's settings and on standard input: ``{"users": {name: role}, "break_id": id}``. The
last of the users asks both sides about invoice 1 again, too, looks for that run on the pages of invoices 1 and 2, and
goes from a comment that came after the session to Airflow's login.
"""

from __future__ import annotations

import html
import json
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urljoin, urlsplit

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import Response

PASSWORD = "pass-word-of-a-test"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}
INVOICE = "/reconciliation/invoice?key=b:1"
AIRFLOW = os.environ["AIRFLOW__API__BASE_URL"]
IS_FAB = "fab" in os.environ["AIRFLOW__CORE__AUTH_MANAGER"].lower()
# What the API server's own entry point sets: connections come from the metadata database too.
os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"


def main() -> None:
    asked = json.load(sys.stdin)
    if not IS_FAB:
        passwords = Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
        passwords.write_text(json.dumps(dict.fromkeys(asked["users"], PASSWORD)), encoding="utf-8")

    from airflow.api_fastapi.app import create_app
    from fastapi.testclient import TestClient

    if IS_FAB:
        make_users(asked["users"])
    make_known("ropo_invoice_check.py")
    app = create_app(apps="core")
    with TestClient(app, base_url=AIRFLOW, follow_redirects=False) as client:
        found: dict[str, object] = {"nobody": ask(client, {}, {}, asked["break_id"])}
        found["forged"] = ask(client, {}, {"_token": "forged"}, asked["break_id"])
        for name in asked["users"]:
            answer = client.post("/auth/token", json={"username": name, "password": PASSWORD})
            token = answer.json()["access_token"]
            found[name] = ask(client, {"Authorization": f"Bearer {token}"}, {}, asked["break_id"])
            by_cookie = ask(client, {}, {"_token": token}, asked["break_id"])
            found[f"{name} by cookie"] = by_cookie
            headers = {"Authorization": f"Bearer {token}"}
            plugins = client.get("/api/v2/plugins", headers=headers)
            if plugins.status_code == 200:
                views = [view for plugin in plugins.json()["plugins"] for view in plugin["external_views"]]
                found["views"] = [[view["name"], view["href"], view["url_route"]] for view in views]
        client.cookies.clear()
        found["asked again"] = ask_again(client, headers)
        found["signed in"] = sign_in(client, name, asked["break_id"])
    sys.stdout.write(f"{json.dumps(found)}\n")


def make_users(users: dict[str, str]) -> None:
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as builder:
        manager = builder.sm
        manager.sync_roles()
        for name, role in users.items():
            if manager.find_user(name) is None:
                mail = f"{name}@example.com"
                manager.add_user(name, name, "Test", mail, manager.find_role(role), password=PASSWORD)


def make_known(file: str) -> None:
    """Make Airflow know the DAGs of one of the project's files, as its DAG processor does."""
    from airflow.dag_processing.bundles.manager import DagBundlesManager
    from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db

    bundles = DagBundlesManager()  # type: ignore[no-untyped-call]  # Airflow's, without annotations
    bundles.sync_bundles_to_db()
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    sync_bag_to_db(DagBag(dag_folder=folder / file, bundle_path=folder), "dags-folder", None)


def ask_again(client: TestClient, headers: dict[str, str]) -> list[str]:
    """Return the id of the run that it came to, and what the pages of its invoice and of another one say of the run."""
    page = client.post(INVOICE, headers={**headers, **SAME_ORIGIN}).headers["location"]
    (run_id,) = parse_qs(urlsplit(page).query)["run"]
    pages = [urljoin(AIRFLOW, path) for path in (page, page.replace("b%3A1", "b%3A2"))]
    return [run_id, *(client.get(path, headers=headers).text for path in pages)]


def sign_in(client: TestClient, name: str, break_id: int) -> dict[str, str]:
    """Return where the login stands and, with FAB, whose form needs no script, where one stands who has signed in."""
    client.cookies.clear()
    form = {"what": "comment", "note": "after the session", "seen": "0"}
    path = f"/reconciliation/breaks/{break_id}?profile=default"
    refused = client.post(path, data=form, headers=SAME_ORIGIN).text
    (way,) = re.findall(r'href="([^"]*)">Sign in to Airflow<', refused)
    login = follow(client, client.get(urljoin(AIRFLOW, html.unescape(way))))
    found = {"login": stands_at(login)}
    if IS_FAB:
        (token,) = re.findall(r'name="csrf_token" type="hidden" value="([^"]*)"', login.text)
        credentials = {"username": name, "password": PASSWORD, "csrf_token": token}
        found["page"] = stands_at(follow(client, client.post(login.url, data=credentials)))
    return found


def follow(client: TestClient, answer: Response) -> Response:
    """Follow redirects, whose paths are the server's and not under the client's own."""
    while answer.is_redirect:
        answer = client.get(answer.url.join(answer.headers["location"]))
    return answer


def stands_at(answer: Response) -> str:
    return f"{answer.status_code} {answer.url}"


def ask(client: TestClient, headers: dict[str, str], cookies: dict[str, str], break_id: int) -> dict[str, int]:
    """Return the statuses of reading, of a static file, and of changes with and without the same origin."""
    client.cookies.clear()
    for name, value in cookies.items():
        client.cookies.set(name, value)
    form = {"what": "comment", "note": "seen", "seen": "0"}
    path = f"/reconciliation/breaks/{break_id}"
    return {
        "read": client.get("/reconciliation/", headers=headers).status_code,
        "static": client.get("/reconciliation/static/page.css", headers=headers).status_code,
        "export": client.get("/reconciliation/dates/2026-11-20/items.csv", headers=headers).status_code,
        "change": client.post(path, data=form, headers={**headers, **SAME_ORIGIN}).status_code,
        "check": client.post(INVOICE, headers={**headers, **SAME_ORIGIN}).status_code,
        "other origin": client.post(path, data=form, headers={**headers, "Sec-Fetch-Site": "cross-site"}).status_code,
    }


main()
