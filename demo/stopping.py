"""Ctrl-C and SIGTERM end this program as an ordinary exit does, so that everything it started is stopped."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType


@contextmanager
def stops_as_exit(code: int | None = None) -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into :class:`SystemExit`; further ones do not disturb the stopping.

    :param code: the exit code; by default the one that shells give to a program that a signal has ended.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)

    def leave(number: int, _frame: FrameType | None) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        print("Stopping …", file=sys.stderr, flush=True)
        sys.exit(128 + number if code is None else code)

    for number in numbers:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
