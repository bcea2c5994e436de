"""A PgBouncer that pools transactions, between the drains and the store."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from local_airflow import cluster
from local_airflow.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROGRAM = "pgbouncer"
_SETTINGS = """
[databases]
soak = host={host} port={port} dbname=soak user={user} password={password}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
min_pool_size = 4
server_round_robin = 1
"""


def missing() -> str | None:
    """Why there is none, if there is none."""
    return None if shutil.which(PROGRAM, path=_path()) else "PgBouncer is not installed (apt-get install pgbouncer)"


@contextmanager
def pooling(dsn: str, home: Path) -> Iterator[str]:
    """Run one before a store.

    :param dsn: URI of the store.
    :return: URI of the store through the proxy.
    """
    parts = urlsplit(dsn)
    listen = cluster.free_port()
    settings = home / "pgbouncer.ini"
    settings.touch(mode=0o600)
    values = {"host": parts.hostname, "port": parts.port, "user": parts.username, "password": parts.password}
    settings.write_text(_SETTINGS.format(**values, listen=listen))
    user = cluster.UNPRIVILEGED_USER if os.geteuid() == 0 else None
    if user:
        shutil.chown(settings, user)
    log = (home / "pgbouncer.log").open("ab")
    process = subprocess.Popen(
        [shutil.which(PROGRAM, path=_path()) or PROGRAM, str(settings)],
        stdout=log, stderr=log, user=user, group=pwd.getpwnam(user).pw_gid if user else None, cwd="/",
    )  # fmt: skip
    try:
        until(lambda: _listens(listen))
        yield f"postgresql://anyone@127.0.0.1:{listen}/soak"
    finally:
        # With its sessions of the server end the locks that drains left in them.
        process.kill()
        process.wait()
        log.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"])
