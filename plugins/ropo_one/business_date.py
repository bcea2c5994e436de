"""The business date of a run."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from include.config.business_dates import FIRST_DATE, LAST_DATE, parse_date

if TYPE_CHECKING:
    from airflow.sdk import Context

DATE_PARAM = "date"
SCOPE_PARAM = "scope"
SCHEDULED = "scheduled"
BACKFILL = "backfill"
# For `allowed_run_types` of a DAG whose runs have no dates to pick: every kind of Airflow's but a backfill's, by name.
NO_BACKFILL: Any = (SCHEDULED, "manual", "operator_triggered", "asset_materialization")

# `start_date` of every scheduled DAG. Airflow gives a run with an earlier logical date no task and calls it a success:
# a run triggered with its business date as logical date would be one. It adds no runs, since catchup is off.
LONG_AGO = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def date_param() -> Param:
    """Return the param that :func:`business_date` reads."""
    return Param(
        None,
        type=["null", "string"],
        format="date",
        title="Business date",
        description="For a run by hand. Leave it empty in a backfill: each run has its own date there.",
    )


def business_date(context: Context) -> datetime.date:
    """Return the calendar date that a run is about: its partition key, else its ``date`` param.

    Airflow's logical date plays no part: runs with a partition key have none, and ``airflow dags test`` makes one up.

    :raises AirflowFailException: if neither is there, or both are and differ (the backfill form shows the params too,
        and would give them to every date); if one is no ``YYYY-MM-DD`` of this century; or if a backfill's ``scope`` is
        ``full``, which would compare all invoices once for every date.
    """
    run, params = context["dag_run"], context["params"]
    key, param = run.partition_key, params.get(DATE_PARAM)
    if params.get(SCOPE_PARAM) == "full" and run.run_type == BACKFILL:
        raise AirflowFailException(
            f"This run is one date ({key}) of a backfill, but its param '{SCOPE_PARAM}' says full: all invoices would "
            "be compared once for every date. Leave the param at date in a backfill; to compare all of them, trigger "
            "one run with that param, or ropo_full_comparison"
        )
    if key and param and key != param:
        raise AirflowFailException(
            f"This run is for business date {key} (its partition key), but its param '{DATE_PARAM}' says {param}. "
            "Leave the param empty in a backfill; to run another date, trigger a run with that param alone"
        )
    if not key and not param:
        raise AirflowFailException(
            "This run has no business date: expected a partition key (a scheduled run or a backfill) "
            f"or the param '{DATE_PARAM}'; its logical date is not used"
        )
    what = "partition key" if key else f"param '{DATE_PARAM}'"
    try:
        date = parse_date(str(key or param))
    except ValueError as error:
        raise AirflowFailException(f"The run's business date ({what}): {error}") from None
    if not FIRST_DATE <= date <= LAST_DATE:
        raise AirflowFailException(
            f"The run's business date ({what}): expected a date from {FIRST_DATE} to {LAST_DATE}, got {date}"
        )
    return date


def skip_unless_scheduled(context: Context) -> None:
    """Leave what is about other dates than the run's own to the scheduled runs: a backfill would repeat it a date.

    :raises AirflowSkipException: in any other run.
    """
    run_type = context["dag_run"].run_type
    if run_type != SCHEDULED:
        raise AirflowSkipException(f"Earlier dates are looked at in scheduled runs; this one is of type {run_type}")
