"""The one error of a configuration file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class ConfigurationError(ValueError):
    """A configuration file says something that cannot be used.

    :param path: the file.
    :param where: where in it, for example ``profile 'default', key 'timezone'``.
    :param problem: what was expected and what came.
    """

    def __init__(self, path: Path, where: str, problem: str) -> None:
        super().__init__(f"{path}: {where}: {problem}")
