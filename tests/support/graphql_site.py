"""The GraphQL endpoint, to be asked without a network."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from infrastructure.settings import Settings
from interfaces.graphql.app import graphql_app

URL = "http://127.0.0.1/graphql"


SECRET = "a secret detail"


class NoContainer:
    """For what is refused before anything is asked of the container."""

    def __init__(self, **environ: str) -> None:
        self.settings = Settings.from_env(environ)

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"the container was asked for {name}, with {SECRET}")


def application(container: Any) -> Starlette:
    return Starlette(routes=[Route(urlsplit(URL).path, graphql_app(container))])


class Site:
    """Asks one application; whatever it fails to catch, the test fails to catch, too."""

    def __init__(self, container: Any) -> None:
        self.app = application(container)

    def send(self, method: str = "POST", **request: Any) -> httpx.Response:
        async def exchange() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, timeout=30) as client:
                return await client.request(method, URL, **request)

        return asyncio.run(exchange())

    def post(self, content: bytes | str, **headers: str) -> httpx.Response:
        return self.send(content=content, headers={"content-type": "application/json"} | headers)

    def ask(self, document: str, /, **variables: Any) -> Any:
        """The whole answer: data and errors."""
        return self.send(json={"query": document, "variables": variables}).json()

    def data(self, document: str, /, **variables: Any) -> Any:
        answer = self.ask(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]
