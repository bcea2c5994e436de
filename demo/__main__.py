"""``make demo``: the main job on made-up data, from nothing to the differences by name."""

from __future__ import annotations

import argparse
import subprocess
import sys

from demo.job import DemoFailedError, prepared, run
from demo.progress import Progress
from demo.state import DemoRunsAlreadyError, ForeignHomeError
from demo.stopping import stops_as_exit
from demo.tryton.client import TrytonError
from local_airflow.cluster import EmbeddedPostgresError
from local_airflow.paths import airflow_home


def main(arguments: list[str]) -> int:
    """Run the demo.

    :param arguments: of the command line.
    :return: 0 if exactly the differences that were put in were found.
    """
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--erp", choices=("plain", "tryton"), default="plain", help="what the ledger is (%(default)s)")
    erp = parser.parse_args(arguments).erp
    progress = Progress()
    try:
        with stops_as_exit(), prepared(airflow_home(), progress, erp) as demo:
            surprises = run(demo, progress)
    except (
        DemoFailedError,
        DemoRunsAlreadyError,
        EmbeddedPostgresError,
        ForeignHomeError,
        TrytonError,
        subprocess.CalledProcessError,
    ) as error:
        print(f"The demo failed: {error}", file=sys.stderr)
        return 1
    if surprises:
        print("The demo failed: it came out otherwise than the data was made:", *surprises, sep="\n  ", file=sys.stderr)
        return 1
    progress.say("Exactly the differences that were put in were found, and every other invoice matched.")
    print("\n`make up` serves the same in the Airflow UI; `make test` runs the tests.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
