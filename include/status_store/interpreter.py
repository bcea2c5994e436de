"""What Python is told while pages come: how long a thread may go on, and where no garbage need be looked for."""

from __future__ import annotations

import gc
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Seconds. A thread that has waited for PostgreSQL is to go on at once, not after Python's usual five milliseconds.
_TURN = 0.00005


class _Tuning:
    """The settings of the whole process: the first who wants them makes them, the last one puts them back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._usual_turn = 0.0
        self._has_set_aside = False

    def begin(self) -> None:
        with self._lock:
            self._users += 1
            if self._users > 1:
                return
            self._usual_turn = sys.getswitchinterval()
            sys.setswitchinterval(_TURN)
            # What somebody else has set aside cannot be told from ours afterwards.
            self._has_set_aside = not gc.get_freeze_count()
            if self._has_set_aside:
                gc.freeze()

    def end(self) -> None:
        with self._lock:
            self._users -= 1
            if self._users:
                return
            sys.setswitchinterval(self._usual_turn)
            if self._has_set_aside:
                gc.unfreeze()


_tuning = _Tuning()


@contextmanager
def tuned() -> Iterator[None]:
    """Let threads take turns more often, and look for garbage among what is made from now on alone.

    Of Airflow there are some hundred thousand objects: to look through them takes a tenth of a second, in which no page
    is asked for or stored.
    """
    _tuning.begin()
    try:
        yield
    finally:
        _tuning.end()
