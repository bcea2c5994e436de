"""Draining a queue: ours beside the floor, Airflow's stock way and `dlt`; re-reading a date that is mostly known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.environments import peer_python
from benchmarks.pages import FIRST_DAY, ROWS_A_PAGE
from benchmarks.queue_server import LOST_ROWS
from benchmarks.report import Line
from benchmarks.rounds import Contestant, alternate, run

if TYPE_CHECKING:
    from benchmarks.rounds import Results
    from benchmarks.stage import Stage

OURS, FLOOR, STOCK, DLT = "ours", "floor (requests + COPY)", "stock HttpOperator + insert_rows", "dlt (merge)"
MOST_MEGABYTES = 120
# Two peaks are equal where they differ by no more than a page and what an interpreter's memory moves by anyway.
SAME_MEGABYTES = 10


def bench(stage: Stage, *, rows: int, rounds: int, long_rows: int) -> list[Line]:
    """Let each contestant drain an equal queue, and ours a long one too.

    :param rows: in the queue.
    :param long_rows: of the long drain, whose memory must be that of one a hundredth of its size.
    """
    print(f"Drain of {rows:,} changes", flush=True)
    contestants = [
        Contestant(OURS, "our_drain"),
        Contestant(FLOOR, "floor_drain"),
        Contestant(STOCK, "stock_drain"),
        Contestant(DLT, "dlt_drain", peer_python("dlt")),
    ]
    results = alternate(contestants, lambda each: drain_once(stage, each, rows), rounds)
    ours = results[OURS]
    goals = {FLOOR: (1.0, 0.8), STOCK: (2.0, 2.0), DLT: (5.0, 5.0)}
    lines = [_faster(f"drain of {rows:,} changes", ours, results[name], rows, *goals[name]) for name in goals]
    return [*lines, _memory(stage, contestants[0], long_rows)]


def bench_reread(stage: Stage, *, rows: int, rounds: int) -> list[Line]:
    """Re-read one date, and hold a row of it against a row of the drain.

    :param rows: of the date; :data:`LOST_ROWS` more are not known yet.
    """
    print(f"Re-read of a date of {rows:,} changes", flush=True)
    contestant = Contestant("ours, re-read", "our_reread")

    def once(each: Contestant) -> dict[str, Any]:
        with stage.store() as database:
            task = {"date": FIRST_DAY.isoformat(), "lost": LOST_ROWS}
            result = run(each, task, stage.variables(database, stage.queue(rows // ROWS_A_PAGE)))
        result["seconds_a_row"] = result["seconds"] / result["rows"]
        result["of_the_drain"] = result["seconds_a_row"] / result["seconds_a_row_of_the_drain"]
        return result

    results = alternate([contestant], once, rounds)[contestant.name]
    ratio = results.median("of_the_drain")
    return [
        Line(
            f"re-read of a date of {rows:,} changes, all but {LOST_ROWS} known",
            f"{1e6 * results.median('seconds_a_row'):.0f} µs a row",
            f"our drain: {1e6 * results.median('seconds_a_row_of_the_drain'):.0f} µs a row",
            f"{ratio:.2f}",
            "≤ 1.5",
            ratio <= 1.5,
        )
    ]


def drain_once(stage: Stage, contestant: Contestant, rows: int) -> dict[str, Any]:
    """Let a contestant drain a queue of its own into an empty store; all rows must come."""
    cid = stage.queue(rows // ROWS_A_PAGE, days=10)
    with stage.store() as database:
        task = {"dsn": stage.server.dsn(database), "url": stage.url, "cid": cid}
        result = run(contestant, task, stage.variables(database, cid))
    if result["rows"] != rows:
        raise RuntimeError(f"{contestant.name}: {result['rows']} rows came, not {rows}")
    return result


def _faster(what: str, ours: Results, other: Results, rows: int, goal: float, least: float) -> Line:
    ratio = other.ratio(ours)
    wanted = f"≥ {goal:g}" + (f", never below {least:g}" if least != goal else "")
    return Line(
        what,
        f"{rows / ours.median():,.0f} rows/s, {ours.median('memory_mb'):.0f} MB",
        f"{other.name}: {rows / other.median():,.0f} rows/s, {other.median('memory_mb'):.0f} MB",
        f"{ratio:.2f} times as fast",
        wanted,
        ratio >= goal,
    )


def _memory(stage: Stage, contestant: Contestant, long_rows: int) -> Line:
    short_rows = long_rows // 100
    print(f"Memory of a drain of {short_rows:,} and of {long_rows:,} changes", flush=True)
    short, long = (drain_once(stage, contestant, rows)["memory_mb"] for rows in (short_rows, long_rows))
    return Line(
        f"memory of a drain of {long_rows:,} changes, above an interpreter with Airflow imported",
        f"{long:.0f} MB",
        f"of {short_rows:,} changes: {short:.0f} MB",
        f"{long - short:+.0f} MB",
        f"< {MOST_MEGABYTES} MB, and the same",
        long < MOST_MEGABYTES and abs(long - short) <= SAME_MEGABYTES,
    )
