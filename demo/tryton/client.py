"""Tryton as a program beside this one: its environment, its databases, and what is asked of it.

Its packages must not meet Airflow's, so it lives in an environment of its own, made from ``requirements.txt`` when it
is first wanted; it is spoken to over a pipe (see ``demo.tryton.inside``).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import psycopg2
from psycopg2 import sql

from local_airflow.paths import ROOT, private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_airflow.embedded import Server

OWNER, READER = "tryton_owner", "tryton_reader"
READER_RIGHTS = ROOT / "include" / "erp" / "tryton_reader.sql"
_REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_MODULE = "account_invoice"


class TrytonError(RuntimeError):
    """Tryton refused what it was asked, or could not be made or started; the text is its own."""


def environment(home: Path) -> Path:
    """Give Tryton's environment in a home; made if it is not there, or was made from another lock.

    :param home: its environment is the directory ``tryton`` in it.
    :return: its Python.
    :raises TrytonError: if its packages cannot be installed.
    """
    place = private_directory(home) / "tryton"
    python, stamp = place / "bin" / "python", place / "made-from"
    lock = hashlib.sha256(_REQUIREMENTS.read_bytes()).hexdigest()
    with (home / "tryton.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != lock:
            uv = str(Path(sys.executable).with_name("uv"))
            _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)])
            _run([uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(_REQUIREMENTS)])
            stamp.write_text(lock)
    return python


def make_database(server: Server, name: str, python: Path, *, first_year: int, last_year: int) -> bool:
    """Make a Tryton database with the books of a company in it, if it is not there. It takes half a minute.

    :param server: the running server.
    :param name: the database's.
    :param python: of Tryton's environment.
    :param first_year: of the fiscal years, ``last_year`` included.
    :return: whether it was made now.
    :raises TrytonError: if Tryton cannot make it.
    """
    if not server.create_database(name, owner=OWNER):
        return False
    try:
        with tempfile.TemporaryDirectory() as folder:
            password = Path(folder) / "password"
            password.touch(mode=0o600)
            password.write_text(secrets.token_urlsafe(24))
            variables = {**_variables(server, name), "TRYTONPASSFILE": str(password)}
            admin = [str(python), "-m", "trytond.cli.admin", "-d", name, "-u", _MODULE, "--activate-dependencies"]
            _run([*admin, "--email", "admin@example.com"], variables)
        with running(server, name, python) as tryton:
            tryton.ask("set_up", first_year=first_year, last_year=last_year)
        grant(server, name)
    except BaseException:
        server.drop_database(name)
        raise
    return True


def grant(server: Server, name: str) -> None:
    """Let the role :data:`READER` read what ``include/erp/tryton.sql`` needs, and no more.

    :param server: the running server.
    :param name: the Tryton database.
    """
    server.create_role(READER)
    database, reader = sql.Identifier(name), sql.Identifier(READER)
    with (
        closing(psycopg2.connect(server.dsn(name, OWNER))) as connection,
        connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(database))
        cursor.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, reader))
        cursor.execute(READER_RIGHTS.read_text(encoding="utf-8"))


@dataclass
class Tryton:
    """A running Tryton.

    :param process: its process.
    :param log: what it says beside its answers.
    """

    process: subprocess.Popen[str]
    log: IO[str]

    def ask(self, name: str, **arguments: Any) -> Any:
        """Ask for one thing and wait for it.

        :param name: of a request in ``demo.tryton.inside.__main__``.
        :param arguments: of it; amounts are text, days ISO text.
        :return: the answer; every amount is text.
        :raises TrytonError: with what Tryton says, if it refuses.
        """
        if self.process.stdin is None or self.process.stdout is None:
            raise TrytonError("Tryton's process has no pipes")
        try:
            self.process.stdin.write(json.dumps({"do": name, **arguments}) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.process.wait()
            self.log.seek(0)
            raise TrytonError(f"Tryton has ended with code {self.process.returncode}: {self.log.read()[-2000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise TrytonError(f"{name}: {answer['error']}")
        return answer["result"]


@contextmanager
def running(server: Server, name: str, python: Path) -> Iterator[Tryton]:
    """Run Tryton on a database.

    :param server: the running server.
    :param name: the Tryton database.
    :param python: of Tryton's environment.
    :return: the running Tryton; stopped in the end.
    """
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [str(python), "-m", "demo.tryton.inside"],
            env=_variables(server, name),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        try:
            yield Tryton(process, log)
        finally:
            process.terminate()
            process.communicate()


def _variables(server: Server, name: str) -> dict[str, str]:
    """The address, with its password, in the environment: a command line is everyone's to read."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("TRYTON", "PYTHON"))}
    return {**kept, "PYTHONPATH": str(ROOT), "TRYTOND_DATABASE_URI": server.dsn(name, OWNER)}


def _run(command: list[str], variables: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise TrytonError(f"{command[:3]} failed (code {done.returncode}): {(done.stderr or done.stdout)[-2000:]}")
