"""February of the page's store, and what people do with it: what the tests of its sign-off share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.plugins.reconciliation_page.conftest import SAME_ORIGIN

if TYPE_CHECKING:
    from fastapi.testclient import TestClient
    from httpx import Response
    from psycopg2.extensions import connection as Connection


MONTH = "2026-02"
PATH = f"/reconciliation/sign-off/{MONTH}"


def settle(client: TestClient, store: Connection, note: str = "known") -> None:
    """Meet the conditions: each break is accepted with a note, and the date that is incomplete as such."""
    with store.cursor() as cursor:
        cursor.execute("SELECT array_agg(break_id) FROM ropo.reconciliation_break")
        (ids,) = cursor.fetchone() or ([],)
    form = {"what": "accept", "note": note, "seen": "0", "break_id": ids}
    assert client.post("/reconciliation/breaks", data=form, headers=SAME_ORIGIN).status_code == 303
    with store.cursor() as cursor:
        cursor.execute("SELECT max(reconciliation_id) FROM ropo.reconciliation WHERE verdict = 'incomplete'")
        (shown,) = cursor.fetchone() or (0,)
    form = {"scope": "date", "month": MONTH, "note": "the queue was read elsewhere", "reconciliation": shown}
    page = client.get(PATH).text
    assert f'name="reconciliation" value="{shown}"' in page
    assert client.post("/reconciliation/dates/2026-02-04/incomplete", data=form, headers=SAME_ORIGIN).status_code == 303


def shown(client: TestClient) -> str:
    """What the form of the signature says that its page has shown; empty where the page has no such form."""
    return "".join(re.findall(r'name="shown" value="([0-9a-f]+)"', client.get(PATH).text))


def put(client: TestClient, signature: str, note: str = "", seen: str | None = None) -> Response:
    """Send the form of a signature, as the page has it or as it had it before."""
    form = {"note": note, "shown": shown(client) if seen is None else seen}
    answer: Response = client.post(f"{PATH}/{signature}", data=form, headers=SAME_ORIGIN)
    return answer
