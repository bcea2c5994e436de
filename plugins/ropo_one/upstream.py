"""What an earlier task of the run returned, where that still holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import TaskInstanceState

if TYPE_CHECKING:
    from airflow.sdk import Context


def returned_by(task_id: str, context: Context) -> Any:
    """Return what a task of this run, of the same map index, returned; None where it did not succeed, or not again.

    Airflow removes what a task returned only when it starts the task anew. Of one that was cleared and then failed
    before its process began (killed in the queue, marked by hand) it would still hand out what an earlier try returned.
    """
    instance = context["ti"]
    states = instance.get_task_states(
        instance.dag_id, map_index=instance.map_index, task_ids=[task_id], run_ids=[instance.run_id]
    )
    if [*states.get(instance.run_id, {}).values()] != [TaskInstanceState.SUCCESS]:
        return None
    return instance.xcom_pull(task_ids=task_id, map_indexes=instance.map_index)
