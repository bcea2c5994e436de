"""The benchmarks measure what they say: the same rows for everyone, all of them, and figures in the README."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from airflow.dag_processing.dagbag import DagBag

from benchmarks import backfill, comparison, drain, report
from benchmarks.pages import FIRST_DAY, ROWS_A_PAGE, Queue
from benchmarks.report import BEGIN, END, Line, Measured
from benchmarks.rounds import Contestant, Results, run
from benchmarks.stage import Stage, queue_server
from local_airflow.paths import ROOT

if TYPE_CHECKING:
    import pathlib

    from local_airflow import embedded


def rows(answer: bytes) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(answer)["result"]["status"]
    return found


def test_each_row_of_a_queue_is_its_own() -> None:
    queue = Queue(pages=3, days=3)
    every = [row for number in range(3) for row in rows(queue.page(number))]

    assert len({row["statusid"] for row in every}) == len(every) == 3 * ROWS_A_PAGE
    assert {row["statustime"][:10] for row in every} == {"2026-01-05", "2026-01-06", "2026-01-07"}


def test_a_days_answer_shows_its_pages_and_what_the_queue_lost() -> None:
    queue = Queue(pages=2)
    drained = [row for number in range(2) for row in rows(queue.page(number))]

    shown = rows(queue.day(FIRST_DAY, more=10))

    assert shown[: len(drained)] == drained
    assert len({row["statusid"] for row in shown}) == len(shown) == len(drained) + 10


@pytest.mark.parametrize("module", ["floor_drain", "our_drain"])
def test_a_contestant_drains_every_row(postgres: embedded.Server, store_template: str, module: str) -> None:
    with queue_server() as url:
        result = drain.drain_once(Stage(postgres, url, store_template), Contestant(module, module), 2 * ROWS_A_PAGE)

    assert result["rows"] == 2 * ROWS_A_PAGE
    assert result["seconds"] > 0
    assert result["memory_mb"] > 0


@pytest.mark.parametrize("invoices", [100, 300])
def test_a_day_is_compared_alone_whatever_else_the_store_holds(
    postgres: embedded.Server, store_template: str, invoices: int
) -> None:
    stage = Stage(postgres, "http://127.0.0.1:9", store_template)
    with comparison.filled(stage, "day_data.sql", invoices=invoices, day=100) as database:
        result = comparison.compare_day(stage, database, Contestant("ours", "our_comparison"), 100)

    assert result["population"] == 100


def test_the_dag_beside_a_backfill_has_the_same_tasks_in_the_same_order() -> None:
    bags = [DagBag(dag_folder=file) for file in backfill.DAGS]
    shapes = [
        {each.task_id: each.downstream_task_ids for each in bag.dags[dag].tasks}
        for bag, dag in zip(bags, (backfill.OURS, backfill.SAME_TASKS), strict=True)
    ]

    assert shapes[0] == shapes[1]
    assert len(shapes[0]) == 8


def test_the_work_of_a_backfills_dates_is_done_whole(postgres: embedded.Server, store_template: str) -> None:
    """Of dates that Ropo One says nothing about, of which the ledger has invoices: they agree."""
    with queue_server() as url:
        stage = Stage(postgres, url, store_template)
        with backfill.store_and_ledger(stage, dates=3) as store:
            task = {"dsn": postgres.dsn(store), "first": str(backfill.FIRST), "dates": 3}
            result = run(Contestant("work", "our_dates"), task, stage.variables(store, cid=stage.queue(0)))

    assert (result["population"], result["verdicts"]) == (3 * backfill.INVOICES, ["reconciled"])


def test_a_ratio_is_taken_round_by_round() -> None:
    """One slow round of the machine, which hit both."""
    ours = Results("ours", [{"seconds": each} for each in (1.0, 10.0, 1.0)])
    theirs = Results("theirs", [{"seconds": each} for each in (2.0, 20.0, 2.0)])

    assert (ours.median(), theirs.ratio(ours)) == (1.0, 2.0)


def test_the_table_stands_between_its_markers(tmp_path: pathlib.Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")

    lines = [Line("a drain", "1 s", "floor: 2 s", "2.00", "≥ 3", reached=False)]
    report.write([Measured("drain", lines, of="abc", on="2026-11-27", load=1.0)], readme)

    text = readme.read_text()
    assert text.startswith(f"before\n{BEGIN}\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "| a drain | 1 s | floor: 2 s | 2.00 | ≥ 3 | **no** |" in text
    assert "old" not in text


def test_what_was_not_measured_in_one_go_is_said_to_be_so() -> None:
    drain_, page = (Measured(name, [], of="abc", on="2026-11-27", load=1.5) for name in ("drain", "page"))
    assert report.table([drain_, page]).endswith(
        "Measured on 2026-11-27 of abc, at a load of 1.5 over the last 15 minutes."
    )
    later = dataclasses.replace(page, of="def+", load=2.0)
    assert report.table([drain_, later]).endswith(
        "Not in one go: drain on 2026-11-27 of abc at a load of 1.5, page on 2026-11-27 of def+ at a load of 2.0."
    )


def test_a_readme_without_markers_is_not_written(tmp_path: pathlib.Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no markers\n")

    with pytest.raises(ValueError, match="expected the markers"):
        report.write([], readme)

    assert readme.read_text() == "no markers\n"


@pytest.mark.parametrize(
    ("module", "usage"),
    [
        ("benchmarks", "usage: python -m benchmarks [-h]"),
        ("benchmarks.storage", "usage: python -m benchmarks.storage [-h]"),
    ],
)
def test_help_measures_nothing(module: str, usage: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.startswith(usage)
    assert "|" not in done.stdout
