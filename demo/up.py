"""``make up``: the demo, then Airflow serving it until stopped, with Ropo One's stand-in and the ledger going on."""

from __future__ import annotations

import argparse
import datetime
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from demo.data import move_ledger
from demo.job import Demo, DemoFailedError, prepared, run
from demo.progress import Progress
from demo.state import DemoRunsAlreadyError, ForeignHomeError, record, recorded
from demo.stopping import stops_as_exit
from include.status_store.command_line import whole_number
from local_airflow.cluster import EmbeddedPostgresError, port_is_free
from local_airflow.paths import airflow_home
from local_airflow.processes import ProcessDiedError
from local_airflow.serving import USER, admin_password, serving

if TYPE_CHECKING:
    from local_airflow.processes import Running

# An ERP hears of payments in its own time: the ledger follows the stand-in at this pace.
LEDGER_SECONDS = 300
_LOOK_SECONDS = 2


def main(arguments: list[str]) -> int:
    """Serve until Ctrl-C or SIGTERM.

    :param arguments: of the command line.
    :return: 1 if something failed. Stopping it is how it ends: exit code 0.
    """
    parser = argparse.ArgumentParser(prog="python -m demo.up", description=__doc__)
    parser.add_argument(
        "--port", type=whole_number(1, 65_535), default=8080, help="of the Airflow UI, on the loopback address"
    )
    port = parser.parse_args(arguments).port
    try:
        if not port_is_free(port):
            raise DemoFailedError(f"port {port} is taken: name another one, as in `make up PORT=8081`")
        with stops_as_exit(code=0):
            _serve(port, Progress())
    except (
        DemoFailedError,
        DemoRunsAlreadyError,
        EmbeddedPostgresError,
        ForeignHomeError,
        ProcessDiedError,
        subprocess.CalledProcessError,
    ) as error:
        print(f"make up failed: {error}", file=sys.stderr)
    return 1


def _serve(port: int, progress: Progress) -> None:
    home = airflow_home()
    with prepared(home, progress) as demo:
        surprises = run(demo, progress)
        for surprise in surprises:
            progress.say(f"Otherwise than the data was made: {surprise}")
        _let_time_go_on(demo)
        password = admin_password(home)
        with serving(demo.variables, home, port) as parts:
            progress.say("Airflow is healthy; its DAGs run by their schedules. Ctrl-C stops everything.")
            print(f"\n    http://localhost:{port}    user {USER}    password {password}\n", flush=True)
            _keep_going(demo, parts)


def _let_time_go_on(demo: Demo) -> None:
    """From here on the data is no longer what it was made as, so the next demo makes it anew."""
    known = recorded(demo.home)
    if known is not None:
        record(demo.home, replace(known, moved_on=True))
    demo.ropo.set_now(None)


def _keep_going(demo: Demo, parts: list[Running]) -> None:
    waiting = threading.Event()
    looks = 0
    while not waiting.wait(_LOOK_SECONDS):
        for part in parts:
            part.check()
        looks += 1
        if looks * _LOOK_SECONDS % LEDGER_SECONDS == 0:
            move_ledger(demo.server, demo.data, datetime.datetime.now(datetime.UTC))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
