"""The GraphQL endpoint, as “GraphQL over HTTP” wants it, and with doors that close."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import orjson
from cross_web import AsyncHTTPRequestAdapter, HTTPException
from graphql import GraphQLError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.types import ExecutionResult

from interfaces.graphql.accept import GRAPHQL_RESPONSE, answer_type
from interfaces.graphql.context import RequestContext
from interfaces.graphql.deadline import (
    ClientGoneError,
    DeadlineExceededError,
    OperationThreads,
    OverloadedError,
    unless_gone,
)
from interfaces.graphql.decoding import (
    LimitedRequest,
    RefusedError,
    check_content,
    decode_body,
    decode_url,
)
from interfaces.graphql.errors import (
    BAD_REQUESTS,
    DEADLINE_EXCEEDED,
    OVERLOADED,
    TRY_AGAIN,
    presentable,
)
from interfaces.graphql.live.endpoint import LiveEndpoint
from interfaces.graphql.live.sse import wants_events
from interfaces.graphql.schema import schema
from interfaces.graphql.trusted import TrustedDocuments
from interfaces.http.actor import context_of
from interfaces.http.local_only import is_cross_site

if TYPE_CHECKING:
    from infrastructure.container import Container

RETRY_SECONDS = "1"


def graphql_app(container: Container) -> GraphQLEndpoint:
    """Serves HTTP, event streams included, and WebSockets. See `live` for how to end these."""
    return GraphQLEndpoint(container)


class GraphQLEndpoint(LiveEndpoint):
    request_adapter_class = LimitedRequest

    def __init__(self, container: Container) -> None:
        super().__init__(schema)
        settings = container.settings
        self._container = container
        self._is_production = settings.is_production
        self.trusted = TrustedDocuments.read(
            settings.trusted_documents, is_required=settings.is_production
        )
        self._threads = OperationThreads(deadline_seconds=settings.operation_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            refuse_other_sites(request)
            is_stream = wants_events(request.headers.get("accept"))
            if not is_stream:
                answer_type(request.headers.get("accept"))
            if self._threads.is_overloaded:
                overloaded = OverloadedError()
                raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, str(overloaded), OVERLOADED)
            response = await (self.events(request) if is_stream else self.run(request))
        except HTTPException as error:
            response = refusal(request, error)
        await response(scope, receive, send)

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> RequestContext:
        del response
        return RequestContext(
            container=self._container,
            actor=context_of(request),
            threads=self._threads,
            is_production=self._is_production,
        )

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """Never: the explorer has a page of its own."""
        del request
        return False

    def document_of(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> str | None:
        """Of a WebSocket's message; for what a request asks see `parse_http_body`."""
        return self.trusted.document_of(headers, payload)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        """
        Raises:
            RefusedError
        """
        if request.method == "GET":
            payload = decode_url(cast("QueryParams", request.query_params).multi_items())
        else:
            check_content(request.headers)
            payload = decode_body(await request.get_body())
        transport = self._get_stream_transport_from_headers(request.headers)
        return GraphQLRequestData(
            query=self.trusted.document_of(request.headers, payload),
            variables=payload.get("variables"),
            operation_name=payload.get("operationName"),
            extensions=payload.get("extensions"),
            protocol=transport.protocol if transport else "http",
        )

    async def execute_single(
        self, request: Request, *arguments: Any, **named: Any
    ) -> ExecutionResult:
        """Ends when the client hangs up, and soon after the deadline, whatever it waits for."""
        work = super().execute_single(request, *arguments, **named)
        seconds = self._threads.deadline_seconds
        try:
            return await unless_gone(request.receive, work, seconds)
        except DeadlineExceededError as error:
            failure = GraphQLError(str(error), original_error=error)
            return ExecutionResult(data=None, errors=[failure])
        except ClientGoneError as error:
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, str(error)) from error

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
        status = status_of(cast("GraphQLHTTPResponse", response_data), media_type)
        return answer(self.encode_json(response_data), status, media_type)


def status_of(answered: GraphQLHTTPResponse, media_type: str) -> HTTPStatus:
    errors = cast("list[dict[str, Any]]", answered.get("errors") or [])
    codes = {error.get("extensions", {}).get("code") for error in errors}
    if codes and codes <= TRY_AGAIN:
        return HTTPStatus.SERVICE_UNAVAILABLE
    if codes & BAD_REQUESTS:
        return HTTPStatus.BAD_REQUEST
    if media_type == GRAPHQL_RESPONSE and "data" not in answered:
        is_late = DEADLINE_EXCEEDED in codes
        return HTTPStatus.GATEWAY_TIMEOUT if is_late else HTTPStatus.BAD_REQUEST
    return HTTPStatus.OK


def refuse_other_sites(request: Request) -> None:
    """
    A search leaves an event behind, so even a GET is not for pages of other sites.

    Raises:
        HTTPException
    """
    if is_cross_site(request.headers, request.headers.get("host", "")):
        raise HTTPException(HTTPStatus.FORBIDDEN, "A page of another site may not ask for this.")


def refusal(request: Request, error: HTTPException) -> Response:
    """What never became an operation, in the form that clients of GraphQL read."""
    try:
        media_type = answer_type(request.headers.get("accept"))
    except HTTPException:
        media_type = "application/json"
    status = HTTPStatus(error.status_code)
    code = error.code if isinstance(error, RefusedError) else status.name
    body = {"errors": [{"message": error.reason, "extensions": {"code": code}}]}
    response = answer(orjson.dumps(body), status, media_type)
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["allow"] = "GET, POST"
    if status is HTTPStatus.REQUEST_TIMEOUT:
        response.headers["connection"] = "close"  # the rest of the body is no next request
    return response


def answer(body: bytes, status: HTTPStatus, media_type: str) -> Response:
    headers = {"content-type": f"{media_type}; charset=utf-8", "cache-control": "no-store"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["retry-after"] = RETRY_SECONDS
    return Response(body, status, headers)
