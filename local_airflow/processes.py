"""Programs that run beside this one: started with their output in a log file, stopped whole, missed when they die."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

STOP_SECONDS = 30
_TAIL_CHARACTERS = 2000


class ProcessDiedError(RuntimeError):
    """A program ended that should have gone on; the text ends with its last lines."""


@dataclass(frozen=True)
class Running:
    """A program that was started.

    :param name: what people call it.
    :param process: its process, the leader of a group and session of its own.
    :param log: the file that takes its output.
    """

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Make sure that it still runs.

        :raises ProcessDiedError: if it does not.
        """
        code = self.process.poll()
        if code is not None:
            tail = self.log.read_text(errors="replace")[-_TAIL_CHARACTERS:]
            raise ProcessDiedError(f"{self.name} has ended with code {code}; {self.log} ends with:\n{tail}")


@contextmanager
def started(name: str, command: Sequence[str], environment: Mapping[str, str], log: Path) -> Iterator[Running]:
    """Start a program, and stop it with all that it has started in turn.

    :param name: what people call it.
    :param command: the program and its arguments.
    :param environment: its variables.
    :param log: the file that takes its output; begun anew.
    :return: the running program.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C in the terminal reaches us alone, and we stop things in their order.
        process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Running(name, process, log)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    finally:
        # What it left behind in its group.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
