"""The soak's PostgreSQL: durable, on a small disk of its own, with a clock that can be put forward and back."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from local_airflow import cluster
from local_airflow.embedded import Server
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DATABASE = "soak"
LIBFAKETIME = "faketime/libfaketime.so.1"
# Room for the store of hundreds of rounds; what is left of it is filled up when the disk is to be full.
DISK_MEGABYTES = 700


class Clock:
    """The clock of PostgreSQL and of the runs, by libfaketime; the time that durations are measured in stays.

    :param home: where the file is that both look at.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / "clock"
        self._file.write_text("+0\n")
        found = [path for path in Path("/usr/lib").glob(f"*/{LIBFAKETIME}") if path.is_file()]
        self.environment: dict[str, str] = (
            {
                "LD_PRELOAD": str(found[0]),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_CACHE_DURATION": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
            if found
            else {}
        )

    @property
    def missing(self) -> str | None:
        """Why the clock cannot jump, if it cannot."""
        return None if self.environment else "libfaketime is not installed (apt-get install libfaketime)"

    def jump(self, offset: str) -> None:
        """Set it so far off: ``+2d``, ``-1d``, ``+0``."""
        self._file.write_text(f"{offset}\n")


class Postgres:
    """A server that can be killed, fill its disk, and tell of what it suffered.

    :param home: its files.
    """

    def __init__(self, home: Path, clock: Clock) -> None:
        self.home = home
        self._clock = clock
        self._disk = home / "disk"
        self._data = home / "postgres" / "data"
        self.no_disk: str | None = None
        self.start()
        self._make_store()

    def start(self) -> None:
        """Start it, on a port that may be another one than before."""
        with _variables(self._clock.environment):
            self.server = Server(self.home, *cluster.start(self.home, durable=True))

    def kill(self) -> None:
        """Stop it as ``pg_ctl stop -m immediate`` does: nothing is finished, recovery comes at the next start."""
        pid_file = self._data / "postmaster.pid"
        os.kill(int(pid_file.read_text().splitlines()[0]), signal.SIGQUIT)
        until(lambda: not pid_file.exists())

    def stop(self) -> None:
        """Stop it for good."""
        cluster.stop(self.home)
        if self.no_disk is None:
            subprocess.run(["umount", "--lazy", str(self._disk)], check=False)

    @property
    def dsn(self) -> str:
        """Where the store is now."""
        return self.server.dsn(DATABASE, cluster.SUPERUSER)

    def fill_disk(self) -> None:
        """Take what is left of the store's disk."""
        with (self._disk / "ballast").open("wb") as ballast:
            while free := shutil.disk_usage(self._disk).free:
                try:
                    os.posix_fallocate(ballast.fileno(), 0, free)
                except OSError as error:
                    # PostgreSQL has taken of it meanwhile.
                    if error.errno != errno.ENOSPC:
                        raise
                else:
                    return

    def free_disk(self) -> None:
        """Give it back."""
        (self._disk / "ballast").unlink(missing_ok=True)

    def refusals(self) -> int:
        """How often it has found no space on its disk."""
        log = (self.home / "postgres" / "server.log").read_text(errors="replace")
        return len(re.findall("No space left on device", log))

    def _make_store(self) -> None:
        self._disk.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "soak", str(self._disk)]
        mounted = subprocess.run(command, check=False, capture_output=True, text=True)
        if mounted.returncode != 0:
            self.no_disk = f"no small file system can be mounted here: {mounted.stderr.strip()}"
            self.server.create_database(DATABASE)
            return
        place = self._disk / "tablespace"
        place.mkdir()
        if os.geteuid() == 0:
            shutil.chown(place, cluster.UNPRIVILEGED_USER)
        admin = psycopg2.connect(self.server.dsn("postgres"))
        admin.autocommit = True
        with admin.cursor() as cursor:
            cursor.execute("CREATE TABLESPACE small LOCATION %s", (str(place),))
            cursor.execute(f"CREATE DATABASE {DATABASE} TABLESPACE small")
        admin.close()


@contextmanager
def _variables(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
