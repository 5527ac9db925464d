"""What no request may exceed, whatever it asks for; and what no request may leave open."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

from interfaces.http.problems import ProblemResponse, problem

# The server in front refuses a head of more than 16 KiB, and a URL of more than 8,000 bytes.
MAX_PATH = 2_048  # bytes
MAX_QUERY = 5 * 1024  # bytes
MAX_HEADERS = 90
MAX_HEADER_BYTES = 10 * 1024  # of names and values together
# Twice in one request, these could mean one thing to us and another to who stands before us.
SINGLE = frozenset(
    [
        b"content-encoding",
        b"content-length",
        b"content-type",
        b"expect",
        b"host",
        b"idempotency-key",
        b"if-range",
        b"origin",
        b"range",
        b"transfer-encoding",
    ]
)
BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
PRINTABLE = re.compile(rb"[!-~]*")


class RequestLimits:
    """Refuses before anybody reads: lengths, repeated headers, escapes that mean nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if refused is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "malformed request"})
        else:
            await refused(scope, receive, send)


def refusal(scope: Scope) -> ProblemResponse | None:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    path, query = scope.get("raw_path") or b"", scope["query_string"]
    if len(path) > MAX_PATH or len(query) > MAX_QUERY:
        return problem(
            HTTPStatus.REQUEST_URI_TOO_LONG,
            "http.request_uri_too_long",
            f"a path has at most {MAX_PATH:,} bytes and a query {MAX_QUERY:,}",
        )
    size = sum(len(name) + len(value) for name, value in headers)
    if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        return problem(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            "http.request_header_fields_too_large",
            f"a request has at most {MAX_HEADERS} headers of {MAX_HEADER_BYTES:,} bytes in all",
        )
    names = [name.lower() for name, _ in headers]
    repeated = min((name for name in SINGLE if names.count(name) > 1), default=None)
    if repeated is not None:
        return malformed(f"the header {repeated.decode()} was given more than once")
    if not (PRINTABLE.fullmatch(query) and is_utf8(query)) or BROKEN_ESCAPE.search(query):
        return malformed("the query is not percent-encoded UTF-8")
    if not is_utf8(path) or BROKEN_ESCAPE.search(path):
        return malformed("the path is not percent-encoded UTF-8")
    return None


def is_utf8(encoded: bytes) -> bool:
    try:
        unquote_to_bytes(encoded).decode()
    except UnicodeDecodeError:
        return False
    return True


def malformed(detail: str) -> ProblemResponse:
    return problem(HTTPStatus.BAD_REQUEST, "http.malformed", detail)
