"""HTTP/1.1 as httptools reads it, with limits to what is read before a request is one."""

from __future__ import annotations

from asyncio import Protocol, TimerHandle, Transport
from http import HTTPStatus
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from interfaces.http.request_ids import HEADER
from interfaces.http.security_headers import SECURITY_HEADERS

# The WebSocket's own reader breaks at lines of 8 KiB, and at 128 of them.
MAX_LINE = 8_000  # bytes: of the URL, and of each header
MAX_HEADERS = 100
MAX_HEAD = 16 * 1024  # bytes: of all that comes before the body
PIECE = 4 * 1024  # bytes that are read at once before the body
HEAD_SECONDS = 10.0  # for a request to become one, from the connection or from its first byte

if TYPE_CHECKING:
    Base = HttpToolsProtocol
else:
    Base = cast("type[Protocol]", HttpToolsProtocol)


class HeadTooLargeError(Exception):
    """Of a request; has the status that says so."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class BoundedHttp(Base):
    """
    The stock protocol keeps headers without end, and a connection that sends half of one for ever.

    What is no request gets 400, what is too large 414 or 431, always as problem+json.
    """

    _refused: HTTPStatus | None = None
    _head_size = 0  # bytes that were understood
    _unread_size = 0  # bytes that came since anything was understood
    _head_timer: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        start = 0
        # In pieces until there is a body: the parser tells what it understood, not what it keeps.
        while len(data) - start > PIECE and self._is_reading_head():
            self._feed(data[start : start + PIECE])
            start += PIECE
        if self._is_ours():
            self._feed(data[start:] if start else data)

    def _feed(self, data: bytes) -> None:
        self._unread_size += len(data)
        super().data_received(data)
        if not self._is_ours():
            self._forget_timer()
        elif not self._is_reading_head():
            self._forget_timer()  # a request: now the application decides how long it may take
        elif self._head_size + self._unread_size > MAX_HEAD + PIECE:
            self._refused = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self.send_400_response("")
        else:
            self._expect_head()

    def _is_ours(self) -> bool:
        """Neither closed nor handed over to a WebSocket."""
        return not self.transport.is_closing() and self.transport.get_protocol() is self

    def _is_reading_head(self) -> bool:
        return self._is_ours() and (self.cycle is None or self.cycle.response_complete)

    def on_message_begin(self) -> None:
        self._head_size = self._unread_size = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count(len(url))
        if len(self.url) > MAX_LINE:
            self._refuse(HTTPStatus.REQUEST_URI_TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        if len(name) + len(value) > MAX_LINE or len(self.headers) >= MAX_HEADERS:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unread_size = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread_size = 0
        super().on_body(body)

    def handle_websocket_upgrade(self) -> None:
        if not self.url.isascii():  # the WebSocket's own reader would break at it
            self.send_400_response("")
            return
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        del msg
        self._forget_timer()
        status = self._refused or HTTPStatus.BAD_REQUEST
        request_id = str(uuid4())  # what the client called it may not have been read
        content = {
            "title": status.phrase,
            "status": status.value,
            "code": f"http.{status.name.lower()}",
            "detail": "this is no request that can be answered",
            "requestId": request_id,
        }
        body = orjson.dumps(content)
        headers = {
            "content-type": "application/problem+json",
            "content-length": str(len(body)),
            "connection": "close",
            "cache-control": "no-store",
            HEADER: request_id,
            **SECURITY_HEADERS,
        }
        head = "".join(f"{name.lower()}: {value}\r\n" for name, value in headers.items())
        self.transport.write(STATUS_LINE[status] + f"{head}\r\n".encode() + body)
        self.transport.close()

    def _count(self, size: int) -> None:
        self._unread_size = 0
        self._head_size += size
        if self._head_size > MAX_HEAD:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def _refuse(self, status: HTTPStatus) -> None:
        self._refused = status
        raise HeadTooLargeError(status)  # the parser stops, and has `send_400_response` called

    def _expect_head(self) -> None:
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self._give_up)

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self._refused = HTTPStatus.REQUEST_TIMEOUT
            self.send_400_response("")
