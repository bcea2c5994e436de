"""The SQL files beside this module, and their rows as structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from include.status_store.rows import Row, named_rows
from include.status_store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg2.extensions import cursor as Cursor

statement = statements(__package__)


def rows_of(cursor: Cursor, kind: type[Row], name: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Run ``<name>.sql`` and return its rows; its columns are the fields of ``kind``, by name."""
    cursor.execute(statement(name), parameters)
    return [msgspec.convert(row, kind) for row in named_rows(cursor)]


def row_of(cursor: Cursor, kind: type[Row], name: str, parameters: Mapping[str, Any]) -> Row:
    """Run ``<name>.sql``, which gives one row, and return it."""
    [row] = rows_of(cursor, kind, name, parameters)
    return row
