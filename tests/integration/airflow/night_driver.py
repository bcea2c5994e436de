"""Runs the project's own DAGs in a real Airflow, in a process of its own: started by the test beside it.

One run a line of standard input, JSON: ``{"dag_id": …, "key": …, "conf": {…}}``; with a key it is a *scheduled* run of
that business date. ``DAG.test`` only makes manual ones; its run is turned into a scheduled one before it starts.
One line of answer for each: the run's state and id, and the state of each task.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from local_airflow import paths


def main() -> None:
    """Do it."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from airflow.dag_processing.dagbag import DagBag
    from airflow.models import dagrun
    from airflow.utils.types import DagRunType

    make = dagrun.get_or_create_dagrun
    wanted: dict[str, Any] = {}

    def make_as_wanted(**how: Any) -> Any:
        run = make(**how)
        if wanted.get("key"):
            run.run_type, run.partition_key = DagRunType.SCHEDULED, wanted["key"]
            how["session"].commit()
        return run

    dagrun.get_or_create_dagrun = make_as_wanted
    bag = DagBag(dag_folder=os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    for line in sys.stdin:
        wanted = json.loads(line)
        dag = bag.dags[wanted["dag_id"]]
        dag.deadline = None  # Airflow 3.3.2: `test()` takes it for something else
        run = dag.test(logical_date=None, run_conf=wanted.get("conf", {}))
        tasks = {instance.task_id: str(instance.state) for instance in run.get_task_instances()}
        answers.write(json.dumps({"run_id": run.run_id, "state": str(run.state), "tasks": tasks}) + "\n")
    answers.close()


if __name__ == "__main__":
    sys.path.insert(0, str(paths.ROOT))
    main()
