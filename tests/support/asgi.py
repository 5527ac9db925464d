"""One HTTP request at an ASGI application in this process, without a client's own work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.types import ASGIApp, Message


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    cpu_seconds: float  # of the calling thread

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


class Caller:
    """Keeps one event loop. Whatever the application fails to catch is raised here."""

    def __init__(self, app: ASGIApp, path: str = "/graphql") -> None:
        self._app = app
        self._path = path
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def post(self, body: bytes | Sequence[bytes], **headers: str) -> Answered:
        """Args: `body`: of several parts, it comes in as many chunks. `headers`: `_` for `-`."""
        content = {"content_type": "application/json"} | headers
        return self.send("POST", body, headers=content)

    def ask(self, document: str, variables: Any = None, **headers: str) -> Answered:
        payload = {"query": document, "variables": variables}
        return self.post(orjson.dumps(payload), **headers)

    def send(
        self,
        method: str,
        body: bytes | Sequence[bytes] = b"",
        *,
        query: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        chunks = [body] if isinstance(body, bytes) else list(body)
        named = {"host": "127.0.0.1"} | dict(headers or {})
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": urlsplit(self._path).path,
            "raw_path": self._path.encode(),
            "root_path": "",
            "query_string": query,
            "headers": [
                (name.replace("_", "-").lower().encode(), value.encode("latin-1"))
                for name, value in named.items()
            ],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        return self._loop.run_until_complete(self._exchange(scope, chunks))

    async def _exchange(self, scope: dict[str, Any], chunks: list[bytes]) -> Answered:
        sent: list[Message] = []
        is_over = asyncio.Event()
        messages = [
            {"type": "http.request", "body": chunk, "more_body": number < len(chunks)}
            for number, chunk in enumerate(chunks, start=1)
        ]

        async def receive() -> Message:
            if messages:
                return messages.pop(0)
            await is_over.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        began_at, cpu = time.monotonic(), time.thread_time()
        await self._app(scope, receive, send)
        seconds, cpu_seconds = time.monotonic() - began_at, time.thread_time() - cpu
        is_over.set()
        start = sent[0]
        return Answered(
            status=start["status"],
            headers={name.decode(): value.decode() for name, value in start["headers"]},
            body=b"".join(message.get("body", b"") for message in sent[1:]),
            seconds=seconds,
            cpu_seconds=cpu_seconds,
        )
