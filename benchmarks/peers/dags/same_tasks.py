"""
### As many tasks as `ropo_reconciliation` has, in the same order, that do nothing

What a date of a backfill costs in Airflow itself.
"""

from __future__ import annotations

import datetime
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, BaseOperator, Context, TriggerRule, task_group
from airflow.timetables.trigger import CronPartitionTimetable


class NothingOperator(BaseOperator):
    """Started as any task is (Airflow never starts an `EmptyOperator`)."""

    template_fields = ("profile",)

    def __init__(self, *, profile: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.profile = profile

    def execute(self, context: Context) -> None:
        pass


class NamesOperator(BaseOperator):
    """What the group is mapped over."""

    def execute(self, context: Context) -> list[str]:  # noqa: ARG002 - Airflow's signature
        return ["default"]


with DAG(
    dag_id="same_tasks",
    schedule=CronPartitionTimetable("0 0 * * *", timezone="Europe/Helsinki", run_offset=-1, key_format="%Y-%m-%d"),
    start_date=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    catchup=False,
    max_active_runs=16,
) as dag:

    @task_group
    def profile(name: str) -> None:
        settle, reread, compare, verdict, reread_earlier, recheck = (
            NothingOperator(task_id=each, profile=name)
            for each in ("settle", "reread", "compare", "verdict", "reread_earlier", "recheck")
        )
        settle >> reread >> compare >> verdict
        reread >> reread_earlier
        [compare, reread_earlier] >> recheck

    profile.expand(name=NamesOperator(task_id="profiles").output)
    earlier = [each for each in dag.tasks if each.downstream_task_ids]
    earlier >> EmptyOperator(task_id="outcome", trigger_rule=TriggerRule.NONE_FAILED)
