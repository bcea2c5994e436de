"""A signed month that rests on two differences, of which one is open again, with a note as long as a test has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user

from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN
from tests.plugins.reconciliation_page.month import put, settle

if TYPE_CHECKING:
    from fastapi import FastAPI
    from fastapi.testclient import TestClient
    from psycopg2.extensions import connection as Connection

USER = "anna.korhonen@example.com"
AMOUNT = "1234567.89"


def sign(app: FastAPI, client: TestClient, store: Connection, note: str) -> None:
    """Sign the month of the fixture ``month``, whose breaks a user of a name of some length has accepted."""
    app.dependency_overrides[get_user] = lambda: SimpleAuthManagerUser(username=USER, role="ADMIN")
    with store.cursor() as cursor:
        cursor.execute(
            "UPDATE ropo.reconciliation_break "
            "SET billnum = '2100064' || substr(invoice_key, 3), jobid = '90000001', amount = %s, "
            "evidence = jsonb_build_object('currency', currency, 'ropo_paid', %s)",
            (AMOUNT, AMOUNT),
        )
    settle(client, store, note)
    with store.cursor() as cursor:
        cursor.execute("SELECT max(break_id) FROM ropo.reconciliation_break")
        (break_id,) = cursor.fetchone() or (0,)
    assert put(client, "sign").status_code == 303
    form = {"what": "reopen", "note": "mistaken", "seen": "99"}
    assert client.post(f"/reconciliation/breaks/{break_id}", data=form, headers=SAME_ORIGIN).status_code == 303
