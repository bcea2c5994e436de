"""Secrets that are made once for each home and stay there, readable by their owner only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read_or_create(path: Path, make: Callable[[], str]) -> str:
    """Read a secret from its file; make it first if there is none.

    :param path: the file; made with mode 600.
    :param make: gives a new secret.
    :return: the secret, the same to everyone even when two create it at once.
    """
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        try:
            # A link appears whole or not at all, and not over another's.
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
