"""``./airflow.sh``: the project's Airflow CLI; on the embedded PostgreSQL where no other metadata database is named."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import closing

import psycopg2

from demo import embedded, environment
from demo.paths import ROOT, airflow_home
from demo.state import recorded_simulator

AIRFLOW = str(ROOT / ".venv" / "bin" / "airflow")
# These ask no database, so none is started for them.
WITHOUT_DATABASE = ("version", "--help", "-h")


def main(arguments: list[str]) -> int:
    """Run the Airflow CLI and wait for it.

    :param arguments: what follows ``airflow`` on the command line.
    :return: its exit code.
    """
    given = dict(os.environ)
    home = airflow_home()
    variables = environment.project_environment(given, home)
    if environment.metadata_is_named(given) or not arguments or arguments[0] in WITHOUT_DATABASE:
        os.execve(AIRFLOW, [AIRFLOW, *arguments], variables)  # noqa: S606 - the very program asked for, without a shell
    with embedded.shared(home) as server:
        server.provision()
        variables = environment.with_embedded_metadata(variables, server)
        simulator = recorded_simulator(home)
        if simulator is not None and not any(given.get(name) for name in environment.DEMO_VARIABLES):
            variables = environment.with_demo(variables, server, simulator)
        if arguments[:1] != ["db"]:
            migrate_metadata(server, variables)
        return run([AIRFLOW, *arguments], variables)


def migrate_metadata(server: embedded.Server, variables: dict[str, str]) -> None:
    """Bring the embedded metadata database to this Airflow's version, if nobody has yet.

    :param server: the running server, provisioned.
    :param variables: the environment to run Airflow in.
    :raises subprocess.CalledProcessError: if the migration fails; Airflow has said why.
    """
    with closing(psycopg2.connect(server.dsn("airflow"))) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('public.alembic_version') IS NOT NULL")
        row = cursor.fetchone()
    if row is None or not row[0]:
        # What the migration says is no part of the answer to the command that was asked for.
        subprocess.run([AIRFLOW, "db", "migrate"], env=variables, check=True, stdout=sys.stderr)


def run(command: list[str], variables: dict[str, str]) -> int:
    """Run a program to its end, handing on the signals that are meant for it.

    :param command: the program and its arguments.
    :param variables: its environment.
    :return: its exit code; 128 and the signal's number where a signal ended it, as shells say it.
    """
    with subprocess.Popen(command, env=variables) as process:
        # A terminal sends Ctrl-C to both; what another process sends reaches only this one.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
        code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
