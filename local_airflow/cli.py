"""``./airflow.sh``: the project's Airflow CLI; on the embedded PostgreSQL where no other metadata database is named.

It adds no connection, of the demo neither: a variable would win over what is saved in the UI.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from include.config.execution_api import URL_VARIABLE
from local_airflow import embedded, environment, metadata
from local_airflow.migration import migrate_embedded
from local_airflow.paths import PASSWORDS, ROOT, airflow_home

if TYPE_CHECKING:
    from pathlib import Path

AIRFLOW = str(ROOT / ".venv" / "bin" / "airflow")
# What becomes the program once tasks can report.
AFTER_THE_API_SERVER = (str(ROOT / ".venv" / "bin" / "python"), "-m", "include.config.execution_api")
# These ask no database, so none is started for them.
WITHOUT_DATABASE = ("version", "--help", "-h")


def main(arguments: list[str]) -> int:
    """Run the Airflow CLI and wait for it.

    :param arguments: what follows ``airflow`` on the command line.
    :return: its exit code.
    """
    given = dict(os.environ)
    home = airflow_home()
    keep_private(home)
    variables = environment.project_environment(given, home)
    command = [AIRFLOW, *arguments]
    if _runs_tasks(arguments) and URL_VARIABLE in variables:
        command = [*AFTER_THE_API_SERVER, *command]
    if metadata.is_named(given, home) or not arguments or arguments[0] in WITHOUT_DATABASE:
        os.execve(command[0], command, variables)  # noqa: S606 - the very program asked for, without a shell
    with embedded.shared(home) as server:
        server.provision()
        variables = environment.with_embedded_metadata(variables, server)
        if arguments[:1] != ["db"]:
            migrate_embedded(server, variables)
        return run(command, variables)


def _runs_tasks(arguments: list[str]) -> bool:
    """Whether a command of Airflow's starts tasks, and is not asked for its help alone."""
    starts = arguments[:1] == ["scheduler"] or arguments[:2] == ["celery", "worker"]
    return starts and not {"--help", "-h"} & set(arguments)


def keep_private(home: Path) -> None:
    """Close what this process and its children write from here on to all but their user, wherever the home lies.

    Airflow itself would have everybody read the passwords that it makes, and its logs.

    :param home: Airflow's home, in which an Airflow without this may have left passwords; they are closed too.
    """
    os.umask(0o077)
    passwords = home / PASSWORDS
    if passwords.exists():
        passwords.chmod(0o600)


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
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # else neither is to hear that its terminal is closed
            signal.signal(signal.SIGHUP, lambda number, _: process.send_signal(number))
        code = process.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
