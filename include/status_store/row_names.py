"""What a row says that is no event, as far as it can be read: its fields, and which event, job and invoice it names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from include.status_store.fields import LONGEST_ID

if TYPE_CHECKING:
    from collections.abc import Mapping


class RowNames(msgspec.Struct, frozen=True):
    """The keys of a row as trimmed texts; an empty one is missing, or cannot be read."""

    statusid: str = ""
    billnum: str = ""
    jobid: str = ""


def readable_fields(raw: bytes) -> dict[str, object]:
    """Return a row's fields, numbers as the texts that they are written as; none where it is no JSON object."""
    try:
        # Of a row with a byte that is no text the other fields can be read all the same.
        row = json.loads(raw.decode(errors="replace"), parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def row_names(raw: bytes) -> RowNames:
    """Return the keys that a row names."""
    return names_in(readable_fields(raw))


def names_in(fields: Mapping[str, object]) -> RowNames:
    """Return the keys among a row's fields."""
    return RowNames(*(_key(fields.get(name)) for name in RowNames.__struct_fields__))


def _key(value: object) -> str:
    key = value.strip() if isinstance(value, str) else ""
    # What else may stand in JSON's texts, as a NUL, PostgreSQL cannot be asked about; and no index takes any length.
    return key if key.isprintable() and len(key) <= LONGEST_ID else ""
