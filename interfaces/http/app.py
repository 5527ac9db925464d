"""Everything that is served over HTTP, in one Starlette application."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from interfaces.http.local_only import LocalOnly
from interfaces.http.problems import (
    RequestError,
    on_http_exception,
    on_request_error,
    on_unexpected_error,
)
from interfaces.http.security_headers import SecurityHeaders
from interfaces.http.uploads import UploadsContainer, upload_routes

GRAPHIQL = Path(__file__).parent / "static" / "graphiql"


def make_app(container: UploadsContainer) -> Starlette:
    """`container` is kept by whoever made it, and closed there."""
    return Starlette(
        routes=[
            Route("/healthz", healthz),
            *upload_routes(container),
            Route("/", home),
            Route("/graphiql", graphiql),
            Mount("/static/graphiql", StaticFiles(directory=GRAPHIQL)),
            *graphql_routes(container),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(LocalOnly)],
        exception_handlers={
            RequestError: on_request_error,
            HTTPException: on_http_exception,
            Exception: on_unexpected_error,
        },
    )


def graphql_routes(container: UploadsContainer) -> list[BaseRoute]:
    # By name: it uses our guard and our actor, so that a plain import would be a cycle.
    graphql: ASGIApp = import_module("interfaces.graphql.app").graphql_app(container)
    # Not a mount: that would send /graphql to /graphql/, where no WebSocket follows.
    return [Route("/graphql", graphql), WebSocketRoute("/graphql", graphql)]


async def healthz(_request: Request) -> Response:
    """The process answers. Whether it can do its work is another question."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


async def home(_request: Request) -> Response:
    return RedirectResponse("/graphiql")


async def graphiql(_request: Request) -> Response:
    return FileResponse(GRAPHIQL / "index.html")
