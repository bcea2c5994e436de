"""Helpers that are no threads: what runs beside the polls runs at a given moment, so that a run can be played again.

What threads can leave behind is pages without their events, none of which knows of another: either the events of a page
are stored before the next poll begins, or only where no more pages may wait for theirs, and at the drain's end.
"""

from __future__ import annotations

from concurrent.futures import Executor, Future
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class AtOnce(Executor):
    """Does what it is given when it is given it."""

    def submit(self, work: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        """Do it."""
        done: Future[T] = _Later(work, arguments, named)
        done.exception()
        return done


class AtLast(Executor):
    """Does what it is given when somebody waits for it."""

    def submit(self, work: Callable[..., T], /, *arguments: Any, **named: Any) -> Future[T]:
        """Put it off."""
        return _Later(work, arguments, named)


class _Later(Future[T]):
    def __init__(self, work: Callable[..., T], arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        super().__init__()
        self._do: Callable[[], T] = partial(work, *arguments, **named)

    def result(self, timeout: float | None = None) -> T:
        self._be_done()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._be_done()
        return super().exception(timeout)

    def _be_done(self) -> None:
        if self.running() or self.done():
            return
        self.set_running_or_notify_cancel()
        try:
            self.set_result(self._do())
        except Exception as error:  # noqa: BLE001 - raised where somebody waits for it
            self.set_exception(error)
