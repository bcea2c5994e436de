"""A connection of Airflow's that is not there or cannot be read is told with what to do."""

from __future__ import annotations

import pytest

from ropo_one.exceptions import (
    RopoConnectionInvalidError,
)
from ropo_one.hooks import RopoOneHook


def test_a_connection_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(
        RopoConnectionInvalidError, match=r"Connection nowhere does not exist: add it .*AIRFLOW_CONN_NOWHERE"
    ) as told:
        RopoOneHook("nowhere").poll()
    # Airflow tells a look-up that failed for now from none that there is in its log alone.
    assert "Where it is there, the API server or the secrets backend did not answer" in str(told.value)


def test_a_connection_whose_variable_cannot_be_read_is_told_from_one_that_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UNREADABLE", "ropo-one://1000011:s3cret/rest@rc.ropo24.fi")
    with pytest.raises(
        RopoConnectionInvalidError,
        match=r"^Connection unreadable: AIRFLOW_CONN_UNREADABLE is set, but cannot be read: .*percent-encode",
    ) as no:
        RopoOneHook("unreadable").poll()
    assert "s3cret" not in str(no.value)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('{"conn_type": "ropo_one", "password": "s3cret",}', "it is no valid JSON: "),
        ('{"conn_type": "ropo_one", "password": "s3cret", "user": "1"}', "unknown field 'user' (its name is 'login')"),
        ('{"conn_type": "ropo_one", "password": "s3cret", "port": "s3cret"}', "port: expected a number"),
    ],
)
def test_a_variable_that_is_json_and_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, value: str, told: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_UNREADABLE", value)
    with pytest.raises(RopoConnectionInvalidError) as no:
        RopoOneHook("unreadable").poll()
    assert str(no.value).startswith(f"Connection unreadable: AIRFLOW_CONN_UNREADABLE: {told}")
    assert "s3cret" not in str(no.value)
