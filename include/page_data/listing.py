"""Pages of a long list: each begins after the last row of the one before, so that the hundredth costs as the first."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = TypeVar("Row")
PAGE_ROWS = 50


class InvalidPlaceError(ValueError):
    """What names the place in a list names none of this list."""


class Listed(msgspec.Struct, Generic[Row], frozen=True, kw_only=True):
    """A page of a list.

    :param after: names the place where the next page begins; None where there is none.
    """

    rows: list[Row]
    after: str | None


def page_or_first(read: Callable[[str | None], Listed[Row]], after: str) -> tuple[Listed[Row], bool]:
    """Return the page that begins after a place, or the first one where nothing stands there any more.

    An empty page would say nothing of the rest of the list.

    :param read: reads the page after a named place; the first one after None.
    :param after: the place's name; empty for the first page.
    :return: the page, and whether it is the first one instead of what is gone.
    """
    listed = read(after or None)
    if after and not listed.rows:
        return read(None), True
    return listed, False


def after_condition(keys: Sequence[str], *, is_descending: bool) -> str:
    """Return SQL that is true of the rows after a place, whose values are ``%(after_0)s`` and so on."""
    names = ", ".join(f"%(after_{place})s" for place in range(len(keys)))
    return f"({', '.join(keys)}) {'<' if is_descending else '>'} ({names})"


def place_name(values: Sequence[Any]) -> str:
    """Return a name for a place, fit for an address."""
    return base64.urlsafe_b64encode(msgspec.json.encode([str(value) for value in values])).decode().rstrip("=")


def place_values(name: str, keys: Sequence[str]) -> dict[str, str]:
    """Return a named place's values as parameters; PostgreSQL reads them as its columns' types.

    :raises InvalidPlaceError: if the name is none of :func:`place_name` for these keys.
    """
    try:
        padded = name + "=" * (-len(name) % 4)
        values = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=list[str])
    except (binascii.Error, ValueError) as error:
        raise InvalidPlaceError("after: it names no place in this list") from error
    # PostgreSQL's texts hold no NUL, so that no row of the list does.
    if len(values) != len(keys) or any("\x00" in value for value in values):
        raise InvalidPlaceError("after: it names no place in this list")
    return {f"after_{place}": value for place, value in enumerate(values)}
