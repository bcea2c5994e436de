"""The README's table of rooms is the order in which they import each other."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROW = re.compile(r"^\| `([\w/]+)/` \| (.*) \|$", re.MULTILINE)
ROOMS = dict(_ROW.findall((ROOT / "README.md").read_text(encoding="utf-8").partition("## Layout")[2]))


def test_every_room_with_code_is_in_the_table() -> None:
    tops = {"benchmarks", "dags", "demo", "faults", "local_airflow", "tests"}
    inner = {f"{top}/{each.name}" for top in ("include", "plugins") for each in (ROOT / top).iterdir() if each.is_dir()}
    assert set(ROOMS) == {room for room in tops | inner if not room.endswith(("__pycache__", ".egg-info"))}


def test_a_room_imports_only_rooms_below_it() -> None:
    order = list(ROOMS)
    upward = [
        f"{room} imports {module}"
        for room in order
        for module in _imported(room)
        if (other := _room_of(module)) and order.index(other) < order.index(room)
    ]
    assert upward == []


def test_a_room_that_is_said_to_import_no_airflow_imports_none() -> None:
    without = [room for room, told in ROOMS.items() if "no Airflow import" in told]
    assert len(without) > 3
    found = [(room, module) for room in without for module in _imported(room) if module.split(".")[0] == "airflow"]
    assert found == []


def test_no_value_is_put_into_a_comment_where_it_could_end_it() -> None:
    """psycopg2 puts values wherever their names stand; one with a line end would go on as SQL."""
    files = [file for room in ROOMS for file in (ROOT / room).rglob("*.sql") if "node_modules" not in file.parts]
    assert len(files) > 100
    found = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if "%" in line.partition("--")[2].replace("%%", "")
    ]
    assert found == []


def _imported(room: str) -> Iterator[str]:
    for file in sorted((ROOT / room).rglob("*.py")):
        if "node_modules" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (each.name for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield from (f"{node.module}.{each.name}" for each in node.names)


def _room_of(module: str) -> str | None:
    """What lies in ``plugins`` is imported without it."""
    path = "/".join(module.split(".")) + "/"
    return next((room for room in ROOMS if path.startswith(f"{room.removeprefix('plugins/')}/")), None)
