"""Every request has an id: the client's if it is a safe token, else a new one."""

from __future__ import annotations

import re
from functools import lru_cache
from uuid import UUID, uuid4, uuid5

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.aggregate import CHATLEDGER_NAMESPACE

HEADER = "X-Request-Id"
NAME = HEADER.lower().encode()  # as servers give it
KEY = "chatledger.request_id"  # in the scope
SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?")
STARTS = {"http.response.start", "websocket.accept", "websocket.http.response.start"}


class RequestIds:
    """Gives each request its id, and each answer the header that says it. WebSockets too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        scope[KEY] = given_id(scope) or str(uuid4())
        encoded = scope[KEY].encode()

        async def send_with_id(message: Message) -> None:
            if message["type"] in STARTS:
                headers = message.get("headers", ())
                if (NAME, encoded) not in headers:  # a problem says it by itself
                    message["headers"] = [*headers, (NAME, encoded)]
            await send(message)

        await self._app(scope, receive, send_with_id)


def given_id(scope: Scope) -> str | None:
    """It goes into logs and headers as it is: so only if it is nothing but a token."""
    given = [value for name, value in scope["headers"] if name == NAME]
    if len(given) != 1:
        return None
    token: str = given[0].decode("latin-1")
    return token if SAFE.fullmatch(token) else None


def request_id_of(scope: Scope) -> str | None:
    """None where the middleware does not stand before what is asked."""
    found = scope.get(KEY)
    return found if isinstance(found, str) else None


def correlation_id_of(scope: Scope) -> UUID:
    """The same for all that one request causes: its id if that is a UUID, else derived from it."""
    request_id = request_id_of(scope)
    return uuid4() if request_id is None else correlation_id(request_id)


@lru_cache(maxsize=256)
def correlation_id(request_id: str) -> UUID:
    """It is asked for more than once while a request is answered."""
    try:
        return UUID(request_id)
    except ValueError:
        return uuid5(CHATLEDGER_NAMESPACE, f"request/{request_id}")
