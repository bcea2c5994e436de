"""Says what is going on, a line a step, with how long it took."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Progress:
    """Prints steps to standard output."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """Print one line, with the seconds since the beginning before it.

        :param text: the line.
        """
        print(f"{time.monotonic() - self._began:6.1f} s  {text}", flush=True)

    @contextmanager
    def step(self, text: str) -> Iterator[list[str]]:
        """Print one line when a step is done, with its seconds.

        :param text: what is done.
        :return: a list; what is put into it is printed behind the text.
        """
        remarks: list[str] = []
        began = time.monotonic()
        yield remarks
        self.say(": ".join([text, *remarks]) + f" ({time.monotonic() - began:.1f} s)")
