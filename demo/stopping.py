"""Ctrl-C, SIGTERM and a closed terminal end this program as an exit does, so that everything it started is stopped."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def stops_as_exit(code: int | None = None) -> Iterator[None]:
    """Turn the first such signal into :class:`SystemExit`; further ones do not disturb the stopping.

    :param code: the exit code; by default the one that shells give to a program that a signal has ended.
    """
    numbers = [signal.SIGINT, signal.SIGTERM]
    # Not where it is to go on without its terminal (nohup).
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)

    def leave(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        with suppress(OSError):  # the terminal may be gone
            print("Stopping …", file=sys.stderr, flush=True)
        sys.exit(128 + number if code is None else code)

    for number in numbers:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
