"""The page, mounted as Airflow mounts it; each address is asked several times over HTTP."""

from __future__ import annotations

import datetime
import socket
import statistics
import threading
import time

import requests
import uvicorn
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
from airflow.api_fastapi.core_api.security import get_user
from fastapi import FastAPI

from benchmarks.measured import Meter

TIMES = 15
YESTERDAY = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(days=1)
# Names as the table shows them, and what is asked.
PAGES = {
    "/": "",
    "/dates": f"dates/{YESTERDAY}",
    "/dates, high": f"dates/{YESTERDAY}?severity=high",
    "/dates, all": f"dates/{YESTERDAY}?state=all",
    "/dates, text": f"dates/{YESTERDAY}?text=0123",
    "/breaks": "breaks",
    "/breaks, oldest": "breaks?order=age",
    "/breaks, low": "breaks?severity=low",
    "/breaks/1": "breaks/1",
    "/sign-off": f"sign-off/{YESTERDAY:%Y-%m}",
    "/invoices": "invoice?key=b:20000010",
    "/polls": "polls",
    "/profiles": "profiles",
}


def main() -> None:
    from reconciliation_page.access import may_change, may_read
    from reconciliation_page.app import create_app
    from reconciliation_page.checking import may_check

    page = create_app()
    page.dependency_overrides |= {
        get_user: lambda: SimpleAuthManagerUser(username="ada", role="ADMIN"),
        may_read: lambda: True,
        may_change: lambda: True,
        may_check: lambda: True,
    }
    app = FastAPI()
    app.mount("/reconciliation", page)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        serving.start()
        meter = Meter()
        try:
            with meter.work():
                medians = {
                    name: _median(f"http://127.0.0.1:{port}/reconciliation/{path}") for name, path in PAGES.items()
                }
        finally:
            server.should_exit = True
            serving.join()
    meter.report(**medians)


def _median(url: str) -> float:
    taken = []
    with requests.Session() as session:
        session.trust_env = False
        for _ in range(TIMES + 1):
            started = time.monotonic()
            answer = session.get(url, timeout=120, allow_redirects=False)
            taken.append((time.monotonic() - started) * 1000)
            answer.raise_for_status()
    # The first fills PostgreSQL's cache.
    return statistics.median(taken[1:])


if __name__ == "__main__":
    main()
