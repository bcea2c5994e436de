"""Processes by the thousand: one that has everything imported and warm, and forks at each call.

Importing Airflow takes seconds, and finding a connection through it for the first time one more. What is forked here
has one thread, so that the fork is a whole process; it ends by itself, or is killed.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe
from typing import TYPE_CHECKING, Any, Self

from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


# Longer than any run takes, on a loaded machine too.
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Failed:
    """A process that ended with an exception: its traceback."""

    text: str


class Running:
    """A forked process.

    :param pid: of it.
    :param pipe: to it; at its end when the process is.
    """

    def __init__(self, pid: int, pipe: Connection) -> None:
        self.pid = pid
        self.pipe = pipe

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """See to it that it has ended."""
        self.kill()
        self.pipe.close()

    def kill(self) -> None:
        """Kill it, if it lives, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Wait until it has ended; what it says meanwhile is dropped.

        :raises TimeoutError: if it does not.
        """
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                if not self.pipe.poll(_PATIENCE_SECONDS):
                    raise TimeoutError(f"a process did not end within {_PATIENCE_SECONDS} s")
                self.pipe.recv()

    def hear(self) -> Any:
        """What it says next.

        :raises EOFError: if it ended.
        :raises TimeoutError: if it says nothing.
        :raises RuntimeError: if it failed.
        """
        if not self.pipe.poll(_PATIENCE_SECONDS):
            raise TimeoutError(f"a process said nothing for {_PATIENCE_SECONDS} s")
        said = self.pipe.recv()
        if isinstance(said, Failed):
            raise RuntimeError(f"a process failed:\n{said.text}")  # noqa: TRY004 - no type of ours is wrong
        return said


class Forker:
    """A context manager: the process that forks.

    :param environment: variables beside those of this process, such as a library to preload.
    :param loud: let the runs' logs through.
    """

    def __init__(self, environment: Mapping[str, str] | None = None, *, loud: bool = False) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "plugins")])
        self._environment = {**os.environ, "PYTHONPATH": path, **(environment or {})}
        self._loud = loud
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "faults.forking", str(theirs.fileno())]
        # What runs log is part of no result, and there are thousands of them.
        self._process = subprocess.Popen(
            command, env=self._environment, pass_fds=[theirs.fileno()], cwd=ROOT,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=None if self._loud else subprocess.DEVNULL,
        )  # fmt: skip
        theirs.close()
        self._socket.recv(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait()

    def start(self, target: Callable[..., None], *arguments: object) -> Running:
        """Start a process that calls ``target(*arguments, pipe)``."""
        ours, theirs = Pipe()
        with self._turn:
            socket.send_fds(self._socket, [pickle.dumps((target, arguments))], [theirs.fileno()])
            pid = int(self._socket.recv(32))
        theirs.close()
        return Running(pid, ours)
