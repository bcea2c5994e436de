"""Waiting gives what came about, or says what there was instead."""

from __future__ import annotations

import pytest

from local_airflow.waiting import until


def test_it_gives_what_came_about() -> None:
    looks = iter([[], [], ["a row"]])
    assert until(lambda: next(looks)) == ["a row"]


def test_it_says_what_there_is_where_it_does_not_come_about() -> None:
    with pytest.raises(TimeoutError, match=r"^not true within 0.01 s: two of three$"):
        until(lambda: False, seconds=0.01, instead=lambda: "two of three")
