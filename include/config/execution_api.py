"""Airflow's execution API, to which tasks report: where it is, and a start of those who run tasks that waits for it.

``python -m include.config.execution_api --server http://api-server:8080 airflow scheduler`` becomes that program once
the API server answers. A task that is started before fails, with nothing in its log: after a reboot, say, when all
starts at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import requests
import tenacity

if TYPE_CHECKING:
    from collections.abc import Mapping

URL_VARIABLE = "AIRFLOW__CORE__EXECUTION_API_SERVER_URL"
# The API server's address that is for people.
ADDRESS_VARIABLE = "AIRFLOW__API__BASE_URL"
# An API server that takes longer will not come without somebody's help; tasks fail then as they would have at once.
LONGEST_SECONDS = 600.0
_ANSWER_SECONDS = 30
_PAUSE_SECONDS = 1
_TOLD_EACH = 60


def execution_url(server: str, given: Mapping[str, str]) -> str:
    """Return where tasks report.

    The API server listens to them under the path of the address for people, and nowhere else.

    :param server: its own address, such as ``http://localhost:8080``.
    :param given: the variables that are set.
    """
    path = urlsplit(given.get(ADDRESS_VARIABLE, "")).path.rstrip("/")
    return f"{server}{path}/execution/"


def wait_for(url: str, *, seconds: float = LONGEST_SECONDS) -> bool:
    """Wait until somebody answers there, and say on standard error that it waits.

    :param url: of the execution API.
    :param seconds: how long at most.
    :return: whether somebody does. What they answer is for the tasks to judge, but for a proxy whose server is away.
    """
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda answered: not answered),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(_PAUSE_SECONDS),
        before_sleep=lambda state: _tell(url, state.attempt_number),
        retry_error_callback=lambda _: False,
    )
    return bool(retrying(_answers, url))


def main(arguments: list[str]) -> int:
    """Wait for the execution API, then become the program.

    :param arguments: of the command line.
    :return: the exit code, where the program is not started: 130 where the wait was broken off.
    """
    parser = argparse.ArgumentParser(prog="python -m include.config.execution_api", description=__doc__)
    parser.add_argument("--server", help=f"the API server's own address; {URL_VARIABLE} wins where it is set")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="what runs tasks, and its arguments")
    options = parser.parse_args(arguments)
    url = os.environ.get(URL_VARIABLE) or (options.server and execution_url(options.server, os.environ))
    if not url or not options.program:
        parser.error(f"expected a program, and --server or the variable {URL_VARIABLE}")
    try:
        if not wait_for(url):
            sys.stderr.write(f"The API server has not answered for {LONGEST_SECONDS:.0f} s: starting without it.\n")
    except KeyboardInterrupt:
        return 130
    return _become(options.program, {**os.environ, URL_VARIABLE: url})


def _become(program: list[str], variables: Mapping[str, str]) -> NoReturn:
    os.execvpe(program[0], program, variables)  # noqa: S606 - the very program asked for, without a shell


def _answers(url: str) -> bool:
    try:
        answer = requests.get(f"{url.rstrip('/')}/health", timeout=_ANSWER_SECONDS)
    except (requests.exceptions.SSLError, ValueError):
        return True  # somebody is there whom this process does not trust, or the address is none: no time mends it
    except requests.RequestException:
        return False
    return answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR


def _tell(url: str, attempts: int) -> None:
    if attempts % _TOLD_EACH == 1:
        sys.stderr.write(
            f"Nobody answers at {url} yet: waiting for the API server, since tasks that start before it does fail.\n"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
