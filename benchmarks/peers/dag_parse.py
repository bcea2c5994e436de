"""Seconds that the DAG files take to parse, over Airflow's own import."""

from __future__ import annotations

import tempfile
from pathlib import Path

# Airflow's own modules are not what is measured.
import airflow.providers.http.hooks.http
import airflow.sdk
import airflow.timetables.trigger  # noqa: F401 - imported before the clock starts
from airflow.dag_processing.dagbag import DagBag

from benchmarks.measured import Meter

# What any DAG file makes Airflow import, beside what is imported above.
STOCK = """
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.triggers.temporal import DateTimeTrigger
from airflow.sdk import DAG, Asset, Param, task, task_group

with DAG("stock", schedule=None):
    EmptyOperator(task_id="nothing")
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "stock.py").write_text(STOCK)
        DagBag(dag_folder=folder)
    meter = Meter()
    with meter.work():
        bag = DagBag(dag_folder=str(Path(__file__).parents[2] / "dags"))
    if bag.import_errors:
        raise RuntimeError(f"DAG files that do not load: {bag.import_errors}")
    meter.report(dags=len(bag.dags))


if __name__ == "__main__":
    main()
