"""Of the package Airflow's plugin loader takes one file, and it registers the timetable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from local_airflow.paths import ROOT

if TYPE_CHECKING:
    from pathlib import Path

LOOK = """
import json, sys
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
ours = {name for name, module in sys.modules.items() if str(getattr(module, "__file__", None)).startswith(sys.argv[1])}

from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from ropo_one.timetable import BusinessDateTimetable
timetable = BusinessDateTimetable(timezone="Europe/Helsinki")
again = decode_timetable(encode_timetable(timetable))
print(json.dumps({
    "plugins": [plugin.name for plugin in plugins if plugin.name == "ropo_one"],
    "errors": errors,
    "others": sorted(name for name in ours if name.partition(".")[0] != "ropo_one"),
    "timetables": list(plugins_manager.get_timetables_plugins()),
    "again": [type(again) is BusinessDateTimetable, again.serialize() == timetable.serialize()],
}))
"""


@pytest.mark.parametrize("lazy", ["True", "False"])
def test_the_timetables_are_registered_and_nothing_else_is_imported_as_a_loose_file(tmp_path: Path, lazy: str) -> None:
    given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    environment = {
        **given,
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__LAZY_DISCOVER_PROVIDERS": lazy,
        "PYTHONPATH": str(ROOT),
    }
    looked = subprocess.run(
        [sys.executable, "-c", LOOK, str(ROOT / "plugins")],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert looked.returncode == 0, looked.stderr
    found = json.loads(looked.stdout.splitlines()[-1])
    assert found == {
        "plugins": ["ropo_one"],
        "errors": {},
        # Of the page the package alone, which has its path: its modules are imported at its first request.
        "others": ["plugin", "reconciliation_page"],
        "timetables": ["ropo_one.timetable.BusinessDateTimetable", "ropo_one.timetable.MonthEndTimetable"],
        "again": [True, True],
    }
