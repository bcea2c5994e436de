"""A parser of an earlier version, which takes less than today's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from include.status_store import fields
from include.status_store.fields import RowError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


@contextmanager
def parser_of_then(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A parser that takes no row with an amount."""

    def refuse(_: object) -> None:
        raise RowError("amount: expected another form")

    with monkeypatch.context() as fault:
        fault.setattr(fields, "amount", refuse)
        yield
