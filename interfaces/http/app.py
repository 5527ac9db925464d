"""Everything that is served over HTTP, in one Starlette application."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from infrastructure.settings import Settings
from interfaces.http.describing import DescribedRoute
from interfaces.http.documentation import docs_routes, openapi_route
from interfaces.http.downloads import DownloadsContainer, download_routes
from interfaces.http.export_answers import ExportsContainer
from interfaces.http.exports import export_routes
from interfaces.http.graphql_description import GRAPHQL_GET, GRAPHQL_POST
from interfaces.http.health import HealthContainer, health_routes
from interfaces.http.limits import RequestLimits
from interfaces.http.local_only import LocalOnly
from interfaces.http.metrics import MetricsContainer, metrics_route
from interfaces.http.metrics_description import METRICS
from interfaces.http.problems import (
    MAYBE_OUTAGES,
    RequestError,
    on_http_exception,
    on_outage,
    on_request_error,
    on_unexpected_error,
)
from interfaces.http.request_ids import RequestIds
from interfaces.http.request_log import RequestLog
from interfaces.http.security_headers import SecurityHeaders
from interfaces.http.uploads import UploadsContainer, upload_routes

GRAPHIQL = Path(__file__).parent / "static" / "graphiql"


class HttpContainer(
    UploadsContainer,
    DownloadsContainer,
    ExportsContainer,
    HealthContainer,
    MetricsContainer,
    Protocol,
):
    """What is served needs of the container."""

    settings: Settings


def make_app(container: HttpContainer) -> Starlette:
    """
    `container` is kept by whoever made it, and closed there. What stays connected is ended by
    `app.state.live.close_all()`, before the server stops.
    """
    # By name: it uses our guard and our actor, so that a plain import would be a cycle.
    graphql = import_module("interfaces.graphql.app").graphql_app(container)
    app = Starlette(
        routes=[
            # Routes are tried in this order, and most requests are for GraphQL.
            *sorted(described_routes(container, graphql), key=lambda one: one.path != "/graphql"),
            # Not a mount: that would send /graphql to /graphql/, where no WebSocket follows.
            WebSocketRoute("/graphql", graphql),
            *docs_routes(),
            *page_routes(is_production=container.settings.is_production),
        ],
        middleware=[
            Middleware(RequestIds),
            Middleware(RequestLog),
            Middleware(SecurityHeaders),
            Middleware(RequestLimits),
            Middleware(LocalOnly),
        ],
        exception_handlers={
            RequestError: on_request_error,
            HTTPException: on_http_exception,
            **dict.fromkeys(MAYBE_OUTAGES, on_outage),
            Exception: on_unexpected_error,
        },
    )
    app.state.live = graphql.live.connections
    return app


def described_routes(container: HttpContainer, graphql: ASGIApp) -> list[DescribedRoute]:
    """What programs may rely on. Nothing is asked of the container before a request comes."""
    routes = [
        *upload_routes(container),
        *download_routes(container),
        *export_routes(container),
        DescribedRoute(
            "/graphql", graphql, {"GET": GRAPHQL_GET, "POST": GRAPHQL_POST}, has_methods=False
        ),
        *health_routes(container),
        DescribedRoute("/metrics", metrics_route(container).endpoint, {"GET": METRICS}),
    ]
    return [*routes, openapi_route(routes)]


def routes_to_describe() -> list[DescribedRoute]:
    """The same without a container, as far as descriptions go."""

    async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
        raise NotImplementedError("this is no server")

    return described_routes(cast("HttpContainer", None), nothing)


def page_routes(*, is_production: bool) -> list[BaseRoute]:
    """`/` leads to where people try GraphQL; in production nobody explores, and it is `/docs`."""
    if is_production:
        return [Route("/", home_in_production)]
    return [
        Route("/", home),
        Route("/graphiql", graphiql),
        Mount("/static/graphiql", StaticFiles(directory=GRAPHIQL)),
    ]


async def home(_request: Request) -> Response:
    return RedirectResponse("/graphiql")


async def home_in_production(_request: Request) -> Response:
    return RedirectResponse("/docs")


async def graphiql(_request: Request) -> Response:
    return FileResponse(GRAPHIQL / "index.html")
