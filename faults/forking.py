"""The process that forks for :class:`faults.forker.Forker`; started by it."""

from __future__ import annotations

import gc
import json
import os
import pickle
import signal
import socket
import sys
import traceback
from multiprocessing.connection import Connection

import faults.crash_points.consumer  # noqa: F401 - imported here once, for all that are forked
from faults.forker import Failed
from ropo_one.hooks import RopoOneHook

LONGEST = 65536


def main() -> None:
    """The process that forks, until nobody wants it any more."""
    _warm_up()
    # What is imported stays: no collection of a forked process walks through it, which would copy its pages.
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: their pipes tell
    calls = socket.socket(fileno=int(sys.argv[1]))
    calls.send(b"!")
    while True:
        message, handles, _, _ = socket.recv_fds(calls, LONGEST, 1)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            calls.close()
            _be(message, handles[0])
        os.close(handles[0])
        calls.send(str(pid).encode())


def _be(message: bytes, handle: int) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pipe = Connection(handle)
    try:
        target, arguments = pickle.loads(message)
        target(*arguments, pipe)
    except BaseException:  # noqa: BLE001 - told, and nothing of the forking process may run after it
        pipe.send(Failed(traceback.format_exc()))
    finally:
        # Out of the scope of the forking process: none of its handlers at exit is ours.
        os._exit(0)


def _warm_up() -> None:
    """Let Airflow find a connection once: it loads much at the first."""
    os.environ["AIRFLOW_CONN_ROPO_ONE_DEFAULT"] = json.dumps(
        {"conn_type": "ropo_one", "host": "http://127.0.0.1:9", "login": "1", "password": "nobody's"}
    )
    RopoOneHook().queue  # noqa: B018 - for what it loads
    del os.environ["AIRFLOW_CONN_ROPO_ONE_DEFAULT"]


if __name__ == "__main__":
    main()
