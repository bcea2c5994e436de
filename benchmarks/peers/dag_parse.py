"""Seconds that the DAG files take to parse, over the import of Airflow's SDK and of its parser, and of nothing else."""

from __future__ import annotations

from pathlib import Path

import airflow.sdk  # noqa: F401 - imported before the clock starts
from airflow.dag_processing.dagbag import DagBag

from benchmarks.measured import Meter


def main() -> None:
    meter = Meter()
    with meter.work():
        bag = DagBag(dag_folder=str(Path(__file__).parents[2] / "dags"))
    if bag.import_errors:
        raise RuntimeError(f"DAG files that do not load: {bag.import_errors}")
    meter.report(dags=len(bag.dags))


if __name__ == "__main__":
    main()
