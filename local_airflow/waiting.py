"""Waiting on a condition."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def until(
    condition: Callable[[], T | None],
    *,
    seconds: float = 60.0,
    every: float = 0.003,
    instead: Callable[[], object] | None = None,
) -> T:
    """Return the condition's value as soon as it is true.

    :param every: seconds between two looks.
    :param instead: tells what there is where it does not become true.
    :raises TimeoutError: if it does not become true.
    """
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < deadline:
        if value := condition():
            return value
        pause.wait(every)
    raise TimeoutError(f"not true within {seconds} s" + (f": {instead()}" if instead else ""))
