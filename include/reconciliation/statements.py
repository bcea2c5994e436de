"""The SQL files beside this module, and the answers of those that give one row."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg2.extensions import cursor as Cursor

_FOLDER = Path(__file__).parent


@cache
def statement(name: str) -> str:
    """Return the text of ``<name>.sql``; parameters stand in it as ``%(name)s``."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def only_row(cursor: Cursor) -> tuple[Any, ...]:
    """Return the row of a statement that gives exactly one.

    :raises LookupError: where it gave none.
    """
    row = cursor.fetchone()
    if row is None:
        raise LookupError("a statement that gives one row gave none")
    return row
