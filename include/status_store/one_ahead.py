"""What is made bit by bit, made one bit ahead of its use: the next is made while PostgreSQL has the last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


def one_ahead(items: Iterable[T]) -> Iterator[T]:
    """Yield items, none of which is None, while a thread makes the next one; what making one raises is raised here."""
    making = iter(items)
    with ThreadPoolExecutor(max_workers=1) as helper:
        coming = helper.submit(next, making, None)
        while (item := coming.result()) is not None:
            coming = helper.submit(next, making, None)
            yield item
