"""Airflow's stock way: `HttpOperator` with pagination, then `PostgresHook.insert_rows` in its fastest form."""

from __future__ import annotations

import json
import logging
import os
from typing import Any

import psycopg2
import requests
from airflow.providers.http.operators.http import HttpOperator
from airflow.providers.postgres.hooks.postgres import PostgresHook

from benchmarks.measured import Meter, task
from benchmarks.peers.floor_drain import COLUMNS, TABLE

POLL = "/rest/jobs/statusupdates"


def rows_of(responses: list[requests.Response]) -> list[list[Any]]:
    rows = [row for response in responses if response.status_code == 200 for row in response.json()["result"]["status"]]
    return [
        [None if row[name] == "" and name in ("paydate", "amount") else row[name] for name in COLUMNS] for row in rows
    ]


def main() -> None:
    job = task()
    meter = Meter()
    logging.basicConfig(filename=os.devnull, level=logging.INFO)
    with psycopg2.connect(job["dsn"]) as connection, connection.cursor() as cursor:
        cursor.execute(TABLE)
    os.environ["AIRFLOW_CONN_HTTP_DEFAULT"] = json.dumps({"conn_type": "http", "host": job["url"]})
    with meter.work():
        token = requests.post(f"{job['url']}/rest/token", json={"cid": job["cid"], "apicode": "x"}).json()["token"]
        operator = HttpOperator(
            task_id="drain",
            method="GET",
            endpoint=POLL,
            headers={"Authorization": f"Bearer {token}"},
            pagination_function=lambda response: {"endpoint": POLL} if response.status_code == 200 else None,
            response_filter=rows_of,
            tcp_keep_alive=True,
        )
        rows = operator.execute({})
        hook = PostgresHook("ropo_store")
        hook.insert_rows(  # type: ignore[no-untyped-call]  # Airflow's, without annotations
            "floor_event", rows, list(COLUMNS), commit_every=1000, fast_executemany=True
        )
    meter.report(rows=len(rows))


if __name__ == "__main__":
    main()
