"""What an Airflow of its own begins with."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from local_airflow import environment
from local_airflow.migration import migrate

if TYPE_CHECKING:
    from local_airflow.embedded import Server


@pytest.fixture(scope="session")
def metadata_template(postgres: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A metadata database of this Airflow's version, with the project's pools, to copy from."""
    name = postgres.fresh_database("metadata_template")
    given = {environment.METADATA_VARIABLE: postgres.dsn(name, driver="psycopg2")}
    migrate(environment.project_environment(given, tmp_path_factory.mktemp("migration")), subprocess.DEVNULL)
    return name
