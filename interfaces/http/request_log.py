"""One log line, one measurement and one span for each request; nothing of what it says."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from prometheus_client import Histogram
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from infrastructure.logging import get_logger
from infrastructure.observability.metrics import Metrics, metrics
from infrastructure.observability.reached import Reached, reached
from infrastructure.observability.tracing import TRACEPARENT, is_tracing, span
from interfaces.http.request_ids import correlation_id_of, request_id_of

log = get_logger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UNMATCHED = "unmatched"  # the path itself may say anything
HUNG_UP = 499  # nobody is there to hear an answer
# What machines ask every few seconds.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
STREAM = b"text/event-stream"


@dataclass(slots=True)
class Answered:
    """What has been sent so far."""

    began_at: float
    status: int | None = None
    size: int = 0  # bytes of the body
    is_stream: bool = False  # it lasts for as long as somebody listens
    first_at: float | None = None

    def see(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.first_at = time.perf_counter()
            self.is_stream = any(
                name.lower() == b"content-type" and value.startswith(STREAM)
                for name, value in message.get("headers", ())
            )
        elif message["type"] == "http.response.body":
            self.size += len(message.get("body", b""))


class RequestLog:
    """
    Stands inside of what gives ids to requests, and outside of everything that answers them.

    All that is logged while a request is answered says its id.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = Answered(time.perf_counter())
        correlation_id = str(correlation_id_of(scope))

        async def send_seen(message: Message) -> None:
            answered.see(message)
            await send(message)

        parent = Headers(scope=scope).get(TRACEPARENT) if is_tracing() else None
        with (
            bound_contextvars(
                request_id=request_id_of(scope) or correlation_id, correlation_id=correlation_id
            ),
            span(
                "http_request",
                "server",
                parent=parent,
                http__request__method=method_of(scope),
                chatledger__correlation_id=correlation_id,
            ) as current,
            reached() as done,
        ):
            try:
                await self._app(scope, receive, send_seen)
            except Exception:
                answered.status = answered.status or 500  # it is answered outside of here
                raise
            finally:
                ended(scope, answered, done, current)

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        began_at = time.perf_counter()
        codes: list[int] = []

        async def receive_seen() -> Message:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                codes.append(message.get("code", 1005))
            return message

        async def send_seen(message: Message) -> None:
            if message["type"] == "websocket.close":
                codes.append(message.get("code", 1000))
            await send(message)

        correlation_id = str(correlation_id_of(scope))
        request_id = request_id_of(scope) or correlation_id
        with bound_contextvars(request_id=request_id, correlation_id=correlation_id):
            try:
                await self._app(scope, receive_seen, send_seen)
            finally:
                log.info(
                    "websocket_closed",
                    route=route_of(scope),
                    code=codes[0] if codes else None,
                    duration_ms=milliseconds(time.perf_counter() - began_at),
                )


def ended(scope: Scope, answered: Answered, done: Reached, current: Any) -> None:
    route, method, status = route_of(scope), method_of(scope), answered.status or HUNG_UP
    now = time.perf_counter()
    # A stream is answered when it begins: how long somebody listens is no latency.
    until = answered.first_at if answered.is_stream and answered.first_at else now
    kind = f"{status // 100}xx"
    latency(metrics(), method, route, kind).observe(until - answered.began_at)
    if current is not None:
        current.update_name(f"{method} {route}")
        current.set_attribute("http.route", route)
        current.set_attribute("http.response.status_code", status)
    if status >= 500:
        say = log.warning
    elif route in PROBES:
        say = log.debug
    else:
        say = log.info
    say(
        "http_request",
        method=method,
        route=route,
        status=status,
        size=answered.size,
        duration_ms=milliseconds(now - answered.began_at),
        **({} if done.position is None else {"position": done.position}),
        **done.facts,
    )


@lru_cache(maxsize=1_000)
def latency(own: Metrics, method: str, route: str, kind: str) -> Histogram:
    """The library would look for it under a lock, each time."""
    return own.http.labels(method, route, kind)


def route_of(scope: Scope) -> str:
    """As it was declared, with placeholders for what the client filled in."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else UNMATCHED


def method_of(scope: Scope) -> str:
    method = scope["method"]
    return method if method in METHODS else "other"


def milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
