"""What a home remembers of the demo: where its stand-in of Ropo One listens, and the day its data was made for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "demo.json"


def record_simulator(home: Path, simulator: dict[str, str]) -> None:
    """Remember the stand-in.

    :param home: the demo's home.
    :param simulator: its ``url``, ``cid``, ``apicode`` and ``today`` (the day its data was made for, YYYY-MM-DD).
    """
    file = home / _FILE
    draft = file.with_suffix(".draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(simulator))
    draft.replace(file)


def recorded_simulator(home: Path) -> dict[str, str] | None:
    """The stand-in that was recorded last.

    :param home: the demo's home.
    :return: as given to :func:`record_simulator`; None where no demo has run.
    """
    try:
        return dict(json.loads((home / _FILE).read_text()))
    except FileNotFoundError:
        return None
