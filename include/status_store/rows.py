"""The rows of a statement that was run: their columns by name, as structs, or the one row that it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from psycopg2.extensions import cursor as Cursor

Row = TypeVar("Row", bound=msgspec.Struct)


def named_rows(cursor: Cursor) -> list[dict[str, Any]]:
    """Return the rows, each value by its column's name."""
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rows_by_profile(cursor: Cursor, profiles: Iterable[str]) -> dict[str, list[dict[str, Any]]]:
    """Return each profile's rows by its name, the column ``profile`` taken off; none where it has none."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in profiles}
    for row in named_rows(cursor):
        found[row.pop("profile")].append(row)
    return found


def structs(cursor: Cursor, kind: type[Row]) -> list[Row]:
    """Return the rows as structs; the columns are the fields of ``kind``, by name, in their types."""
    return [kind(**row) for row in named_rows(cursor)]


def only_row(cursor: Cursor) -> tuple[Any, ...]:
    """Return the row of a statement that gives exactly one.

    :raises LookupError: if it gave none.
    """
    row = cursor.fetchone()
    if row is None:
        raise LookupError("a statement that gives one row gave none")
    return row
