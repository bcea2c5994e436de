"""SQL files: each stands beside the modules of its package, and is run by its name."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def statements(package: str) -> Callable[[str], str]:
    """Return what returns the text of a package's ``<name>.sql``; parameters stand in it as ``%(name)s``."""
    folder = resources.files(package)

    @cache
    def statement(name: str) -> str:
        return folder.joinpath(f"{name}.sql").read_text(encoding="utf-8")

    return statement


statement = statements(__package__)
