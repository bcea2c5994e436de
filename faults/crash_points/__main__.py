"""``make crash-points``: play every schedule, print how many there were, and the name of each that went wrong.

``python -m faults.crash_points 'NAME'`` plays one from its name again, with its log.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from faults.crash_points import stops
from faults.crash_points.schedules import LIVING, Points, pairs
from faults.crash_points.stage import PAGES, ROWS_A_PAGE, Stage
from faults.crash_points.stops import Action
from faults.forker import Forker
from faults.simulated import small_pages
from include.status_store.migrate import upgrade
from local_airflow import embedded, environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from faults.crash_points.stage import Played
    from faults.crash_points.stops import Schedule
    from faults.simulated import SetValue

TOLD_EVERY = 60


class Players:
    """Plays schedules on several stages at once, and keeps count.

    :param server: the PostgreSQL in which each stage gets a store of its own.
    :param set_value: sets a module's value, as ``setattr`` does; a test's takes it back in the end.
    :param loud: let the runs' logs through.
    """

    def __init__(
        self, server: embedded.Server, stages: int, set_value: SetValue = setattr, *, loud: bool = False
    ) -> None:
        small_pages(set_value, ROWS_A_PAGE)
        self._server = server
        self._stages = stages
        self._loud = loud
        self._opened = ExitStack()
        self._local = threading.local()
        self._told = time.monotonic()
        self.count = 0
        self.found_late = 0
        self.wrong: list[Played] = []

    def __enter__(self) -> Self:
        template = self._server.fresh_database("crash_points_template")
        upgrade(self._server.dsn(template))
        self.forker = self._opened.enter_context(Forker(loud=self._loud))
        free = []
        for _ in range(self._stages):
            store = self._server.fresh_database("crash_points", template=template)
            free.append(self._opened.enter_context(Stage(self._server.dsn(store), self.forker)))
        # Each thread takes a stage for good.
        self._pool = self._opened.enter_context(
            ThreadPoolExecutor(self._stages, initializer=lambda: setattr(self._local, "stage", free.pop()))
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def play(self, schedules: Iterable[Schedule]) -> Iterator[Played]:
        """Play schedules; yield what became of each, in their order."""
        waiting = iter(schedules)
        under_way = [
            self._pool.submit(self._play, schedule) for schedule in itertools.islice(waiting, 4 * self._stages)
        ]
        while under_way:
            played = under_way.pop(0).result()
            under_way += [self._pool.submit(self._play, schedule) for schedule in itertools.islice(waiting, 1)]
            self._note(played)
            yield played

    def _play(self, schedule: Schedule) -> Played:
        stage: Stage = self._local.stage
        return stage.play(schedule)

    def _note(self, played: Played) -> None:
        self.count += 1
        self.found_late += played.found_late > 0
        if played.wrong:
            self.wrong.append(played)
            print(f"WRONG: {stops.name(played.schedule)}\n    " + "\n    ".join(played.wrong), flush=True)
        if time.monotonic() - self._told > TOLD_EVERY:
            self._told = time.monotonic()
            print(f"{self.count} schedules so far, {len(self.wrong)} wrong", flush=True)


@contextmanager
def players(stages: int, *, loud: bool = False) -> Iterator[Players]:
    """Players with a PostgreSQL of their own."""
    with (
        tempfile.TemporaryDirectory(prefix="crash-points-") as home,
        embedded.shared(Path(home), durable=False) as server,
        Players(server, stages, loud=loud) as ready,
    ):
        yield ready


def play_all(ready: Players, every: int, first: int) -> None:
    """Play every single stop, and every pair, or each so many-th of them from the ``first`` one on."""
    began = time.monotonic()
    points = Points(ready.play)
    drain = {point for point in points.clean if point.startswith("drain")}
    print(f"boundaries: {len(drain)} of a drain of {PAGES} pages, {len(points.after_loss)} of the run after a loss")
    singles = list(ready.play(points.singles()))
    alone = Counter(str(played.schedule[-1].action) for played in singles)
    print("alone: " + ", ".join(f"{count} {action}" for action, count in alone.items()), flush=True)
    firsts = [
        played
        for played in singles
        if not played.wrong and len(played.schedule) == 1
        and played.schedule[0].point in drain and played.schedule[0].action in (Action.DIE, *LIVING)
    ]  # fmt: skip
    count = sum(1 for _ in ready.play(itertools.islice(pairs(firsts), first - 1, None, every)))
    print(f"in pairs: {count}" + (f" (each {every}th, from number {first} on)" if every > 1 else ""))
    seconds = time.monotonic() - began
    print(f"of them, rows that were taken late and found by the next re-read of their date: {ready.found_late}")
    print(f"{ready.count} schedules, {len(ready.wrong)} wrong, {seconds:.0f} s")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m faults.crash_points", description=__doc__)
    parser.add_argument("name", nargs="*", help="play these schedules only, by their names")
    parser.add_argument("--stages", type=int, default=2 * (os.cpu_count() or 1), help="schedules at once")
    parser.add_argument("--every", type=int, default=1, help="play each so many-th pair only")
    parser.add_argument("--first", type=int, default=1, help="begin with this pair: with --every 4, one of 1 to 4")
    wanted = parser.parse_args()
    environment.forget_installation(os.environ)
    with players(1 if wanted.name else wanted.stages, loud=bool(wanted.name)) as ready:
        if not wanted.name:
            play_all(ready, wanted.every, wanted.first)
        for played in ready.play(map(stops.named, wanted.name)):
            for told in played.told:
                print(f"a run: drain {told.drain}, recovery {told.recovery}")
            print(f"{stops.name(played.schedule)}: {'; '.join(played.wrong) or 'all is right'}")
    return bool(ready.wrong)


if __name__ == "__main__":
    sys.exit(main())
