"""
### As many tasks as `ropo_reconciliation` has, in the same order, that do nothing

What a date of a backfill costs in Airflow itself.
"""

from __future__ import annotations

import datetime
from typing import Any

from airflow.sdk import DAG, BaseOperator, Context, task_group
from airflow.timetables.trigger import CronPartitionTimetable


class NothingOperator(BaseOperator):
    """Started as any task is (Airflow never starts an `EmptyOperator`)."""

    def __init__(self, *, profile: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.profile = profile

    def execute(self, context: Context) -> None:
        pass


with DAG(
    dag_id="same_tasks",
    schedule=CronPartitionTimetable("0 0 * * *", timezone="Europe/Helsinki", run_offset=-1, key_format="%Y-%m-%d"),
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    catchup=False,
    max_active_runs=16,
):

    @task_group
    def profile(name: str) -> None:
        settle, reread, compare, verdict, reread_earlier, recheck = (
            NothingOperator(task_id=each, profile=name)
            for each in ("settle", "reread", "compare", "verdict", "reread_earlier", "recheck")
        )
        settle >> reread >> compare >> verdict
        reread >> reread_earlier
        [compare, reread_earlier] >> recheck

    profile.expand(name=["default"])
