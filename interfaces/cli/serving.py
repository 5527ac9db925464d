"""The HTTP server, until it is told to stop."""

from __future__ import annotations

from contextlib import suppress

from infrastructure.container import Container
from interfaces.cli.ending import Signalled
from interfaces.http.app import make_app

STOP_SECONDS = 10


def run_server(container: Container) -> None:
    """Serve on the configured address. Returns after SIGTERM or Ctrl-C, when requests are done."""
    import uvicorn

    settings = container.settings
    config = uvicorn.Config(
        make_app(container),
        host=settings.host,
        port=settings.port,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    with suppress(Signalled):  # uvicorn passes the signal on when it is done
        uvicorn.Server(config).run()
