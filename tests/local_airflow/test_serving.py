"""Airflow's parts start in an order in which none needs one that is not there yet."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from local_airflow import serving
from local_airflow.cluster import free_port

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

# Each part writes what the API server answers it when it starts. The API server says which parts have written.
PART = """#!{python}
import http.server, json, pathlib, signal, sys, time, urllib.request
name, home = sys.argv[1], pathlib.Path({home!r})
if name == "api-server":
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            healthy = {{name: (home / name).exists() for name in ("scheduler", "triggerer")}}
            parts = {{name: {{"status": "healthy" if healthy[name] else None}} for name in healthy}}
            body = json.dumps(parts).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
    # It is up only after others are: a scheduler that waits for nothing would be one of them. It looks for their file.
    while not (home / "triggerer").exists():
        time.sleep(0.05)
    http.server.ThreadingHTTPServer(("127.0.0.1", {port}), Health).serve_forever()
try:
    urllib.request.urlopen("http://127.0.0.1:{port}/", timeout=5).read()
    found = "there"
except OSError:
    found = "not there"
(home / name).write_text(found)
signal.pause()
"""


def test_the_scheduler_starts_no_task_before_the_api_server_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    port = free_port()
    airflow = tmp_path / "airflow"
    airflow.write_text(PART.format(python=sys.executable, home=str(tmp_path), port=port))
    airflow.chmod(0o700)
    monkeypatch.setattr(serving, "AIRFLOW", str(airflow))

    with serving.serving({}, tmp_path, port) as parts:
        assert {part.name for part in parts} == {"api-server", "dag-processor", "triggerer", "scheduler"}

    assert (tmp_path / "scheduler").read_text() == "there"
