"""Rows into a table by COPY, in bounded memory: the server takes the first ones while the next are still being made."""

from __future__ import annotations

import io
import itertools
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import psycopg2

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from psycopg2.extensions import cursor as Cursor

# Some hundred kilobytes of events.
ROWS_AT_ONCE = 1000
_AT_ONCE = 64 * 1024
# PostgreSQL's text format of COPY; the backslash comes first, since each of the others brings one.
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_NULL = "\\N"
_BINARY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_COUNT, _LENGTH = struct.Struct("!h"), struct.Struct("!i")
_NULL_CELL = _LENGTH.pack(-1)


class _Lines:
    """What psycopg2 reads from, as from a file. It would take an error in here for one of the server's."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self._rows = iter(rows)
        self.error: Exception | None = None

    def read(self, _size: int = 0, /) -> bytes:
        try:
            return as_lines(list(zip(*itertools.islice(self._rows, ROWS_AT_ONCE), strict=True)))
        except Exception as error:
            self.error = error
            raise


def as_lines(columns: Iterable[Sequence[Any]], *, before: str = "") -> bytes:
    """Return rows as PostgreSQL's text format of COPY has them.

    Column by column, since most columns need nothing done to them.

    :param columns: each with its value in every row; None is null.
    :param before: what each line begins with, as it is to stand there.
    """
    lines = [*map("\t".join, zip(*map(_cells, columns), strict=True))]
    return "".join((before, f"\n{before}".join(lines), "\n")).encode() if lines else b""


def copy_lines(cursor: Cursor, copy: str, lines: bytes) -> None:
    """Copy :func:`as_lines` into a table.

    :param copy: the statement ``COPY table (columns) FROM STDIN``.
    """
    cursor.copy_expert(copy, io.BytesIO(lines), len(lines))


def copy_rows(cursor: Cursor, copy: str, rows: Iterable[Sequence[Any]]) -> int:
    """Copy rows into a table.

    :param copy: the statement ``COPY table (columns) FROM STDIN``.
    :param rows: values in the order of those columns; None is null. What making them raises is raised here.
    :return: how many rows.
    """
    lines = _Lines(rows)
    try:
        cursor.copy_expert(copy, lines)  # type: ignore[arg-type] # all that it calls is `read`
    except Exception:
        if lines.error is not None:
            raise lines.error from None
        raise
    return cursor.rowcount


def copy_across(source: Cursor, out: str, target: Cursor, into: str) -> int:
    """Copy what a statement of one connection gives into a table of another, in bounded memory.

    :param out: the statement ``COPY (SELECT …) TO STDOUT``, of ``source``'s connection.
    :param into: the statement ``COPY table (columns) FROM STDIN``, of ``target``'s.
    :return: how many rows. Both connections must have one ``client_encoding``.
    :raises psycopg2.Error: of the side that failed first, with its cursor.
    """
    reads, writes = os.pipe()

    def send() -> None:
        with os.fdopen(writes, "wb", buffering=_AT_ONCE) as pipe:
            source.copy_expert(out, pipe)

    with ThreadPoolExecutor(max_workers=1) as helper:
        # Where the one side fails its end of the pipe is closed, and the other side ends too.
        sending = helper.submit(send)
        try:
            with os.fdopen(reads, "rb", buffering=0) as pipe:
                target.copy_expert(into, pipe, _AT_ONCE)
        except psycopg2.Error:
            # The target may only have refused the cut stream that a source left which failed; where the target failed
            # first, the source found its pipe broken.
            failed = sending.exception()
            if failed is not None and not isinstance(failed, BrokenPipeError):
                raise failed from None
            raise
        sending.result()
    return target.rowcount


def _cells(column: Sequence[Any]) -> Sequence[str]:
    texts = column
    try:
        together = "".join(texts)
    except TypeError:  # not texts alone
        texts = ["" if value is None else str(value) for value in column]
        together = "".join(texts)
    for special, escape in _ESCAPES.items():
        if special in together:
            texts = [text.replace(special, escape) for text in texts]
    if texts is column:
        return texts
    return [_NULL if value is None else text for value, text in zip(column, texts, strict=True)]


def copy_bytes(cursor: Cursor, copy: str, values: Sequence[bytes | None]) -> None:
    """Copy one row in PostgreSQL's binary format: a large ``bytea`` goes over as it is, and is not read as text.

    :param copy: the statement ``COPY table (columns) FROM STDIN (FORMAT binary)``.
    :param values: in the order of those columns, each in its type's binary form; None is null.
    """
    cells = (_NULL_CELL if value is None else _LENGTH.pack(len(value)) + value for value in values)
    content = b"".join((_BINARY_HEAD, _COUNT.pack(len(values)), *cells, _COUNT.pack(-1)))
    cursor.copy_expert(copy, io.BytesIO(content), len(content))
