"""``python -m local_airflow.metadata_tables``: ``airflow db migrate``, then the project's pools, in one process.

To load Airflow takes longer than to make the pools. Started by :mod:`local_airflow.migration`.
"""

from __future__ import annotations

import runpy
import sys

from include.config import pools

# An exit code that Airflow does not use, so that it is known which of the two failed.
POOLS_FAILED = 3


def main() -> int:
    """Do both, on the metadata database that the environment names.

    :return: the exit code; where Airflow's migration fails, the process ends as ``airflow db migrate`` would.
    """
    sys.argv = ["airflow", "db", "migrate"]
    runpy.run_module("airflow", run_name="__main__")
    return POOLS_FAILED if pools.main([]) else 0


if __name__ == "__main__":
    sys.exit(main())
