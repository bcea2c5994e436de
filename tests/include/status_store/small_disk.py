"""A store whose raw pages are on a small disk of their own, which can be filled up."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local_airflow import cluster
from tests.include.status_store.views import execute
from tests.needs import missing

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Iterator

    from psycopg2.extensions import connection as Connection

MEGABYTES = 8


class SmallDisk:
    """The disk.

    :param place: where it is mounted.
    """

    def __init__(self, place: pathlib.Path) -> None:
        self._place = place

    def fill(self) -> None:
        """Take what is left of it."""
        with (self._place / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, shutil.disk_usage(self._place).free)

    def free(self) -> None:
        """Give it back."""
        (self._place / "ballast").unlink()


@contextmanager
def small_disk(home: pathlib.Path, store: Connection) -> Iterator[SmallDisk]:
    """Keep the store's pages on a small disk while the context is open.

    :param home: of PostgreSQL's files; whoever it runs as may pass there.
    """
    name = f"small_{secrets.token_hex(6)}"
    disk = home / name
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", name, str(disk)]
    try:
        mounted = subprocess.run(mount, check=False, capture_output=True, text=True)
        if mounted.returncode != 0:
            missing(f"no small file system can be mounted here: {mounted.stderr.strip()}")
        try:
            place = disk / "tablespace"
            place.mkdir()
            if os.geteuid() == 0:
                shutil.chown(place, cluster.UNPRIVILEGED_USER)
            execute(store, f"CREATE TABLESPACE {name} LOCATION '{place}'")
            execute(store, f"ALTER TABLE ropo.status_page SET TABLESPACE {name}")
            try:
                yield SmallDisk(disk)
            finally:
                execute(store, "ALTER TABLE ropo.status_page SET TABLESPACE pg_default")
                execute(store, f"DROP TABLESPACE {name}")
        finally:
            subprocess.run(["umount", "--lazy", str(disk)], check=False)
    finally:
        disk.rmdir()
