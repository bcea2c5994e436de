"""``python -m include.config.pools``: the project's pools (``pools.json``) in Airflow's metadata database.

Only those that are missing are made: one that is there has the slots that somebody gave it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

POOLS_FILE = Path(__file__).with_name("pools.json")


def main(arguments: list[str]) -> int:
    """Make the pools that are missing, and say of each what became of it.

    :param arguments: of the command line.
    :return: the exit code; 1 where the metadata database cannot be read or is not migrated.
    """
    argparse.ArgumentParser(prog="python -m include.config.pools", description=__doc__).parse_args(arguments)

    from airflow.models.pool import Pool  # heavy, and for those who make pools only
    from sqlalchemy.exc import DBAPIError

    try:
        there = {pool.pool: pool for pool in Pool.get_pools()}
        for name, fields in json.loads(POOLS_FILE.read_text(encoding="utf-8")).items():
            made = name not in there
            pool = Pool.create_or_update_pool(name, **fields) if made else there[name]
            sys.stdout.write(f"Pool {name}: {'made, with' if made else 'there already, with'} {pool.slots} slots\n")
    except DBAPIError as error:
        sys.stderr.write(
            f"The pools cannot be made: Airflow's metadata database says: {str(error.orig).strip()}\n"
            "Where it has no tables yet, or an older Airflow's, run `airflow db migrate` first.\n"
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
