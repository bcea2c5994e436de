"""What the DAG files cost Airflow: their parsing, and a year's backfill."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, Any

from benchmarks import backfill
from benchmarks.environments import HOME, ROOT, project_python
from benchmarks.report import Line
from benchmarks.rounds import Contestant, alternate
from benchmarks.rounds import run as run_once
from local_airflow.environment import METADATA_VARIABLE, project_environment

if TYPE_CHECKING:
    from benchmarks.stage import Stage

PARSE_GOAL = 0.3


def bench(stage: Stage, *, dates: int, run: int, rounds: int) -> list[Line]:
    """Parse the DAG files, and make and run a backfill.

    :param dates: of the backfill that is made.
    :param run: dates of a backfill that Airflow runs to its end.
    """
    print("DAG files", flush=True)
    environment = project_environment({}, HOME / "airflow")
    parse = Contestant("parsing the DAG files", "dag_parse")
    parsed = alternate([parse], lambda each: run_once(each, {}, environment), rounds)[parse.name].median("cpu")
    print(f"Backfill of {dates} dates", flush=True)
    creation = Contestant("making the backfill", "backfill_creation")

    def once(each: Contestant) -> dict[str, Any]:
        database = stage.server.fresh_database("airflow")
        try:
            variables = {**environment, METADATA_VARIABLE: stage.server.dsn(database, driver="psycopg2")}
            for command in (["db", "migrate"], ["dags", "reserialize"]):
                airflow = [str(project_python().with_name("airflow")), *command]
                subprocess.run(airflow, cwd=ROOT, env={**os.environ, **variables}, check=True, capture_output=True)
            return run_once(each, {"dates": dates}, variables)
        finally:
            stage.server.drop_database(database)

    made = alternate([creation], once, 1)[creation.name].median()
    return [
        Line(
            "parsing all DAG files, over Airflow's own import",
            f"{parsed:.2f} s of CPU",
            goal=f"< {PARSE_GOAL} s",
            reached=parsed < PARSE_GOAL,
        ),
        Line(
            f"a backfill of {dates} dates made: its runs created, none run",
            f"{1000 * made / dates:.0f} ms a date",
        ),
        *backfill.bench(stage, dates=run, rounds=rounds),
    ]
