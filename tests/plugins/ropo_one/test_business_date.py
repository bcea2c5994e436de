"""A run's business date is its partition key, else its param, and never two things at once."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from airflow.sdk.exceptions import AirflowFailException

from ropo_one.business_date import business_date

if TYPE_CHECKING:
    from airflow.sdk import Context

DAY = datetime.date(2026, 10, 25)


def run(key: str | None, param: object, *, scope: str = "date", run_type: str = "manual") -> Context:
    params = {"scope": scope} if param is None else {"scope": scope, "date": param}
    return cast("Context", {"dag_run": SimpleNamespace(partition_key=key, run_type=run_type), "params": params})


@pytest.mark.parametrize(
    ("key", "param"),
    [("2026-10-25", None), ("2026-10-25", ""), (None, "2026-10-25"), ("", "2026-10-25"), ("2026-10-25", "2026-10-25")],
)
def test_it_is_the_key_else_the_param(key: str | None, param: str | None) -> None:
    assert business_date(run(key, param)) == DAY


def test_a_param_that_differs_from_the_key_is_never_used() -> None:
    with pytest.raises(
        AirflowFailException, match=r"2026-10-25 \(its partition key\), but its param 'date' says 2026-10-26"
    ):
        business_date(run("2026-10-25", "2026-10-26"))


def test_a_run_without_either_has_none() -> None:
    expected = r"no business date: expected a partition key .* or the param 'date'; its logical date is not used"
    with pytest.raises(AirflowFailException, match=expected):
        business_date(run(None, None))


def test_a_backfill_in_full_is_refused() -> None:
    """The form of a backfill shows the param, and would have all invoices compared once for every date."""
    expected = r"of a backfill, but its param 'scope' says full.* Leave the param at date .*ropo_full_comparison"
    with pytest.raises(AirflowFailException, match=expected):
        business_date(run("2026-10-25", None, scope="full", run_type="backfill"))


@pytest.mark.parametrize(("scope", "run_type"), [("full", "manual"), ("full", "scheduled"), ("date", "backfill")])
def test_any_other_run_may_be_in_full(scope: str, run_type: str) -> None:
    assert business_date(run("2026-10-25", None, scope=scope, run_type=run_type)) == DAY


MALFORMED = ["2026-10-5", "20261025", "2026-W43-7", "2026-02-30", "2026-10-25T00:00:00", "25.10.2026", "now"]


@pytest.mark.parametrize("text", MALFORMED)
def test_a_malformed_one_is_refused_and_its_origin_named(text: str) -> None:
    with pytest.raises(AirflowFailException, match=r"\(partition key\): expected YYYY-MM-DD, got"):
        business_date(run(text, None))
    with pytest.raises(AirflowFailException, match=r"\(param 'date'\): expected YYYY-MM-DD, got"):
        business_date(run(None, text))


@pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31", "2100-01-01", "9999-12-31"])
def test_one_of_another_century_is_a_slip_and_refused(text: str) -> None:
    expected = rf"\(param 'date'\): expected a date from 2000-01-01 to 2099-12-31, got {text}"
    with pytest.raises(AirflowFailException, match=expected):
        business_date(run(None, text))


@pytest.mark.parametrize("text", ["2000-01-01", "2099-12-31"])
def test_the_century_has_its_first_and_last_day(text: str) -> None:
    assert business_date(run(text, None)).isoformat() == text
