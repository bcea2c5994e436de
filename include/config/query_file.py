"""The file of an ERP's SELECT."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def read_query(path: Path) -> str:
    """Return the SELECT, without the mark that some editors put before UTF-8.

    :raises ValueError: if it cannot be read or holds nothing; naming the line that is not UTF-8.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    try:
        query = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ValueError(f"line {line} is not UTF-8: save the file as UTF-8") from None
    if not query.strip():
        raise ValueError("is empty: expected a SELECT")
    return query
