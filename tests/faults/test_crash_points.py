"""Every single crash point: whatever is stopped where, the next runs bring the store to the server's truth."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from faults.crash_points import stops
from faults.crash_points.__main__ import Players
from faults.crash_points.consumer import LATE
from faults.crash_points.schedules import Points, pairs
from faults.crash_points.stops import Action, Stop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection as Pipe

    from faults.crash_points.stage import Played
    from local_airflow.embedded import Server


@pytest.fixture(scope="module")
def players(postgres: Server) -> Iterator[Players]:
    with pytest.MonkeyPatch.context() as patch, Players(postgres, 2 * (os.cpu_count() or 1), patch.setattr) as players:
        yield players


@pytest.fixture(scope="module")
def points(players: Players) -> Points:
    return Points(players.play)


def test_a_run_passes_every_kind_of_boundary(points: Points) -> None:
    """A boundary that is not passed is not tried."""
    passed = {point.replace("#", "/").split("/")[-1] for point in points.clean + points.after_loss}
    edges = {f"{kind}:{edge}" for kind in ("commit", "lock", "unlock") for edge in ("before", "sent", "acknowledged")}
    edges |= {"request:before", "request:begun", "request:answered", "request:read-1", "request:read-2"}
    assert edges <= passed
    assert {f"drain/land#{page}/commit:sent" for page in (1, 2, 3)} <= set(points.clean)
    stored = {f"{phase}/Storing._store#{page}/commit:sent" for phase in ("drain", LATE) for page in (1, 2, 3)}
    assert stored <= set(points.clean)
    assert sum(point.startswith("recover/Recovery._tick") for point in points.after_loss) == 9
    assert points.wrong == []


@pytest.mark.timeout(900)
@pytest.mark.parametrize("action", [Action.DIE, Action.LOST_SECOND], ids=str)
def test_every_single_crash_point(players: Players, points: Points, action: Action) -> None:
    before = len(players.wrong)

    count = sum(1 for _ in players.play(points.singles([action])))

    assert told(players.wrong[before:]) == []
    assert count > 100


@pytest.mark.timeout(900)
def test_a_page_that_is_taken_late_is_found_by_the_next_reread(players: Players) -> None:
    """The one pair of stops that the recovery of a doubt cannot see: see docs/faults.md."""
    request = "drain/RopoOneHook._poll_once#2/request"
    late = (Stop(Action.LOST_SECOND, f"{request}:before"), Stop(Action.DIE, f"{request}:answered"))

    (played,) = players.play([late])

    assert (played.wrong, played.found_late) == ([], 2)


@pytest.mark.timeout(900)
def test_pairs_of_a_commit_that_is_not_acknowledged(players: Players) -> None:
    """One of the rows of the full run, so that pairs are known to be played: all second stops after a lost answer."""
    (first,) = players.play([(Stop(Action.DIE, "drain/land#2/commit:sent"),)])
    schedules = [pair for pair in pairs([first]) if pair[1].action is Action.DIE and "land" in pair[1].point]

    wrong = [played for played in players.play(schedules) if played.wrong]

    assert told(wrong) == []
    assert len(schedules) > 5


def told(wrong: list[Played]) -> list[str]:
    return [f"{stops.name(played.schedule)}: {'; '.join(played.wrong)}" for played in wrong]


def test_a_late_drain_stores_the_events_of_a_page_after_the_next_one_has_landed(points: Points) -> None:
    order = {phase: [point for point in points.clean if point.startswith(f"{phase}/")] for phase in ("drain", LATE)}
    stored, landed = "Storing._store#1/commit:before", "land#2/commit:acknowledged"

    assert order["drain"].index(f"drain/{stored}") < order["drain"].index(f"drain/{landed}")
    assert order[LATE].index(f"{LATE}/{stored}") > order[LATE].index(f"{LATE}/{landed}")


def test_a_schedule_is_played_again_from_its_name() -> None:
    schedule = (Stop(Action.LOST_SECOND, "drain/land#2/commit:sent"), Stop(Action.DIE, "recover/land#1/commit:before"))

    assert stops.named(stops.name(schedule)) == schedule
    with pytest.raises(ValueError, match="ACTION@POINT"):
        stops.named("die")


def test_a_forked_process_dies_as_a_killed_one_does(players: Players) -> None:
    """No handler runs: what it held is closed by the kernel, and its pipe is at its end."""
    with players.forker.start(say_and_hang) as process:
        assert process.hear() == "here"
        process.kill()
        with pytest.raises(EOFError):
            process.hear()


def say_and_hang(pipe: Pipe) -> None:
    try:
        pipe.send("here")
        pipe.recv()
    finally:
        pipe.send("a handler ran")
