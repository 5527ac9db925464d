"""GET /openapi.json and /docs: the REST interface, for programs and for people."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from interfaces.http.describing import Answer, Content, DescribedRoute, Operation
from interfaces.http.openapi_document import as_text, document
from interfaces.http.parameters import no_parameters

PAGES = Path(__file__).parent / "static" / "docs"


def openapi_route(others: Sequence[DescribedRoute]) -> DescribedRoute:
    """Describes the others, and itself."""

    async def openapi(request: Request) -> Response:
        no_parameters(request)
        headers = {"Cache-Control": "no-cache", "Content-Type": "application/json"}
        return Response(text, headers=headers)

    route = DescribedRoute("/openapi.json", openapi, {"GET": OPENAPI})
    text = as_text(document([*others, route]))
    return route


def docs_routes() -> list[BaseRoute]:
    return [Route("/docs", docs), Mount("/static/docs", StaticFiles(directory=PAGES))]


async def docs(_request: Request) -> Response:
    return FileResponse(PAGES / "index.html")


OPENAPI = Operation(
    id="describeApi",
    tag="documentation",
    summary="This description",
    description="As OpenAPI 3.1. `/docs` shows it to people.",
    answers={
        HTTPStatus.OK: Answer(
            description="The document.",
            content={
                "application/json": Content(
                    schema={"type": "object", "required": ["openapi", "info", "paths"]}
                )
            },
        )
    },
)
