"""The SQL files beside this module."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent


@cache
def statement(name: str) -> str:
    """Return the text of ``<name>.sql``; parameters stand in it as ``%(name)s``."""
    return (_FOLDER / f"{name}.sql").read_text(encoding="utf-8")
