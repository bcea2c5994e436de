"""The button *Test* of Airflow's UI: a token, never a poll, and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from airflow.models.connection import Connection as StoredConnection

from tests.plugins.ropo_one.conftest import APICODE, CID
from tests.plugins.ropo_one.scripted_server import ScriptedServer, answer, then_close

if TYPE_CHECKING:
    from ropo_one.hooks import RopoOneHook


def test_testing_the_connection_fetches_one_token_and_never_polls(hook: RopoOneHook, server: ScriptedServer) -> None:
    assert hook.test_connection() == (
        True,
        f"http://{server.address} gave a token for customer {CID}. Nothing was polled",
    )
    assert (len(server.tokens), server.polls) == (1, [])


@pytest.mark.parametrize("step", [answer(400, {"errorText": "no"}), answer(429), answer(500), then_close()])
def test_testing_a_connection_that_does_not_work_says_why_and_asks_once(
    hook: RopoOneHook, server: ScriptedServer, step: bytes
) -> None:
    server.tokens_will_be(step)
    works, text = hook.test_connection()
    assert not works
    # By no name: the button of the UI tests a copy, which has a random one.
    assert server.address.partition(":")[0] in text
    assert "ropo_one_default" not in text
    assert (len(server.tokens), server.polls) == (1, [])


def test_the_test_button_of_the_ui_never_polls(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = StoredConnection("pressed", "ropo_one", host=server.url, login=CID, password=APICODE)
    monkeypatch.setenv("AIRFLOW_CONN_PRESSED", stored.as_json())
    works, _ = stored.test_connection()  # type: ignore[no-untyped-call]  # Airflow's, without annotations
    assert works is True
    assert (len(server.tokens), server.polls) == (1, [])


def test_the_test_button_names_the_field_that_is_wrong_and_not_the_copy_that_it_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = StoredConnection("xkcdqw", "ropo_one", host="https://rc.ropo24.fi", login=CID)
    monkeypatch.setenv("AIRFLOW_CONN_XKCDQW", stored.as_json())
    told = stored.test_connection()  # type: ignore[no-untyped-call]  # Airflow's, without annotations
    assert told == (False, "API code (password) is empty")
