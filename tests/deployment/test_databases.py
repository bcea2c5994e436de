"""The databases of docker-compose.yaml, set up by their image: whose they are, and what they have."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg2
import pytest

from local_airflow import cluster, embedded
from tests.deployment import compose
from tests.deployment.deployment import DATABASES, SECRETS, Deployment

if TYPE_CHECKING:
    from pathlib import Path


def test_a_database_is_healthy_once_it_answers_over_tcp(tmp_path: Path) -> None:
    """The server that the image starts for its first setup listens on a socket alone, and is stopped again."""
    services = compose.load(SECRETS)["services"]
    with embedded.shared(tmp_path / "postgres", durable=False) as server:  # listens on no socket at all
        machine = {"PGPORT": str(server.port), "PATH": f"{cluster.binaries()}:/usr/bin:/bin"}
        for name in DATABASES:
            _, check = services[name]["healthcheck"]["test"]
            given = {**services[name]["environment"], **machine}
            asked = subprocess.run(["sh", "-c", check], check=False, env=given, capture_output=True, timeout=30)
            assert asked.returncode == 0, name


@pytest.mark.timeout(300)
def test_a_database_belongs_to_a_role_of_its_own_that_is_no_superuser(tmp_path: Path) -> None:
    """Whoever has a superuser's password has the server's processes and files, too."""
    deployment = Deployment(tmp_path, SECRETS)
    with deployment.databases():
        assert _standing(deployment, "postgres-airflow") == ("airflow", "airflow", False, False)
        # The migration makes the page's role.
        assert _standing(deployment, "postgres-store") == ("ropo_store", "ropo_store", False, True)
        for name in DATABASES:
            for password in {"", *SECRETS.values()}:
                with pytest.raises(psycopg2.OperationalError, match="password"):
                    deployment.connect(name, login="postgres", password=password)
    # From its second start on it is there, and nothing is set up again.
    with deployment.databases():
        assert _standing(deployment, "postgres-store") == ("ropo_store", "ropo_store", False, True)


def test_postgresql_has_time_for_its_last_checkpoint() -> None:
    """After Docker's own ten seconds it would be killed, and recover at its next start."""
    services = compose.load(SECRETS)["services"]
    assert {services[name].get("stop_grace_period") for name in DATABASES} == {"2m"}


def test_postgresql_has_room_for_the_parallel_queries_of_a_full_comparison() -> None:
    """Docker's own 64 MB of shared memory end one of a million invoices; 1 GB was enough."""
    services = compose.load(SECRETS)["services"]
    for name in DATABASES:
        gigabytes = re.fullmatch(r"(\d+)gb", services[name].get("shm_size", ""))
        assert gigabytes is not None, name
        assert int(gigabytes[1]) >= 1, name


def _standing(deployment: Deployment, name: str) -> tuple[Any, ...] | None:
    """Who somebody with a database's password is, whose the database is, and whether they may do all, or make roles."""
    with closing(deployment.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT session_user, pg_get_userbyid(datdba), rolsuper, rolcreaterole FROM pg_database, pg_roles "
            "WHERE datname = current_database() AND rolname = session_user"
        )
        return cursor.fetchone()
