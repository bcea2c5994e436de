"""Which event, job and invoice a row names that is no event, as far as it can be read."""

from __future__ import annotations

import json

import msgspec


class RowNames(msgspec.Struct, frozen=True):
    """The keys of a row as trimmed texts; an empty one is missing, or cannot be read."""

    statusid: str = ""
    billnum: str = ""
    jobid: str = ""


def row_names(raw: bytes) -> RowNames:
    """Return the keys that a row names."""
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError):
        return RowNames()
    if not isinstance(row, dict):
        return RowNames()
    return RowNames(*(_key(row.get(name)) for name in RowNames.__struct_fields__))


def _key(value: object) -> str:
    return str(value).strip() if isinstance(value, str | int) else ""
