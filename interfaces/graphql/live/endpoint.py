"""The part of the GraphQL endpoint that stays connected."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cross_web import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLRequestData
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.graphql import OperationType

from interfaces.graphql.context import RequestContext
from interfaces.graphql.decoding import decode_object
from interfaces.graphql.live.operation import Begun, LiveSchema
from interfaces.graphql.live.serving import Live
from interfaces.graphql.live.sse import EventStream
from interfaces.graphql.live.websocket import INIT_TIMEOUT, LiveHandler, LiveSocket


class LiveEndpoint(GraphQL[RequestContext, None]):
    """
    Attributes:
        live: its `connections.close_all` ends everything, before the server stops.
    """

    schema: LiveSchema
    websocket_adapter_class = LiveSocket
    graphql_transport_ws_handler_class = LiveHandler
    protocols = (GRAPHQL_TRANSPORT_WS_PROTOCOL,)  # the legacy one is off
    connection_init_wait_timeout = INIT_TIMEOUT

    def __init__(self, schema: LiveSchema, live: Live | None = None) -> None:
        super().__init__(
            schema,
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=INIT_TIMEOUT,
            multipart_uploads_enabled=False,
        )
        self.live = live or Live()

    def document_of(self, headers: Mapping[str, str], payload: Mapping[str, Any]) -> str | None:
        """
        The document that a message on a WebSocket asks for.

        Args:
            headers: of the handshake.

        Raises:
            HTTPException: it may not be asked for.
        """
        del headers
        document: str | None = payload.get("query")
        return document

    def decode_json(self, data: str | bytes) -> dict[str, Any]:
        """Of a WebSocket's message."""
        return decode_object(data)

    async def events(self, request: Request) -> EventStream:
        """
        The response to a request that wants an event stream.

        Raises:
            HTTPException: as for one that wants JSON.
        """
        adapter = self.request_adapter_class(request)
        if not self.is_request_allowed(adapter):
            raise HTTPException(405, "GraphQL only supports GET and POST requests.")
        data = await self.parse_http_body(adapter)
        if not isinstance(data, GraphQLRequestData):
            raise HTTPException(400, "Batching is not enabled")
        context = await self.get_context(request, Response())
        allowed = OperationType.from_http(adapter.method)

        async def begin() -> Begun:
            return await self.schema.begin(data, context, allowed)

        return EventStream(self.live, begin)
