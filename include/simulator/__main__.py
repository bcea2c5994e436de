"""The simulator as a process: `python -m include.simulator --seed 7 --first-day 2026-03-02 --days 30`.

Prints its URL on a line of its own once it accepts connections, and serves until SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import zoneinfo
from datetime import UTC, date, datetime, timedelta

from include.simulator.dataset import make_dataset
from include.simulator.ropo import DEFAULT_APICODE, DEFAULT_CID, Ropo
from include.simulator.server import SimulatorServer

APICODE_VARIABLE = "SIMULATOR_APICODE"


def _arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m include.simulator", description="A stand-in of Ropo One.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--cid", default=DEFAULT_CID, help=f"its API code is {APICODE_VARIABLE}, by default {DEFAULT_APICODE}"
    )
    parser.add_argument("--seed", type=int, help="of the data set; without it the queue is empty")
    parser.add_argument("--first-day", type=date.fromisoformat, help="by default, so that the last day is yesterday")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: about 15,000 changes in 30 days")
    parser.add_argument("--timezone", default="Europe/Helsinki")
    parser.add_argument("--now", type=datetime.fromisoformat, help="a fixed clock, with its zone")
    told = parser.parse_args(arguments)
    if not 0 <= told.port <= 65_535:
        parser.error(f"argument --port: expected a port from 0 to 65535, got {told.port}")
    if told.days < 1:
        parser.error(f"argument --days: expected a day at least, got {told.days}")
    if not 0 < told.scale < math.inf:
        parser.error(f"argument --scale: expected a number above 0, got {told.scale:g}")
    if told.timezone not in zoneinfo.available_timezones():
        parser.error(f"argument --timezone: expected a zone such as Europe/Helsinki, got {told.timezone!r}")
    return told


def main(arguments: list[str]) -> int:
    """Serve until stopped.

    :param arguments: of the command line.
    :return: 1 where it cannot listen.
    """
    told = _arguments(arguments)
    ropo = Ropo(now=told.now, default_customer=False)
    ropo.add_customer(told.cid, os.environ.get(APICODE_VARIABLE, DEFAULT_APICODE), told.timezone)
    if told.seed is not None:
        first_day = told.first_day or (told.now or datetime.now(UTC)).date() - timedelta(days=told.days)
        ropo.load(make_dataset(told.seed, first_day, told.days, told.scale, told.timezone), told.cid)
    try:
        server = SimulatorServer(ropo, told.host, told.port)
    except OSError as error:
        sys.stderr.write(f"The simulator cannot listen at {told.host}, port {told.port}: {error.strerror}\n")
        return 1
    server.serve(announce=lambda: _say(server.url))
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
