"""The README's table, between its two markers."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
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


@dataclass(frozen=True)
class Measured:
    """What one benchmark measured.

    :param name: of the benchmark.
    :param of: the commit, with ``+`` where files were changed since; ``on``: the day.
    :param load: of the machine over the last 15 minutes, when it was measured.
    """

    name: str
    lines: list[Line]
    of: str
    on: str
    load: float

    @classmethod
    def now(cls, name: str, lines: list[Line]) -> Measured:
        """What was measured just now."""
        today = datetime.datetime.now(datetime.UTC).date()
        return cls(name, lines, of=_commit(), on=today.isoformat(), load=round(os.getloadavg()[2], 1))


HEAD = ("what", "ours", "against", "ratio", "goal", "reached")


def keep(measured: Measured) -> None:
    """Keep what one benchmark measured in full size, for the table."""
    KEPT.mkdir(parents=True, exist_ok=True)
    (KEPT / f"{measured.name}.json").write_text(json.dumps(asdict(measured)), encoding="utf-8")


def kept(names: Iterable[str]) -> list[Measured]:
    """What the benchmarks of these names measured last in full size."""
    files = [file for file in (KEPT / f"{name}.json" for name in names) if file.exists()]
    found = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    return [Measured(**each | {"lines": [Line(**line) for line in each["lines"]]}) for each in found]


def table(measured: list[Measured]) -> str:
    """All that was measured as a Markdown table, with on what, and of which commits where they are not one."""
    lines = [line for each in measured for line in each.lines]
    rows = [HEAD, tuple("---" for _ in HEAD), *(line.cells() for line in lines)]
    drawn = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"{drawn}\n\n{machine()} {_when(measured)}".rstrip()


def machine() -> str:
    """What the figures are measured on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"Measured with `make bench` on {os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, "
        "the embedded PostgreSQL with its defaults (`fsync` on). Medians of alternating rounds; a ratio is the median "
        "of the rounds' ratios."
    )


def _when(measured: list[Measured]) -> str:
    """When it was measured: once, or each benchmark for itself where they were not all measured in one go."""
    loads = [each.load for each in measured]
    if len({(each.of, each.on) for each in measured}) == 1:
        span = f"{min(loads)} to {max(loads)}" if min(loads) < max(loads) else f"{loads[0]}"
        return f"Measured on {measured[0].on} of {measured[0].of}, at a load of {span} over the last 15 minutes."
    each_for_itself = (f"{each.name} on {each.on} of {each.of} at a load of {each.load}" for each in measured)
    return f"Not in one go: {', '.join(each_for_itself)}." if measured else ""


def _commit() -> str:
    """The commit that is measured, or that it is none: of an archive, say."""

    def git(*arguments: str) -> str:
        return subprocess.run(("git", *arguments), cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = "+" if git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!README.md") else ""
        return git("rev-parse", "--short=9", "HEAD") + changed
    except (OSError, subprocess.CalledProcessError):
        return "no commit"


def write(measured: list[Measured], readme: Path = ROOT / "README.md") -> None:
    """Put the table between the markers.

    :raises ValueError: if the file lacks them.
    """
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{readme}: expected the markers {BEGIN} and {END}")
    readme.write_text(f"{before}{BEGIN}\n{table(measured)}\n{END}{after}", encoding="utf-8")
