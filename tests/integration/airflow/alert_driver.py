"""Prepares a real Airflow for the tests of alerts, in a process of its own: started by the test beside it.

It runs the DAG ``told`` once in this process, makes the DAGs known to the scheduler, and makes a scheduled and a manual
run of ``in_time`` for the first business date that standard input names, a scheduled run of ``late`` for the second, as
of two days ago, and a manual run and one of a backfill of it for the third; both are past. Standard output is the state
of the run of ``told``.
"""

from __future__ import annotations

import datetime
import os
import sys

from local_airflow import paths


def main() -> None:
    """Do it."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from airflow.cli.cli_parser import get_parser
    from airflow.cli.commands.dag_command import dag_reserialize
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.sdk import timezone
    from airflow.utils.session import create_session
    from airflow.utils.state import DagRunState
    from airflow.utils.types import DagRunTriggeredByType, DagRunType

    folder = os.environ["AIRFLOW__CORE__DAGS_FOLDER"]
    date, yesterday, business_date = sys.stdin.read().split()
    bag = DagBag(dag_folder=folder)
    if bag.import_errors:
        raise SystemExit(str(bag.import_errors))
    told = bag.dags["told"].test(logical_date=None, run_conf={"date": business_date})
    dag_reserialize(get_parser().parse_args(["dags", "reserialize"]))
    with create_session() as session:
        for dag_id, key, run_types in (
            ("in_time", date, (DagRunType.SCHEDULED, DagRunType.MANUAL)),
            ("late", yesterday, (DagRunType.SCHEDULED,)),
            ("late", business_date, (DagRunType.BACKFILL_JOB, DagRunType.MANUAL)),
        ):
            dag = SerializedDagModel.get_dag(dag_id, session=session)
            assert dag is not None
            for run_type in run_types:
                run = dag.create_dagrun(
                    run_id=f"{run_type}__{key}",
                    run_type=run_type,
                    state=DagRunState.QUEUED,
                    triggered_by=DagRunTriggeredByType.TEST,
                    run_after=timezone.utcnow(),
                    partition_key=key,
                    session=session,
                )
                if key == yesterday:
                    assert run.queued_at is not None
                    run.queued_at -= datetime.timedelta(days=2)
    answers.write(str(told.state))
    answers.close()


if __name__ == "__main__":
    sys.path.insert(0, str(paths.ROOT))
    main()
