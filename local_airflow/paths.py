"""Where things lie: the project's root, and the home that holds everything that Airflow on this machine writes."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# In Airflow's home, where its simple auth manager keeps the users' passwords.
PASSWORDS = "simple_auth_manager_passwords.json.generated"


def airflow_home() -> Path:
    """The directory that holds Airflow's state on this machine.

    :return: ``AIRFLOW_HOME`` where it is set, else ``.airflow`` in the project's root (git-ignored); always absolute.
    """
    named = os.environ.get("AIRFLOW_HOME")
    return Path(named).expanduser().resolve() if named else ROOT / ".airflow"


def private_directory(path: Path) -> Path:
    """Make a directory that only its owner can list, if it is not there.

    :param path: the directory; its parents are made too.
    :return: the same path.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path
