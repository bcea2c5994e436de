"""The link from a task to the reconciliation page."""

from __future__ import annotations

import datetime
from typing import Any, cast

import pytest

from ropo_one.links import ReconciliationLink
from ropo_one.operators.reconciliation import ReconciliationOperator, VerdictOperator

DATE = datetime.date(2026, 10, 25)


@pytest.fixture
def compare() -> ReconciliationOperator:
    """The task that compares, before it runs."""
    return ReconciliationOperator(task_id="compare", profile="north & south", reread_task_id="reread")


def test_it_leads_to_the_date_that_the_task_worked_on(compare: ReconciliationOperator) -> None:
    compare.worked_on = DATE
    address = ReconciliationLink().get_link(compare, ti_key=cast("Any", None))
    assert address == "/plugin/reconciliation/reconciliation/dates/2026-10-25?profile=north+%26+south"


def test_it_leads_to_the_very_reconciliation_that_the_run_recorded(compare: ReconciliationOperator) -> None:
    """The date's newest may be another run's, and is never a full comparison."""
    compare.worked_on, compare.recorded_as = DATE, 7
    address = ReconciliationLink().get_link(compare, ti_key=cast("Any", None))
    assert address == (
        "/plugin/reconciliation/reconciliation/dates/2026-10-25?profile=north+%26+south&reconciliation=7"
    )


def test_it_leads_to_the_overview_where_no_date_was_known(compare: ReconciliationOperator) -> None:
    address = ReconciliationLink().get_link(compare, ti_key=cast("Any", None))
    assert address == "/plugin/reconciliation/reconciliation/?profile=north+%26+south"


def test_it_keeps_a_deployments_sub_path(compare: ReconciliationOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://example.com/airflow/")
    address = ReconciliationLink().get_link(compare, ti_key=cast("Any", None))
    assert address.startswith("/airflow/plugin/reconciliation/reconciliation/")


def test_the_tasks_that_know_a_date_have_it() -> None:
    for operator in (ReconciliationOperator, VerdictOperator):
        assert [type(link) for link in operator.operator_extra_links] == [ReconciliationLink]
