"""The business date of a run."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from airflow.sdk.exceptions import AirflowFailException

if TYPE_CHECKING:
    from airflow.sdk import Context

PARAM = "date"


def business_date(context: Context) -> datetime.date:
    """Return the calendar date that a run is about: its partition key, else its ``date`` param.

    Airflow's logical date plays no part: runs with a partition key have none, and ``airflow dags test`` makes one up.

    :raises AirflowFailException: where neither is there, where both are and differ (the backfill form shows the param
        too, and would give it to every date), or where one is no ``YYYY-MM-DD``.
    """
    key = context["dag_run"].partition_key
    param = context["params"].get(PARAM)
    if key and param and key != param:
        raise AirflowFailException(
            f"This run is for business date {key} (its partition key), but its param '{PARAM}' says {param}. "
            "Leave the param empty in a backfill; to run another date, trigger a run with that param alone"
        )
    if not key and not param:
        raise AirflowFailException(
            f"This run has no business date: expected a partition key (a scheduled run or a backfill) or the param '{PARAM}'"
        )
    return _parsed(key, "partition key") if key else _parsed(str(param), f"param '{PARAM}'")


def _parsed(text: str, what: str) -> datetime.date:
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        date = None
    if date is None or date.isoformat() != text:
        raise AirflowFailException(f"{what}: expected a business date YYYY-MM-DD, got {text!r}")
    return date
