"""The last task of a DAG, by which its runs are red."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule

if TYPE_CHECKING:
    from airflow.sdk import DAG


def end_with_outcome(dag: DAG) -> None:
    """Let the task ``outcome`` follow each task that others come after.

    A run is red by its last tasks, and those run whatever became of the earlier ones. Airflow starts no process for
    this one.
    """
    earlier = [task for task in dag.tasks if task.downstream_task_ids]
    earlier >> EmptyOperator(task_id="outcome", trigger_rule=TriggerRule.NONE_FAILED, dag=dag)
