"""``make soak``: rounds of trouble on one store, then its books: what struck how often, what was lost, what doubled."""

from __future__ import annotations

import argparse
import functools
import operator
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from faults.soak import scheduler as restarts
from faults.soak.ground import Books, Ground
from faults.soak.trouble import KINDS, not_possible, plan_server_fault
from local_airflow import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence

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


class Result(msgspec.Struct):
    """What came of the rounds.

    :param not_run: kinds of trouble that this machine cannot play, and why.
    :param played: rounds of each kind; ``struck``: what they did; ``hits``: the server's faults in all rounds.
    """

    not_run: dict[str, str]
    played: dict[str, int] = msgspec.field(default_factory=Counter)
    struck: dict[str, int] = msgspec.field(default_factory=Counter)
    hits: dict[str, int] = msgspec.field(default_factory=Counter)
    books: Books = msgspec.field(default_factory=Books)

    def __add__(self, other: Result) -> Result:
        """Both."""
        return Result(
            {**self.not_run, **other.not_run},
            Counter(self.played) + Counter(other.played),
            Counter(self.struck) + Counter(other.struck),
            Counter(self.hits) + Counter(other.hits),
            self.books + other.books,
        )

    def __str__(self) -> str:
        """The result, as a table."""
        lines = [_line("rounds", sum(self.played.values()))]
        for kind in (*KINDS, restarts.KIND):
            lines.append(_line(f"  {kind}", self.played.get(kind, 0)))
            if kind in self.not_run:
                lines.append(f"    NOT RUN: {self.not_run[kind]}")
            of_kind = {what: count for what, count in sorted(self.struck.items()) if what.startswith(f"{kind}: ")}
            lines += [_line(f"    {what.removeprefix(f'{kind}: ')}", count) for what, count in of_kind.items()]
        lines.append("faults of the server that struck, in all rounds")
        lines += [_line(f"  {name}", count) for name, count in sorted(self.hits.items())]
        books = self.books
        lines += [
            _line("changes handed out", books.handed_out),
            _line("events held", books.held),
            _line("pages that did not arrive", books.pages_lost),
            _line("loss windows named in the journal", books.doubts),
            _line("  changes that their re-reads brought", books.found_by_recovery),
            _line("  changes that only the date's own re-read did", books.found_by_date),
            _line("lost", books.lost),
            _line("doubled", books.doubled),
        ]
        return "\n".join([*lines, *(f"WRONG: {wrong}" for wrong in books.wrong)])


def _line(what: str, count: int) -> str:
    return f"{what:<48}{count:>8,}"


def play(ground: Ground, rounds: int, *, scheduler: int = 0, tell: Callable[[str], object] = print) -> Result:
    """Play so many rounds.

    :param scheduler: rounds beside them on a real Airflow, whose scheduler is restarted.
    :param tell: is told how far it is.
    """
    played: Counter[str] = Counter()
    strikes: Counter[str] = Counter()
    result = Result(not_possible(ground), played, strikes, books=ground.books)
    for number, kind in enumerate(_kinds(ground, rounds, result.not_run), start=1):
        ground.add_rows()
        if kind != "server's fault" and ground.rng.random() < BOTH:
            plan_server_fault(ground)
        struck = KINDS[kind](ground)
        played[kind] += 1
        if struck:
            strikes[f"{kind}: {struck}"] += 1
        if number % ROUNDS_A_QUEUE == 0 or number == rounds:
            ground.close_queue()
            tell(f"{number} rounds, {ground.books.lost} lost, {ground.books.doubled} doubled")
    if scheduler:
        strikes += restarts.play(ground, scheduler, tell)
        played[restarts.KIND] = scheduler
    result.hits = ground.ropo.faults.hits
    return result


def _kinds(ground: Ground, rounds: int, not_run: Container[str]) -> Sequence[str]:
    possible = [kind for kind in KINDS if kind not in not_run]
    weights = [WEIGHTS[kind] for kind in possible]
    kinds = [*possible, *ground.rng.choices(possible, weights, k=max(0, rounds - len(possible)))]
    ground.rng.shuffle(kinds)
    return kinds[:rounds]


def play_side_by_side(rounds: int, seed: int, parts: int, scheduler: int) -> Result:
    """Play the rounds in processes of their own, each with its own store and server; one has the Airflow."""
    shares = [rounds // parts + (part < rounds % parts) for part in range(parts)]
    command = [sys.executable, "-m", "faults.soak", "--parts", "1", "--json", "--rounds"]
    processes = [
        subprocess.Popen(
            [*command, str(share), "--seed", str(seed + part), "--scheduler", str(0 if part else scheduler)],
            stdout=subprocess.PIPE,
        )
        for part, share in enumerate(shares)
        if share
    ]
    try:
        return functools.reduce(operator.add, map(_result_of, processes))
    finally:
        # Where one has failed the others need not go on; each takes down what it has set up.
        for process in processes:
            process.send_signal(signal.SIGINT)
            process.wait()


def _result_of(process: subprocess.Popen[bytes]) -> Result:
    *_, last = process.communicate()[0].splitlines() or [b""]
    if not last.startswith(b"{"):
        raise SystemExit("A part has failed; its error stands above.")
    return msgspec.json.decode(last, type=Result)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m faults.soak", description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    parser.add_argument("--seed", type=int, default=20261125, help="of all that is left to chance")
    parser.add_argument("--parts", type=int, default=2, help="stores that are played on side by side")
    parser.add_argument("--scheduler", type=int, default=10, help="rounds of them on a real Airflow")
    parser.add_argument("--json", action="store_true", help="the result as JSON, in the last line")
    wanted = parser.parse_args()
    # Of each part some are without the Airflow: they close the books.
    apart = wanted.scheduler if wanted.parts > 1 else 0
    if wanted.rounds - apart < wanted.parts:
        parser.error(f"--rounds: expected {apart + wanted.parts} or more, got {wanted.rounds}")
    environment.forget_installation(os.environ)
    began = time.monotonic()
    if wanted.parts > 1:
        rounds = wanted.rounds - wanted.scheduler
        result = play_side_by_side(rounds, wanted.seed, wanted.parts, wanted.scheduler)
    else:
        with Ground(wanted.seed) as ground:
            tell = functools.partial(print, file=sys.stderr, flush=True)
            result = play(ground, wanted.rounds, scheduler=wanted.scheduler, tell=tell)
    if wanted.json:
        print(msgspec.json.encode(result).decode())
    else:
        print(result)
        print(f"seed {wanted.seed}, {wanted.parts} stores side by side, {time.monotonic() - began:.0f} s")
    return bool(result.books.wrong)


if __name__ == "__main__":
    sys.exit(main())
