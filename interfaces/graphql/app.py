"""The GraphQL endpoint, as “GraphQL over HTTP” wants it, and with doors that close."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
from anyio import CapacityLimiter
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.types import ExecutionResult

from interfaces.graphql.accept import GRAPHQL_RESPONSE, answer_type
from interfaces.graphql.context import RequestContext
from interfaces.graphql.errors import presentable
from interfaces.graphql.schema import schema
from interfaces.http.actor import context_of
from interfaces.http.local_only import is_cross_site

if TYPE_CHECKING:
    from infrastructure.container import Container

# Searches at a time. More would only wait for each other: for cores, and for connections.
THREADS = 8
MAX_BODY = 256 * 1024  # bytes; a document has 1,000 tokens at most
MAX_NESTING = 64  # of objects and lists in a request's JSON


def graphql_app(container: Container) -> ASGIApp:
    """Serves HTTP. Subscriptions are off: a WebSocket is closed at once."""
    return RequestBodyLimitMiddleware(GraphQLEndpoint(container), max_body_size=MAX_BODY)


class GraphQLEndpoint(GraphQL[RequestContext, None]):
    def __init__(self, container: Container) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(),
            multipart_uploads_enabled=False,
        )
        self._container = container
        self._threads = CapacityLimiter(THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            refuse_other_sites(request)
            answer_type(request.headers.get("accept"))
            response = await self.run(request)
        except HTTPException as error:
            response = refusal(request, error)
        await response(scope, receive, send)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> RequestContext:
        del response
        return RequestContext(
            container=self._container, actor=context_of(request), threads=self._threads
        )

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Never: the explorer has a page of its own."""
        del request
        return False

    def decode_json(self, data: str | bytes) -> dict[str, Any]:
        """Every body is one object, and so are variables and extensions in a URL."""
        found = orjson.loads(data)  # strict: UTF-8, no lone surrogates, no NaN
        if not isinstance(found, dict):
            raise malformed("it must be an object")
        if is_nested_too_deeply(found):
            raise malformed("it is nested too deeply")
        return found

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def parse_http_body(
        self, request: AsyncHTTPRequestAdapter
    ) -> GraphQLRequestData | list[GraphQLRequestData]:
        data = await super().parse_http_body(request)
        if isinstance(data, GraphQLRequestData) and not isinstance(data.operation_name, str | None):
            raise HTTPException(HTTPStatus.BAD_REQUEST, "`operationName` must be a string or null.")
        return data

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """Carries to `create_response` what the client accepts."""
        response = await super().get_sub_response(request)
        response.headers["content-type"] = answer_type(request.headers.get("accept"))
        return response

    async def process_result(
        self, request: Request, result: ExecutionResult
    ) -> GraphQLHTTPResponse:
        if result.errors:
            # What breaks during validation never passes the schema's extensions.
            result.errors = [presentable(error) for error in result.errors]
        answer = await super().process_result(request, result)
        is_refused = result.errors and all(error.path is None for error in result.errors)
        if is_refused and result.data is None:
            answer.pop("data", None)  # nothing was executed
        return answer

    def create_response(
        self,
        response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse],
        sub_response: Response,
    ) -> Response:
        media_type = sub_response.headers["content-type"]
        status = HTTPStatus.OK
        if media_type == GRAPHQL_RESPONSE and "data" not in response_data:
            status = HTTPStatus.BAD_REQUEST
        return answer(self.encode_json(response_data), status, media_type)


def refuse_other_sites(request: Request) -> None:
    """
    A search leaves an event behind, so even a GET is not for pages of other sites.

    Raises:
        HTTPException
    """
    if is_cross_site(request.headers, request.headers.get("host", "")):
        raise HTTPException(HTTPStatus.FORBIDDEN, "A page of another site may not ask for this.")


def malformed(reason: str) -> json.JSONDecodeError:
    return json.JSONDecodeError(reason, "", 0)


def is_nested_too_deeply(found: object) -> bool:
    level: list[object] = [found]
    for _ in range(MAX_NESTING):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def refusal(request: Request, error: HTTPException) -> Response:
    """What never became an operation, in the form that clients of GraphQL read."""
    try:
        media_type = answer_type(request.headers.get("accept"))
    except HTTPException:
        media_type = "application/json"
    status = HTTPStatus(error.status_code)
    body = {"errors": [{"message": error.reason, "extensions": {"code": status.name}}]}
    response = answer(orjson.dumps(body), status, media_type)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["allow"] = "GET, POST"
    return response


def answer(body: bytes, status: HTTPStatus, media_type: str) -> Response:
    headers = {"content-type": f"{media_type}; charset=utf-8", "cache-control": "no-store"}
    return Response(body, status, headers)
