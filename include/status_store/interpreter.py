"""What Python is told while pages come: how long a thread may go on, and where no garbage need be looked for."""

from __future__ import annotations

import gc
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds. A thread that has waited for PostgreSQL is to go on at once, not after Python's usual five milliseconds.
_TURN = 0.00005


@contextmanager
def short_turns() -> Iterator[None]:
    """Let the threads of this process take turns more often."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(usual)


@contextmanager
def heap_set_aside() -> Iterator[None]:
    """Look for garbage among what is made from now on alone.

    Of Airflow there are some hundred thousand objects: to look through them takes a tenth of a second, in which no page
    is asked for or stored.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
