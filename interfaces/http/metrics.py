"""GET /metrics: what Prometheus reads."""

from __future__ import annotations

from typing import Protocol

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infrastructure.monitoring.exposition import CONTENT_TYPE, Exposition

SCRAPES = 2  # at a time; never in the threads of requests, which may all be waiting


class MetricsContainer(Protocol):
    @property
    def exposition(self) -> Exposition: ...


def metrics_route(container: MetricsContainer) -> Route:
    """Answers within 2.5 seconds, whatever state the database is in."""
    limiter: CapacityLimiter | None = None  # made in the event loop that it belongs to

    def text() -> bytes:
        return container.exposition.text()

    async def show(_request: Request) -> Response:
        nonlocal limiter
        limiter = limiter or CapacityLimiter(SCRAPES)
        found = await to_thread.run_sync(text, limiter=limiter)
        headers = {"Content-Type": CONTENT_TYPE, "Cache-Control": "no-store"}
        return Response(found, headers=headers)

    return Route("/metrics", show, methods=["GET"])
