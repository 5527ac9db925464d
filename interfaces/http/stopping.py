"""A server that stops waits for requests to end, but not for bodies that never do."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interfaces.http.problems import RequestError


class ServerStoppingError(RequestError):
    """The rest of the body will not be read."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "unavailable",
            "the server is stopping: send it again",
            headers={"Retry-After": "2", "Connection": "close"},
        )


class StoppableBodies:
    """Around the whole application. Whoever is still sending at the end is told so."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._waiting: set[asyncio.Task[Any]] = set()
        self._is_over = False

    def cut(self) -> None:
        """Give up every body that is not complete, and all that begin. In the event loop."""
        self._is_over = True
        for task in self._waiting:
            task.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_complete = False

        async def receive_until_cut() -> Message:
            nonlocal is_complete
            if is_complete:  # what comes now is the end of the connection
                return await receive()
            message = await self._receive(receive)
            is_complete = not message.get("more_body", False)
            return message

        await self._app(scope, receive_until_cut, send)

    async def _receive(self, receive: Receive) -> Message:
        if self._is_over:
            raise ServerStoppingError
        task = asyncio.current_task()
        if task is None:
            return await receive()
        self._waiting.add(task)
        try:
            return await receive()
        except asyncio.CancelledError:
            if not self._is_over or task.uncancel() > 0:
                raise
            raise ServerStoppingError from None
        finally:
            self._waiting.discard(task)
