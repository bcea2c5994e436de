"""Rows into a table of the store by COPY, in bounded memory."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg2.extensions import cursor as Cursor

ROWS_AT_ONCE = 5_000
# PostgreSQL's text format of COPY.
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(cursor: Cursor, copy: str, rows: Iterable[Sequence[Any]]) -> int:
    """Copy rows into a table.

    :param copy: the statement ``COPY table (columns) FROM STDIN``.
    :param rows: values in the order of those columns; None is null.
    :return: how many rows.
    """
    count = 0
    iterator = iter(rows)
    while chunk := list(itertools.islice(iterator, ROWS_AT_ONCE)):
        cursor.copy_expert(copy, io.StringIO("".join(_line(row) for row in chunk)))
        count += len(chunk)
    return count


def _line(row: Sequence[Any]) -> str:
    return "\t".join("\\N" if value is None else str(value).translate(_ESCAPES) for value in row) + "\n"
