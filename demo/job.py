"""The main job on made-up data: drain the queue, reconcile each date, look whether it came out right."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo import outcome
from demo.connections import with_demo
from demo.data import Data, provide
from demo.state import HOST, alone, recorded, refuse_foreign
from include.config.profiles import FILE_VARIABLE, load_profile
from include.reconciliation.verdict import is_red
from include.simulator.server import SimulatorServer
from local_airflow import environment
from local_airflow.embedded import Server, shared
from local_airflow.migration import migrate_embedded
from local_airflow.paths import private_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from demo.progress import Progress
    from demo.state import Erp
    from include.simulator.ropo import Ropo

PROFILE = "demo"
_LEDGERS: dict[Erp, str] = {"plain": "the ledger", "tryton": "Tryton, the ledger"}
DRAIN_DAG, DAY_DAG = "ropo_status_drain", "ropo_reconciliation"


class DemoFailedError(RuntimeError):
    """A step of the demo did not do what it must; the text says which, and where to read more."""


@dataclass(frozen=True)
class Demo:
    """The environment, ready for the main job.

    :param home: what everything is kept in.
    :param server: the embedded PostgreSQL.
    :param variables: the environment of the project's Airflow.
    :param ropo: Ropo One's stand-in, serving.
    :param data: what was made up.
    """

    home: Path
    server: Server
    variables: Mapping[str, str]
    ropo: Ropo
    data: Data


@contextmanager
def prepared(home: Path, progress: Progress, erp: Erp = "plain") -> Iterator[Demo]:
    """Set everything up, and stop it in the end.

    :param home: where everything is kept; made if it is not there.
    :param progress: is told of each step.
    :param erp: what the ledger is to be.
    :return: the environment.
    :raises ForeignHomeError: if the home is no demo's.
    :raises DemoRunsAlreadyError: if another demo uses it.
    :raises DemoFailedError: if a step fails.
    """
    refuse_foreign(home)
    private_directory(home)
    with alone(home), shared(home) as server:
        _log(home).unlink(missing_ok=True)
        server.provision()
        progress.say(f"Embedded PostgreSQL listens on {server.host}:{server.port}, its files in {home}")
        if erp == "tryton":
            progress.say(
                "Tryton is the ledger; the first time it is installed, set up and booked into, in a minute or two"
            )
        with progress.step("Made-up data") as remarks:
            data, anew = provide(home, server, datetime.datetime.now(datetime.UTC), erp)
            remarks.append(
                f"{len(data.dataset.invoices):,} invoices, {len(data.dataset.rows):,} changes, "
                f"{len(data.differences)} differences put into {_LEDGERS[erp]}{'' if anew else ', as last time'}"
            )
        with SimulatorServer(host=HOST, port=data.port) as simulator:
            simulator.ropo.set_now(data.as_of)
            simulator.ropo.load(data.dataset)
            progress.say(f"A stand-in of Ropo One serves them at {simulator.url}")
            variables = _variables(home, server)
            _migrate(home, server, variables, progress)
            yield Demo(home, server, variables, simulator.ropo, data)


def run(demo: Demo, progress: Progress) -> list[str]:
    """Drain, reconcile the last dates, print what was found.

    :param demo: the environment.
    :param progress: is told of each step.
    :return: what came out otherwise than it must, a sentence each; empty when all is right.
    :raises DemoFailedError: if Airflow cannot run the DAGs.
    """
    dates = demo.data.dates
    runs = [(DRAIN_DAG, {}), *((DAY_DAG, {"date": day.isoformat()}) for day in dates)]
    progress.say(
        "Now each date is a run. One whose date has breaks fails, as it is meant to: that is what people are told"
    )
    states = {}
    for answer in _through_airflow(demo, runs):
        what = f"{answer['dag_id']} {answer['conf'].get('date', '')}".strip()
        progress.say(f"{what}: run {answer['state']} ({answer['seconds']:.1f} s)")
        if answer["dag_id"] == DRAIN_DAG and answer["state"] != "success":
            raise DemoFailedError(f"the drain failed; what Airflow said is in {_log(demo.home)}")
        states[answer["conf"].get("date")] = answer["state"]
    found = outcome.read(demo.server.dsn("store"), PROFILE, dates)
    print(f"\n{outcome.table(found)}\n\nSome of the differences:\n\n{outcome.named(found)}\n", flush=True)
    fail_on = load_profile(PROFILE, Path(demo.variables[FILE_VARIABLE])).fail_on
    wrong_runs = [
        f"{date.business_date}: is {date.verdict}, and its run in Airflow {states[str(date.business_date)]}"
        for date in found.dates
        if (states[str(date.business_date)] == "failed") != is_red(date.verdict, date.breaks, fail_on)
    ]
    return outcome.surprises(found, dates, demo.data.differences) + wrong_runs


def _variables(home: Path, server: Server) -> dict[str, str]:
    """The demo's own of everything: what the user has set for an installation of theirs must not be touched by it."""
    given = dict(os.environ)
    environment.forget_installation(given)
    demo = recorded(home)
    if demo is None:
        raise DemoFailedError(f"{home} has no demo")
    variables = environment.with_embedded_metadata(environment.project_environment(given, home), server)
    return with_demo(variables, server, demo)


def _migrate(home: Path, server: Server, variables: Mapping[str, str], progress: Progress) -> None:
    with progress.step("Airflow's metadata, the store and the pools are migrated"):
        command = [sys.executable, "-m", "include.status_store.migrate"]
        with _log(home).open("ab") as log:
            subprocess.run(command, env=variables, check=True, stdout=log, stderr=log)
        migrate_embedded(server, variables, _log(home))


def _through_airflow(demo: Demo, runs: list[tuple[str, dict[str, str]]]) -> Iterator[dict[str, Any]]:
    with (
        _log(demo.home).open("ab") as log,
        subprocess.Popen(
            [sys.executable, "-m", "demo.run_dags"],
            env=dict(demo.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as runner,
    ):
        if runner.stdin is None or runner.stdout is None:
            raise DemoFailedError("the runner has no pipes")
        try:
            runner.stdin.writelines(json.dumps({"dag_id": dag_id, "conf": conf}) + "\n" for dag_id, conf in runs)
            runner.stdin.close()
            for line in runner.stdout:
                yield json.loads(line)
            code = runner.wait()
        except BaseException:
            runner.terminate()
            raise
    if code != 0:
        raise DemoFailedError(f"Airflow could not run the DAGs (code {code}); what it said is in {_log(demo.home)}")


def _log(home: Path) -> Path:
    file = home / "logs" / "demo.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
