"""A task instance, as Airflow gives it to an operator, and what it says of the run's earlier tasks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def task_instance(
    returned: dict[str, Any], *, states: dict[str, str | None] | None = None, map_index: int = 0, **fields: Any
) -> SimpleNamespace:
    """An instance of a mapped task.

    :param returned: what Airflow has kept of what each task returned, by task id.
    :param states: of tasks that did not succeed, by task id.
    """
    known = {"dag_id": "ropo_reconciliation", "run_id": "the_run", "map_index": map_index, **fields}

    def get_task_states(
        dag_id: str, *, map_index: int, task_ids: list[str], run_ids: list[str]
    ) -> dict[str, dict[str, str | None]]:
        assert (dag_id, map_index, run_ids) == (known["dag_id"], known["map_index"], [known["run_id"]])
        # The keys are those of Airflow's API.
        found = {f"{each}_{map_index}": (states or {}).get(each, "success") for each in task_ids if each in returned}
        return {known["run_id"]: found} if found else {}

    def xcom_pull(*, task_ids: str, map_indexes: int) -> Any:
        assert map_indexes == known["map_index"]
        return returned.get(task_ids)

    return SimpleNamespace(**known, get_task_states=get_task_states, xcom_pull=xcom_pull)
