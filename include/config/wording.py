"""Words that fit a number, in what people are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")
# Narrow and never broken at a line's end; a comma is a decimal sign to a Nordic reader.
_BETWEEN_GROUPS = "\u202f"


def grouped(number: int) -> str:
    """Return a whole number in groups of three."""
    return f"{number:,}".replace(",", _BETWEEN_GROUPS)


def grouped_money(amount: Decimal) -> str:
    """Return an amount as :func:`plain_money` does, in groups of three."""
    return f"{amount:,.{_digits(amount)}f}".replace(",", _BETWEEN_GROUPS)


def plain_money(amount: Decimal) -> str:
    """Return an amount with two digits at least, and none dropped of those there are but zeros at the end."""
    return f"{amount:.{_digits(amount)}f}"


def _digits(amount: Decimal) -> int:
    fraction = f"{amount:f}".partition(".")[2].rstrip("0")
    return max(2, len(fraction))


def worded(number: int, one: T, several: T) -> T:
    """Return the words for one thing, or those for several."""
    return one if number == 1 else several


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: 1 break, 2 breaks."""
    return f"{grouped(number)} {worded(number, noun, plural or f'{noun}s')}"
