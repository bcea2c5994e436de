"""Contestants one after the other, round by round, and what is said of their results."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.environments import ROOT, project_python

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Contestant:
    """One that is measured.

    :param name: as the table says it.
    :param module: of ``benchmarks.peers``.
    :param python: its interpreter; by default the project's.
    """

    name: str
    module: str
    python: Path = field(default_factory=project_python)


@dataclass
class Results:
    """The results of one contestant, a dict a round."""

    name: str
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def median(self, fact: str = "seconds") -> float:
        """The median of a fact over the rounds."""
        values: list[float] = [each[fact] for each in self.rounds]
        return statistics.median(values)

    def ratio(self, other: Results) -> float:
        """The median of this one's seconds over the other's, round by round: a slow moment of the machine hits both."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        ratios: list[float] = [mine["seconds"] / theirs["seconds"] for mine, theirs in pairs]
        return statistics.median(ratios)


def run(contestant: Contestant, task: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """Run a contestant once, in a process of its own.

    :param task: what it is to do.
    :param variables: of its environment, on top of this process's.
    :return: what it measured.
    """
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "plugins")]),
        "NO_PROXY": "127.0.0.1",
        "BENCH_TASK": json.dumps(task),
        **variables,
    }
    command = [str(contestant.python), "-m", f"benchmarks.peers.{contestant.module}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{contestant.name} failed (exit {done.returncode}): {done.stderr[-3000:]}")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"  {contestant.name}: {result['seconds']:.2f} s, {result['memory_mb']:.0f} MB", flush=True)
    return result


def alternate(
    contestants: Sequence[Contestant], once: Callable[[Contestant], dict[str, Any]], rounds: int
) -> dict[str, Results]:
    """Let each run once a round.

    :param once: prepares one's work and runs it.
    :return: results by the contestants' names.
    """
    results = {each.name: Results(each.name) for each in contestants}
    for number in range(rounds):
        print(f" round {number + 1} of {rounds}", flush=True)
        for each in contestants:
            results[each.name].rounds.append(once(each))
    return results
