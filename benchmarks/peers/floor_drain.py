"""The floor: a bare loop of `requests` and COPY, a commit a page. No journal, no raw page, no dedupe, no index."""

from __future__ import annotations

import io
from typing import Any

import psycopg2
import requests

from benchmarks.measured import Meter, task

COLUMNS = (
    "jobid", "statusid", "billnum", "statustype", "statustime",
    "statusref", "statustext", "statuscode", "paydate", "amount",
)  # fmt: skip
TABLE = """
CREATE TABLE floor_event (
    jobid text, statusid text, billnum text, statustype text, statustime timestamp,
    statusref text, statustext text, statuscode text, paydate date, amount numeric
)
"""
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def cell(name: str, value: object) -> str:
    if name in ("paydate", "amount") and value == "":
        return "\\N"
    return str(value).translate(_ESCAPES)


def drain(connection: Any, url: str, cid: str) -> int:
    """Poll until 204; return the number of rows."""
    session = requests.Session()
    token = session.post(f"{url}/rest/token", json={"cid": cid, "apicode": "x"}).json()["token"]
    session.headers["Authorization"] = f"Bearer {token}"
    count = 0
    while (answer := session.get(f"{url}/rest/jobs/statusupdates")).status_code == 200:
        rows = answer.json()["result"]["status"]
        lines = ("\t".join(cell(name, row[name]) for name in COLUMNS) + "\n" for row in rows)
        with connection, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY floor_event ({', '.join(COLUMNS)}) FROM STDIN", io.StringIO("".join(lines)))
        count += len(rows)
    return count


def main() -> None:
    job = task()
    meter = Meter()
    connection = psycopg2.connect(job["dsn"])
    with connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
    with meter.work():
        rows = drain(connection, job["url"], job["cid"])
    meter.report(rows=rows)


if __name__ == "__main__":
    main()
