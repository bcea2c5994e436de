"""`dlt`, as its guide shows it: a resource that yields pages, merged on `statusid` into PostgreSQL."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING, Any

os.environ |= {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "CRITICAL"}

import dlt
import requests

from benchmarks.measured import Meter, task

if TYPE_CHECKING:
    from collections.abc import Iterator


@dlt.resource(  # type: ignore[untyped-decorator]  # dlt is not in this environment
    name="status_event", write_disposition="merge", primary_key="statusid"
)
def changes(url: str, cid: str) -> Iterator[list[dict[str, Any]]]:
    session = requests.Session()
    token = session.post(f"{url}/rest/token", json={"cid": cid, "apicode": "x"}).json()["token"]
    session.headers["Authorization"] = f"Bearer {token}"
    while (answer := session.get(f"{url}/rest/jobs/statusupdates")).status_code == 200:
        yield answer.json()["result"]["status"]


def main() -> None:
    job = task()
    meter = Meter()
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            pipeline_name="drain",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(job["dsn"]),
            dataset_name="dlt_drain",
        )
        with meter.work():
            pipeline.run(changes(job["url"], job["cid"]))
        with pipeline.sql_client() as client:
            ((rows,),) = client.execute_sql("SELECT count(*) FROM status_event")
    meter.report(rows=rows)


if __name__ == "__main__":
    main()
