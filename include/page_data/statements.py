"""The SQL files beside this module, and their rows as structs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from include.status_store.rows import Row, named_rows, rows_by_profile
from include.status_store.statements import statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg2.extensions import cursor as Cursor

statement = statements(__package__)


def rows_of(cursor: Cursor, kind: type[Row], name: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Run ``<name>.sql`` and return its rows; its columns are the fields of ``kind``, by name."""
    cursor.execute(statement(name), parameters)
    return [msgspec.convert(row, kind) for row in named_rows(cursor)]


def rows_of_each(
    cursor: Cursor, kind: type[Row], name: str, profiles: Sequence[str], parameters: Mapping[str, Any] | None = None
) -> dict[str, list[Row]]:
    """Run ``<name>.sql`` for profiles and return each one's rows; the column ``profile`` is no field of ``kind``."""
    cursor.execute(statement(name), {**(parameters or {}), "profiles": list(profiles)})
    found = rows_by_profile(cursor, profiles)
    return {profile: [msgspec.convert(row, kind) for row in rows] for profile, rows in found.items()}


def row_of_each(
    cursor: Cursor, kind: type[Row], name: str, profiles: Sequence[str], parameters: Mapping[str, Any] | None = None
) -> dict[str, Row]:
    """Run ``<name>.sql``, which gives one row a profile, and return them."""
    return {profile: row for profile, [row] in rows_of_each(cursor, kind, name, profiles, parameters).items()}


def row_of(cursor: Cursor, kind: type[Row], name: str, parameters: Mapping[str, Any]) -> Row:
    """Run ``<name>.sql``, which gives one row, and return it."""
    [row] = rows_of(cursor, kind, name, parameters)
    return row
