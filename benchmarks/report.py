"""The README's table, between its two markers."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from benchmarks.environments import HOME, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

KEPT = HOME / "results"
BEGIN, END = "<!-- benchmarks: begin -->", "<!-- benchmarks: end -->"


@dataclass(frozen=True)
class Line:
    """One figure.

    :param what: that was measured, with its size.
    :param figure: and ``against``: medians, with their units.
    :param ratio: ours to the peer's, in the words of the goal.
    :param goal: that is striven for; empty where there is none.
    :param reached: None where there is no goal.
    """

    what: str
    figure: str
    against: str = ""
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None

    def cells(self) -> tuple[str, ...]:
        """The line as the table's cells."""
        verdict = {True: "yes", False: "**no**", None: ""}[self.reached]
        return (self.what, self.figure, self.against, self.ratio, self.goal, verdict)


HEAD = ("what", "ours", "against", "ratio", "goal", "reached")


def keep(name: str, lines: list[Line]) -> None:
    """Keep what one benchmark measured in full size, for the table."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{name}.json").write_text(json.dumps([asdict(line) for line in lines]), encoding="utf-8")


def kept(names: Iterable[str]) -> list[Line]:
    """What the benchmarks of these names measured last in full size."""
    files = [file for file in (KEPT / f"{name}.json" for name in names) if file.exists()]
    return [Line(**line) for file in files for line in json.loads(file.read_text(encoding="utf-8"))]


def table(lines: list[Line]) -> str:
    """The lines as a Markdown table, with what they were measured on."""
    rows = [HEAD, tuple("---" for _ in HEAD), *(line.cells() for line in lines)]
    drawn = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"{drawn}\n\n{machine()}"


def machine() -> str:
    """What the figures were measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = os.getloadavg()[2]
    return (
        f"Measured with `make bench` on {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, "
        f"the embedded PostgreSQL with its defaults (`fsync` on), at a load of {load:.1f} over the last 15 minutes. "
        "Medians of alternating rounds; a ratio is the median of the rounds' ratios."
    )


def write(lines: list[Line], readme: Path = ROOT / "README.md") -> None:
    """Put the table between the markers.

    :raises ValueError: if the file lacks them.
    """
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme}: expected the markers {BEGIN} and {END}")
    readme.write_text(f"{before}{BEGIN}\n{table(lines)}\n{END}{after}", encoding="utf-8")
