"""``make bench``: every measurement in one go. Options are given as in ``make bench ARGS=--quick``.

It prints the table, and writes all that was measured in full size, now or before, between the README's markers.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from benchmarks import comparison, dags, drain, page, report
from benchmarks.report import Measured
from benchmarks.stage import stage
from local_airflow import environment

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.report import Line
    from benchmarks.stage import Stage

    Bench = Callable[[Stage, int, int], list[Line]]

# Each is given the stage, the share of the full size (1 or 10 of it is a tenth), and the rounds.
BENCHES: dict[str, Bench] = {
    "drain": lambda on, part, rounds: drain.bench(on, rows=200_000 // part, rounds=rounds, long_rows=2_000_000 // part),
    "reread": lambda on, part, rounds: drain.bench_reread(on, rows=100_000 // part, rounds=rounds),
    "comparison": lambda on, part, rounds: comparison.bench(on, invoices=1_000_000 // part, rounds=rounds),
    "day": lambda on, part, rounds: comparison.bench_day(
        on, small=1_000_000 // part, large=5_000_000 // part, rounds=rounds
    ),
    "page": lambda on, part, rounds: page.bench(on, invoices=1_000_000 // part, rounds=rounds),
    "dags": lambda on, part, rounds: dags.bench(on, dates=365 // part, run=30 // part, rounds=rounds),
}


def main() -> None:
    """Measure, print, and write the README's table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the size, one round; the README stays")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each measurement (3)")
    parser.add_argument("--only", choices=BENCHES, nargs="+", default=list(BENCHES), help="some of them")
    options = parser.parse_args()
    environment.forget_installation(os.environ)
    part, rounds = (10, 1) if options.quick else (1, options.rounds)
    measured: list[Measured] = []
    with stage() as on:
        for name in options.only:
            measured.append(Measured.now(name, BENCHES[name](on, part, rounds)))
            if not options.quick:
                report.keep(measured[-1])
    print(report.table(measured))
    if not options.quick:
        report.write(report.kept(BENCHES))


if __name__ == "__main__":
    main()
