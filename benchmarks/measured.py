"""What a contestant measures of itself: the seconds of its work, and the memory that it took above what it began with.

Contestants run in processes of their own, some in environments that have nothing of this project: only the standard
library is used here. The last line that one prints is its result in JSON.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


def _megabytes(name: str) -> float:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    raise LookupError(f"{_STATUS} has no line {name}")


class Meter:
    """Measures from its making on: what a contestant imports afterwards counts as its memory, not as its time."""

    def __init__(self) -> None:
        self._base = _megabytes("VmRSS")
        _CLEAR.write_text(_RESET_PEAK)
        self._seconds = self._cpu = 0.0

    @contextmanager
    def work(self) -> Iterator[None]:
        """Time the block."""
        started, cpu = time.monotonic(), time.process_time()
        yield
        self._seconds, self._cpu = time.monotonic() - started, time.process_time() - cpu

    def report(self, **facts: Any) -> None:
        """Print the result: ``seconds`` of wall clock, ``cpu`` of this process, ``memory_mb`` above the base."""
        facts |= {"seconds": self._seconds, "cpu": self._cpu}
        facts |= {"base_mb": self._base, "memory_mb": _megabytes("VmHWM") - self._base}
        print(json.dumps(facts, default=str), flush=True)


def task() -> dict[str, Any]:
    """What the contestant is to do: the JSON of the variable ``BENCH_TASK``."""
    value: dict[str, Any] = json.loads(os.environ["BENCH_TASK"])
    return value
