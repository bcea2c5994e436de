"""``make migrate``: the project's pools, into Airflow's metadata database; which one that is, is said."""

from __future__ import annotations

import os
import sys

from demo import cli, metadata
from demo.paths import airflow_home


def main() -> int:
    """Import the pools as ``./airflow.sh pools import`` does.

    :return: the exit code.
    """
    where = metadata.described(os.environ, airflow_home())
    print(f"Airflow's pools go to {where}.", flush=True)
    return cli.main(["pools", "import", str(cli.POOLS_FILE)])


if __name__ == "__main__":
    sys.exit(main())
