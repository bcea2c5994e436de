"""``make migrate``: Airflow's metadata database, brought to this Airflow's version, with the project's pools in it.

Which database that is, is said. Repeatable: a pool that is there stays as it is.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import subprocess
import sys
from contextlib import closing, nullcontext
from typing import IO, TYPE_CHECKING, Any

import psycopg2

from local_airflow import embedded, environment, metadata
from local_airflow.metadata_tables import POOLS_FAILED
from local_airflow.paths import ROOT, airflow_home

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_BIN = ROOT / ".venv" / "bin"
_PYTHON = str(_BIN / "python")
# What either step is by itself, for whoever has to repeat one that failed.
_TABLES, _POOLS = (str(_BIN / "airflow"), "db", "migrate"), (_PYTHON, "-m", "include.config.pools")
# Who has migrated the embedded metadata database last: a look at it costs nothing, a migration some seconds.
_MIGRATED_BY = """
SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = current_database()
"""

_STORE_IS_THERE = (
    f"{environment.METADATA_VARIABLE} names the store's database. Airflow's metadata wants one of its own: make it "
    "(CREATE DATABASE airflow) and name it there. Nothing was changed"
)


def migrate(variables: Mapping[str, str], output: IO[Any] | int | None = None) -> None:
    """Bring a metadata database to this Airflow's version, then make the pools that it lacks.

    :param variables: the environment to run Airflow in, which names the database.
    :param output: takes what is said (a file, or ``subprocess.DEVNULL``); by default this program's own output.
    :raises subprocess.CalledProcessError: if a step fails; Airflow has said why.
    """
    both = [_PYTHON, "-m", "local_airflow.metadata_tables"]
    code = subprocess.run(both, env=variables, check=False, stdout=output, stderr=output).returncode
    if code != 0:
        raise subprocess.CalledProcessError(code, _POOLS if code == POOLS_FAILED else _TABLES)


def migrate_embedded(
    server: embedded.Server, variables: Mapping[str, str], log: Path | None = None, *, again: bool = False
) -> bool:
    """Do the same for the embedded metadata database, unless this version of Airflow has done so.

    :param server: the running server, provisioned.
    :param variables: the environment to run Airflow in.
    :param log: the file that takes what the migration says; standard error without one.
    :param again: do it whoever has done it.
    :return: whether it was migrated now.
    :raises subprocess.CalledProcessError: if the migration fails; Airflow has said why.
    """
    version = f"Airflow {importlib.metadata.version('apache-airflow')}"
    with closing(psycopg2.connect(server.dsn("airflow"))) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("SELECT pg_advisory_lock(%s)", (embedded.ALONE,))
        cursor.execute(_MIGRATED_BY)
        if not again and cursor.fetchone() == (version,):
            return False
        # What the migration says is no part of the answer to the command that was asked for.
        with log.open("ab") if log else nullcontext(sys.stderr) as output:
            migrate(variables, output)
        cursor.execute("COMMENT ON DATABASE airflow IS %s", (version,))
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Migrate the metadata database that is named, or the embedded one.

    :param arguments: of the command line; there are none but ``--help``.
    :return: the exit code.
    """
    argparse.ArgumentParser(prog="python -m local_airflow.migration", description=__doc__).parse_args(arguments)
    home = airflow_home()
    print(f"Airflow's tables and pools go to {metadata.described(os.environ, home)}.", flush=True)
    variables = environment.project_environment(os.environ, home)
    try:
        if metadata.is_named(os.environ, home):
            problem = metadata.unreachable(variables)
            if problem is None and metadata.holds_the_store(variables):
                problem = _STORE_IS_THERE
            if problem:
                print(f"make migrate: {problem}", file=sys.stderr)
                return 1
            migrate(variables)
            return 0
        with embedded.shared(home) as server:
            server.provision()
            migrate_embedded(server, environment.with_embedded_metadata(variables, server), again=True)
    except subprocess.CalledProcessError as error:
        print(f"make migrate: `{' '.join(error.cmd)}` failed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
