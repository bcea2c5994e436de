"""Whatever ends the demo from outside, what it started is stopped."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from local_airflow.paths import ROOT

PROGRAM = """
import signal
from demo.stopping import stops_as_exit
try:
    with stops_as_exit():
        print("ready", flush=True)
        signal.pause()
        print("goes on", flush=True)
finally:
    print("stopped", flush=True)
"""


# Whoever runs the tests may have been told to outlive a terminal, and children inherit that.
IN_A_TERMINAL = "import signal\nsignal.signal(signal.SIGHUP, signal.SIG_DFL)\n"


def ended_by(number: signal.Signals, *before: str) -> tuple[int, list[str]]:
    """How a program ends that is sent a signal, and what it says after that."""
    command = [*before, sys.executable, "-c", PROGRAM if before else IN_A_TERMINAL + PROGRAM]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"
        program.send_signal(number)
        if before:
            program.send_signal(signal.SIGTERM)
        return program.wait(30), program.stdout.read().splitlines()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_that_means_to_end_it_ends_it_as_an_exit_does(number: signal.Signals) -> None:
    assert ended_by(number) == (128 + number, ["stopped"])


def test_one_that_is_to_outlive_its_terminal_does_and_is_ended_by_another() -> None:
    assert ended_by(signal.SIGHUP, "nohup") == (128 + signal.SIGTERM, ["stopped"])
