"""What an earlier task returned counts where it succeeded, and not where Airflow still has it of a try before."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from ropo_one.upstream import returned_by
from tests.plugins.ropo_one.earlier_tasks import task_instance

if TYPE_CHECKING:
    from airflow.sdk import Context

REREAD = {"poll_id": 7}


def context(state: str | None) -> Context:
    return cast("Context", {"ti": task_instance({"reread": REREAD}, states={"reread": state})})


def test_it_is_what_the_task_returned() -> None:
    assert returned_by("reread", context("success")) == REREAD


@pytest.mark.parametrize("state", ["failed", "upstream_failed", "skipped", "removed", "running", None])
def test_it_is_nothing_where_the_task_did_not_succeed_though_airflow_has_what_an_earlier_try_returned(
    state: str | None,
) -> None:
    assert returned_by("reread", context(state)) is None


def test_it_is_nothing_where_the_run_has_no_such_task() -> None:
    assert returned_by("another", context("success")) is None
