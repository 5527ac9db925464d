"""A server that can be stopped as the real one stops, or cut off, and begun again on its port."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from interfaces.graphql.live.connections import LiveConnections

MAX_FRAME = 256 * 1024  # bytes


class LiveServer:
    """
    Serves an application in a thread until it is stopped.

    Args:
        connections: closed before the server stops, as a process does it on SIGTERM.
        port: 0: any; see `port`.
    """

    def __init__(self, app: Any, connections: LiveConnections, port: int = 0) -> None:
        self._connections = connections
        config = uvicorn.Config(
            app,
            host="127.0.0.1",
            port=port,
            log_config=None,
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME,
            ws_ping_interval=15,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=2,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        while not self._server.started:
            if not self._thread.is_alive():
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
        self.port: int = self._server.servers[0].sockets[0].getsockname()[1]

    def _run(self) -> None:
        async def serve() -> None:
            self.loop = asyncio.get_running_loop()
            await self._server.serve()

        asyncio.run(serve())

    def call(self, coroutine: Any, timeout_seconds: float = 10) -> Any:
        """In the server's event loop; returns its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout_seconds)

    def cut(self) -> None:
        """Every connection, without a word, as a network that fails."""

        async def abort() -> None:
            for connection in list(self._server.server_state.connections):
                connection.transport.abort()

        self.call(abort())

    def stop(self) -> None:
        if self._thread.is_alive():
            self.call(self._connections.close_all())
        self._server.should_exit = True
        self._thread.join()


@contextmanager
def live_server(app: Any, connections: LiveConnections) -> Iterator[LiveServer]:
    server = LiveServer(app, connections)
    try:
        yield server
    finally:
        server.stop()
