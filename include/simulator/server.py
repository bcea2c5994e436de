"""The simulator as a running server: in a thread for tests, or in a process of its own."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Self

import uvicorn

from include.simulator.app import create_app
from include.simulator.ropo import Ropo
from include.simulator.transport import ReachableTransport

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_START_SECONDS = 30


class _Announced(uvicorn.Server):
    """Tells when it accepts connections."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


class SimulatorServer:
    """Serves a simulated Ropo One at a loopback address, as a context manager in a thread of its own.

    :param ropo: the state to serve; it outlives the server, so that a restart can be played.
    :param host: address to listen at.
    :param port: 0 takes a free one.
    :raises OSError: if the port is taken.
    """

    def __init__(self, ropo: Ropo | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.ropo = ropo or Ropo()
        self._socket = socket.create_server((host, port))
        self.host, self.port = self._socket.getsockname()[:2]
        self._ready = threading.Event()
        config = uvicorn.Config(
            create_app(self.ropo),
            http=ReachableTransport,
            loop="asyncio",
            lifespan="off",
            log_level="warning",
            access_log=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        self._server = _Announced(config, self._ready.set)
        self._thread = threading.Thread(target=self._run, name="ropo-simulator", daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        return f"http://{self.host}:{self.port}"

    def serve(self, announce: Callable[[], None]) -> None:
        """Serve in this thread until a signal stops the process.

        :param announce: called when connections are accepted.
        """
        self._server = _Announced(self._server.config, announce)
        self._run()

    def __enter__(self) -> Self:
        """Start, and wait until it accepts connections."""
        self._thread.start()
        if not self._ready.wait(_START_SECONDS):
            raise TimeoutError(f"the simulator did not start within {_START_SECONDS} s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop; answers under way are given up after a second."""
        self._server.should_exit = True
        self._thread.join()

    def _run(self) -> None:
        with self._socket:
            self._server.run(sockets=[self._socket])
