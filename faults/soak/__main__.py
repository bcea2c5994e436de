"""``make soak``: rounds of trouble on one store, then its books: what struck how often, what was lost, what doubled."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

from faults.soak.ground import Ground
from faults.soak.trouble import KINDS, not_possible, plan_server_fault

if TYPE_CHECKING:
    from collections.abc import Sequence

# How often each comes, beside the others.
WEIGHTS = {
    "task killed": 6,
    "server's fault": 6,
    "lock's session terminated": 4,
    "drains race": 3,
    "PostgreSQL stopped in mid-commit": 3,
    "disk full": 2,
    "clock jumps": 2,
    "PgBouncer in between": 2,
    "token expires": 2,
}
ROUNDS_A_QUEUE = 25
# Beside its own trouble, a round may meet one of the server's.
BOTH = 0.3


class Soak:
    """The rounds, and what came of them."""

    def __init__(self, ground: Ground, rounds: int) -> None:
        self._ground = ground
        self._rounds = rounds
        self.not_run = not_possible(ground)
        self.played: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.hits: Counter[str] = Counter()

    def run(self) -> None:
        """Play the rounds."""
        for number, kind in enumerate(self._kinds(), start=1):
            self._round(kind)
            if number % ROUNDS_A_QUEUE == 0 or number == self._rounds:
                self._ground.close_queue()
                print(f"{number} rounds, {self._ground.books}", flush=True)
        self.hits = self._ground.ropo.faults.hits

    def _kinds(self) -> Sequence[str]:
        possible = [kind for kind in KINDS if kind not in self.not_run]
        weights = [WEIGHTS[kind] for kind in possible]
        kinds = [*possible, *self._ground.rng.choices(possible, weights, k=max(0, self._rounds - len(possible)))]
        self._ground.rng.shuffle(kinds)
        return kinds[: self._rounds]

    def _round(self, kind: str) -> None:
        ground = self._ground
        ground.add_rows()
        if kind != "server's fault" and ground.rng.random() < BOTH:
            plan_server_fault(ground)
        struck = KINDS[kind](ground)
        self.played[kind] += 1
        if struck:
            self.struck[f"{kind}: {struck}"] += 1

    def told(self) -> str:
        """The result, as a table."""
        books = self._ground.books
        lines = [f"{'rounds':<44}{self.played.total():>8}"]
        for kind in KINDS:
            lines.append(f"  {kind:<42}{self.played[kind]:>8}")
            lines += [f"    {what.partition(': ')[2]:<40}{n:>8}" for what, n in sorted(self.struck.items())
                      if what.startswith(f"{kind}: ")]  # fmt: skip
            if kind in self.not_run:
                lines.append(f"    NOT RUN: {self.not_run[kind]}")
        lines.append("faults of the server that struck, in all rounds")
        lines += [f"  {name:<42}{n:>8}" for name, n in sorted(self.hits.items())]
        counts = {
            "changes handed out": books.handed_out,
            "events held": books.held,
            "pages that did not arrive": books.pages_lost,
            "loss windows named in the journal": books.doubts,
            "  changes that their re-reads brought": books.found_by_recovery,
            "  changes that the date's own re-read brought": books.found_by_date,
            "lost": books.lost,
            "doubled": books.doubled,
        }
        lines += [f"{what:<44}{n:>8}" for what, n in counts.items()]
        return "\n".join([*lines, *(f"WRONG: {wrong}" for wrong in books.wrong)])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m faults.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261125)
    wanted = parser.parse_args()
    began = time.monotonic()
    with Ground(wanted.seed) as ground:
        soak = Soak(ground, wanted.rounds)
        for kind, reason in soak.not_run.items():
            print(f"NOT RUN: {kind}: {reason}", file=sys.stderr, flush=True)
        soak.run()
        print(soak.told())
        print(f"seed {wanted.seed}, {time.monotonic() - began:.0f} s")
        return bool(ground.books.wrong)


if __name__ == "__main__":
    sys.exit(main())
