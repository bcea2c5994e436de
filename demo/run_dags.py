"""Runs DAGs through Airflow, all in this one process, and writes how each run ended: started by ``demo.job``.

One run a line of standard input, JSON: ``{"dag_id": …, "conf": {…}}``; one line of answer for each on standard output:
``{"dag_id": …, "conf": {…}, "state": …, "seconds": …}``. Airflow's own lines go to standard error.
"""

from __future__ import annotations

import datetime
import json
import os
import sys
import time
from typing import Any

from local_airflow.paths import ROOT


def main() -> int:
    """Run what standard input asks for.

    :return: 0 when every run was made, whatever its state.
    :raises SystemExit: naming the DAGs that cannot be imported.
    """
    # Airflow's loggers take standard output, and some of them hold on to the file itself.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    from airflow.dag_processing.dagbag import DagBag  # heavy, and logs as it comes

    bag = DagBag(dag_folder=str(ROOT / "dags"))
    if bag.import_errors:
        raise SystemExit("\n".join(f"{file}: {error}" for file, error in bag.import_errors.items()))
    for line in sys.stdin:
        wanted: dict[str, Any] = json.loads(line)
        began = time.monotonic()
        dag = bag.dags[wanted["dag_id"]]
        # Airflow 3.3.2: `test()` takes a deadline itself for its id, and fails where the run succeeds. These runs have
        # none: it is for scheduled ones.
        dag.deadline = None
        # A moment of its own: of those without one `test()` keeps the newest run alone.
        run = dag.test(logical_date=datetime.datetime.now(datetime.UTC), run_conf=wanted["conf"])
        answers.write(json.dumps({**wanted, "state": str(run.state), "seconds": time.monotonic() - began}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
