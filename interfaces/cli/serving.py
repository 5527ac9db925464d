"""The HTTP server, until it is told to stop; then in order, within ten seconds."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from starlette.applications import Starlette

from infrastructure.container import Container
from infrastructure.settings import SettingError, Settings
from interfaces.cli.ending import Signalled, end_now, end_within
from interfaces.cli.http_protocol import BoundedHttp
from interfaces.cli.warming import keep_for_good, take_short_turns, warm
from interfaces.http.app import make_app
from interfaces.http.stopping import StoppableBodies

# From the signal on, in seconds. What is left of the ten is for jobs, snapshots and connections.
FINISH_SECONDS = 5.0  # requests may take to end; then bodies that still come in are cut off
CANCEL_SECONDS = 6.5  # then whatever still runs is cancelled
END_SECONDS = 8.5  # then the process ends, whatever it waits for
KEEP_ALIVE_SECONDS = 20
BACKLOG = 2048  # connections that wait to be accepted
MAX_CONNECTIONS = 4096  # at a time; one more is answered with 503
MAX_FRAME = 256 * 1024  # bytes of a WebSocket's message
PING_SECONDS = 15.0  # between two pings of a WebSocket, and for the answer

Stop = Callable[[], object]
CloseLive = Callable[[], Awaitable[object]]


def bind(settings: Settings) -> socket.socket:
    """
    The socket to serve on, listening already: who connects from now on will be served.

    Raises:
        SettingError: if somebody else serves there.
    """
    listener = reserve(settings)
    listen(listener, settings)
    return listener


def reserve(settings: Settings) -> socket.socket:
    """
    The socket to serve on, before there is anything to serve: who connects is refused.

    Raises:
        SettingError: if somebody else serves there.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise cannot_serve(settings, error) from error
    listener.setblocking(False)  # noqa: FBT003 - the library's own
    return listener


def listen(listener: socket.socket, settings: Settings) -> None:
    """
    Raises:
        SettingError: if somebody else was quicker.
    """
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise cannot_serve(settings, error) from error


def cannot_serve(settings: Settings, error: OSError) -> SettingError:
    why = error.strerror
    return SettingError(
        f"cannot serve on {settings.address}: {why}; choose another CHATLEDGER_PORT"
    )


def adopt(descriptor: int) -> socket.socket:
    """The socket that the process which started this one listens on."""
    listener = socket.socket(fileno=descriptor)
    listener.set_inheritable(False)
    return listener


def allow_many_connections() -> None:
    """Each takes a file descriptor, and shells often allow only 1,024 of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * MAX_CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def run_server(
    container: Container,
    *,
    listener: socket.socket | None = None,
    on_ready: Callable[[], object] = lambda: None,
    on_stop: Sequence[Stop] = (),
) -> None:
    """
    Serve until SIGTERM or Ctrl-C, and return when requests are done or cut off.

    Args:
        listener: None: on the configured address.
        on_stop: called as soon as the signal comes, in the event loop; must not block.
    """
    allow_many_connections()
    warm(container.query_embedder)
    app = make_app(container)
    bodies = StoppableBodies(app)
    server = Server(configuration(bodies), bodies, live_of(app), on_ready, on_stop)
    with suppress(Signalled):  # passed on by the server when it is done
        server.run([bind(container.settings) if listener is None else listener])


def live_of(app: Starlette) -> CloseLive | None:
    """What closes the subscriptions of this application."""
    live = getattr(app.state, "live", None)
    return None if live is None else live.close_all


def configuration(app: StoppableBodies) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedHttp,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,  # a window for each of thousands of connections
        lifespan="off",
        proxy_headers=False,  # or whoever is on this machine could pretend to be another address
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        limit_concurrency=MAX_CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


class Server(uvicorn.Server):
    """Stops in the order that clients understand."""

    def __init__(
        self,
        config: uvicorn.Config,
        bodies: StoppableBodies,
        close_live: CloseLive | None,
        on_ready: Callable[[], object],
        on_stop: Sequence[Stop],
    ) -> None:
        super().__init__(config)
        self._bodies = bodies
        self._close_live = close_live
        self._on_ready = on_ready
        self._on_stop = on_stop

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        keep_for_good()
        take_short_turns()
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        end_within(END_SECONDS)
        for stop in self._on_stop:
            stop()
        loop = asyncio.get_running_loop()
        began = loop.time()
        cutting = loop.call_later(FINISH_SECONDS, self._bodies.cut)
        for server in self.servers:
            server.close()  # first: who is told to connect again must not come back to us
        if self._close_live is not None:
            await self._close_live()
        left: Any = max(0.1, began + CANCEL_SECONDS - loop.time())
        self.config.timeout_graceful_shutdown = left  # a whole number, says its type
        await super().shutdown(sockets)
        cutting.cancel()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            end_now(sig, frame)
        super().handle_exit(sig, frame)
