"""How long the page's answers take on a store of a large customer."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg2

from benchmarks.comparison import filled
from benchmarks.report import Line
from benchmarks.rounds import Contestant, alternate, run

if TYPE_CHECKING:
    from benchmarks.stage import Stage

OURS = "the page"
GOAL_MS = 300
_DATA = Path(__file__).with_name("page_data.sql")


def bench(stage: Stage, *, invoices: int, rounds: int) -> list[Line]:
    """Time each address of the page on one store.

    :param invoices: with about five events each; one in ten has an open break.
    """
    print(f"The page on a store of {invoices:,} invoices", flush=True)
    with filled(stage, "comparison_data.sql", invoices=invoices) as database:
        _fill(stage.server.dsn(database), invoices)
        results = alternate(
            [Contestant(OURS, "our_page")], lambda each: run(each, {}, stage.variables(database)), rounds
        )
    found = results[OURS]
    names = [name for name in found.rounds[0] if name.startswith("/")]
    slowest = max(names, key=found.median)
    medians = ", ".join(f"`{name}` {found.median(name):.0f}" for name in names)
    return [
        Line(
            f"a page of a store with {invoices:,} invoices, {invoices * 48 // 10:,} events and {invoices // 10:,} open "
            f"breaks, median in ms: {medians}",
            f"slowest: `{slowest}` {found.median(slowest):.0f} ms",
            goal=f"≤ {GOAL_MS} ms",
            reached=found.median(slowest) <= GOAL_MS,
        )
    ]


def _fill(dsn: str, invoices: int) -> None:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            # One at a time: VACUUM will not run among others.
            for each in _DATA.read_text(encoding="utf-8").split(";\n"):
                if each.strip():
                    cursor.execute(each, {"invoices": invoices})
