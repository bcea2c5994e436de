"""The DAGs as Airflow loads them, once."""

from __future__ import annotations

import pytest
from airflow.dag_processing.dagbag import DagBag

from local_airflow.paths import ROOT


@pytest.fixture(scope="session")
def bag() -> DagBag:
    """All DAGs of the project."""
    return DagBag(dag_folder=ROOT / "dags")
