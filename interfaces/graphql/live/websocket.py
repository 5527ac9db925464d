"""graphql-transport-ws: subscriptions, queries and mutations over one WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any

import orjson
from cross_web import HTTPException
from graphql import GraphQLError
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http import GraphQLRequestData
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)

from interfaces.graphql.context import RequestContext
from interfaces.graphql.live.connections import TRY_AGAIN_LATER, ConnectionNotHeldError
from interfaces.graphql.live.messages import MalformedMessageError, check_message
from interfaces.graphql.live.operation import (
    Answered,
    Begun,
    LiveSchema,
    Refused,
    Subscribed,
    failure,
)
from interfaces.graphql.live.rendering import are_passing
from interfaces.graphql.live.serving import Live, report

MAX_OPERATIONS = 20  # at a time, on one connection
INIT_TIMEOUT = timedelta(seconds=10)
SEND_SECONDS = 30.0  # a peer that takes nothing for so long is given up
CLOSE_SECONDS = 2.0  # then its close frame is, too
IDLE_SECONDS = 300.0  # without any operation
MAX_REASON = 123  # bytes; a close frame holds no more

NORMAL = 1000
BAD_REQUEST = 4400
UNAUTHORIZED = 4401
ALREADY_EXISTS = 4409
INTERNAL_ERROR = 4500


class LiveSocket(ASGIWebSocketAdapter):
    """Gives up a peer that takes nothing, and closes once, however often it is told to."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        await self.send_text(orjson.dumps(message).decode())

    async def send_text(self, text: str) -> None:
        """
        Raises:
            WebSocketDisconnected: the peer has gone, or took nothing for too long.
        """
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.ws.send_text(text)
        except TimeoutError:
            await self.close(TRY_AGAIN_LATER, "too little was read: connect again, and go on")
            raise WebSocketDisconnected from None
        except WebSocketDisconnect:
            raise WebSocketDisconnected from None
        except RuntimeError:
            if self.ws.application_state is not WebSocketState.DISCONNECTED:
                raise
            raise WebSocketDisconnected from None  # it was closed meanwhile

    async def close(self, code: int, reason: str) -> None:
        if self.ws.application_state is WebSocketState.DISCONNECTED:
            return
        short = reason.encode(errors="replace")[:MAX_REASON].decode(errors="ignore")
        with suppress(TimeoutError, WebSocketDisconnect):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.ws.close(code, short)


class LiveOperation(Operation[RequestContext, None]):
    def __init__(self, handler: LiveHandler, id: str, payload: Mapping[str, Any]) -> None:
        super().__init__(handler, id, "", None, None)
        self.payload = payload
        self.head = f'{{"id":{orjson.dumps(id).decode()},"type":"next","payload":'


class LiveHandler(BaseGraphQLTransportWSHandler[RequestContext, None]):
    """One connection. The protocol's rules are the library's; what may come, and how much, ours."""

    view: Any  # the LiveEndpoint, whose module imports this one
    websocket: LiveSocket
    schema: LiveSchema
    _lifetime: asyncio.Timeout
    _is_idle = False

    @property
    def live(self) -> Live:
        found: Live = self.view.live
        return found

    async def handle(self) -> None:
        client = self.websocket.ws.client
        try:
            with self.live.connections.hold(client.host if client else "", self.websocket.close):
                async with asyncio.timeout(None) as self._lifetime:
                    self._note_idleness()
                    await super().handle()
        except ConnectionNotHeldError as refused:
            await self.websocket.close(refused.code, str(refused))
        except TimeoutError:
            await self.websocket.close(NORMAL, "nothing was asked for")

    def _note_idleness(self) -> None:
        """Pings do not keep a connection open, operations do."""
        was_idle, self._is_idle = self._is_idle, not self.operations
        if self._is_idle != was_idle and not self._lifetime.expired():
            ends_at = asyncio.get_running_loop().time() + IDLE_SECONDS
            with suppress(RuntimeError):  # it has ended already
                self._lifetime.reschedule(ends_at if self._is_idle else None)

    async def handle_message(self, message: Any) -> None:
        try:
            await super().handle_message(check_message(message))  # type: ignore[arg-type]
        except MalformedMessageError as error:
            await self.handle_invalid_message(str(error))
        except WebSocketDisconnected:
            raise
        except Exception as error:  # noqa: BLE001 - what is unexpected closes properly, too
            await self.handle_task_exception(error)
            await self.websocket.close(INTERNAL_ERROR, "something unexpected went wrong")
        self._note_idleness()

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            report(error)

    async def handle_subscribe(self, message: Any) -> None:
        id = message["id"]
        if not self.connection_acknowledged:
            await self.websocket.close(UNAUTHORIZED, "Unauthorized")
        elif id in self.operations:
            await self.websocket.close(ALREADY_EXISTS, f"Subscriber for {id} already exists")
        elif len(self.operations) >= MAX_OPERATIONS:
            error = too_many_operations().formatted
            await self.send_message({"id": id, "type": "error", "payload": [error]})
        else:
            operation = LiveOperation(self, id, message["payload"])
            operation.task = asyncio.create_task(self.run_operation(operation))
            operation.task.add_done_callback(self._task_done)
            self.operations[id] = operation

    async def run_operation(self, operation: Any) -> None:
        id = operation.id
        try:
            await self._run(operation)
        except WebSocketDisconnected:
            self._end()
        except Exception as error:  # noqa: BLE001 - the other operations go on
            with suppress(WebSocketDisconnected):
                await self._refuse(operation, failure(error))
        finally:
            if self.operations.get(id) is operation:
                del self.operations[id]
            self._note_idleness()

    async def _run(self, operation: LiveOperation) -> None:
        begun = await self._begin(operation.payload)
        match begun:
            case Refused():
                await self._refuse(operation, begun)
                return
            case Answered(payload):
                await self._send_next(operation, payload)
            case Subscribed():
                async with aclosing(begun.payloads(self.live.renderer)) as payloads:
                    async for payload in payloads:
                        await self._send_next(operation, payload)
        if not self.live.connections.is_closing:  # else the client would not come back for more
            await operation.send_operation_message({"id": operation.id, "type": "complete"})

    async def _refuse(self, operation: LiveOperation, refused: Refused) -> None:
        """An `error` is final for clients; after this code they connect again by themselves."""
        if are_passing(refused.errors):
            await self.websocket.close(TRY_AGAIN_LATER, refused.errors[0].message)
        else:
            await operation.send_initial_errors(list(refused.errors))

    async def _begin(self, payload: Mapping[str, Any]) -> Begun:
        try:
            document = self.view.document_of(self.websocket.ws.headers, payload)
        except HTTPException as error:
            code = getattr(error, "code", "BAD_REQUEST")
            return Refused([GraphQLError(error.reason, extensions={"code": code})])
        data = GraphQLRequestData(
            query=document,
            variables=payload.get("variables"),
            operation_name=payload.get("operationName"),
            extensions=payload.get("extensions"),
        )
        return await self.schema.begin(data, self.context)

    async def _send_next(self, operation: LiveOperation, payload: bytes) -> None:
        if not operation.completed:
            await self.websocket.send_text(f"{operation.head}{payload.decode()}}}")

    def _end(self) -> None:
        """The peer takes nothing any more: stop waiting for what it says."""
        with suppress(RuntimeError):
            self._lifetime.reschedule(asyncio.get_running_loop().time())


def too_many_operations() -> GraphQLError:
    return GraphQLError(
        f"A connection has at most {MAX_OPERATIONS} operations at a time.",
        extensions={"code": "TOO_MANY_SUBSCRIPTIONS"},
    )
