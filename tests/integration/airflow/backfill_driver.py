"""Creates backfills in a real Airflow metadata database, in a process of its own: started by the tests beside it.

Standard input is JSON: ``{"dag_id": [from, to], …}``. Standard output ends with one line of JSON: for each DAG the
partition keys of its backfill's runs, and its next scheduled run before and after, as the DAG processor then writes it.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
from typing import Any


def main() -> None:
    """Do what standard input asks for."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from airflow.cli.cli_parser import get_parser
    from airflow.cli.commands.dag_command import dag_reserialize
    from airflow.models.backfill import NoBackfillRunsToCreate, ReprocessBehavior, _create_backfill
    from airflow.models.dag import DagModel
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    def parse_dags() -> None:
        dag_reserialize(get_parser().parse_args(["dags", "reserialize"]))

    def iso(moment: datetime.datetime | None) -> str:
        assert moment is not None
        return moment.isoformat()

    def next_runs() -> dict[str, Any]:
        with create_session() as session:
            return {
                dag.dag_id: [dag.next_dagrun_partition_key, iso(dag.next_dagrun_create_after)]
                for dag in session.scalars(select(DagModel))
            }

    def keys(dag_id: str) -> list[str | None]:
        with create_session() as session:
            runs = session.scalars(select(DagRun).where(DagRun.dag_id == dag_id).order_by(DagRun.id))
            return [run.partition_key for run in runs]

    parse_dags()
    before = next_runs()
    wanted = json.load(sys.stdin)
    for dag_id, dates in wanted.items():
        first, last = map(datetime.datetime.fromisoformat, dates)
        try:
            _create_backfill(
                dag_id=dag_id,
                from_date=first,
                to_date=last,
                max_active_runs=10,
                reverse=False,
                dag_run_conf={},
                triggering_user_name=None,
                reprocess_behavior=ReprocessBehavior.NONE,
            )
        except NoBackfillRunsToCreate:
            continue
    parse_dags()
    after = next_runs()
    answers.write(json.dumps({dag_id: [keys(dag_id), before[dag_id], after[dag_id]] for dag_id in wanted}))
    answers.close()


if __name__ == "__main__":
    main()
