"""Who is served, and what every answer carries."""

from __future__ import annotations

import sys
from ipaddress import ip_network
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from infrastructure.settings import Settings
from interfaces.http.app import make_app, routes_to_describe
from interfaces.http.local_only import LocalOnly
from interfaces.http.openapi_document import document
from interfaces.http.security_headers import SECURITY_HEADERS

HOME = "http://127.0.0.1:8000"
DESCRIBED = document(routes_to_describe())["paths"]
SOCKET = "ws://127.0.0.1:8000"


class NoParts:
    """These tests never reach a use case."""

    settings = Settings.from_env({})

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")


def client_of(app: Any, *, base_url: str = HOME, address: str = "127.0.0.1") -> TestClient:
    return TestClient(app, base_url=base_url, client=(address, 50000), follow_redirects=False)


def behind_guard(**options: Any) -> Starlette:
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("welcome")
        await socket.close()

    app = Starlette(
        routes=[
            Route("/", lambda _request: PlainTextResponse("welcome"), methods=["GET", "POST"]),
            WebSocketRoute("/", echo),
        ]
    )
    app.add_middleware(LocalOnly, **options)
    return app


@pytest.mark.parametrize(
    ("host", "is_served"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8000", True),
        ("localhost:3000", True),
        ("LOCALHOST", True),
        ("[::1]:8000", True),
        ("", False),
        ("evil.example", False),
        ("evil.example:8000", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("localhost@evil.example", False),
        ("evil.example@localhost", False),
        ("localhost/evil.example", False),
        ("localhost:evil", False),
        ("[::1", False),
        ("0.0.0.0:8000", False),
        ("192.168.1.5:8000", False),
    ],
)
def test_a_name_that_is_not_local_is_not_served(host: str, is_served: bool) -> None:
    """Or a page could let its own name point to this machine, and read the archive."""
    answer = client_of(behind_guard()).get("/", headers={"Host": host})
    assert answer.status_code == (200 if is_served else 403)


@pytest.mark.parametrize(
    ("address", "is_served"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.1.5", False),
        ("::ffff:192.168.1.5", False),
        ("fe80::1", False),
        ("testclient", False),
    ],
)
def test_another_machine_is_not_served(address: str, is_served: bool) -> None:
    answer = client_of(behind_guard(), address=address).get("/")
    assert answer.status_code == (200 if is_served else 403)
    if not is_served:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "local_only"


def test_a_containers_host_can_be_declared_local() -> None:
    app = behind_guard(clients=[ip_network("172.17.0.1/32")])
    assert client_of(app, address="172.17.0.1").get("/").status_code == 200
    assert client_of(app, address="172.17.0.2").get("/").status_code == 403


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
def test_a_proxy_does_not_open_the_door(name: str) -> None:
    assert client_of(behind_guard()).get("/", headers={name: "127.0.0.1"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "is_served"),
    [
        ({}, True),
        ({"Origin": HOME}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": HOME}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Origin": "http://127.0.0.1:9000"}, False),
        ({"Origin": "http://127.0.0.1:8000.evil.example"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": HOME}, False),
    ],
)
def test_a_page_of_another_site_changes_nothing(headers: dict[str, str], is_served: bool) -> None:
    client = client_of(behind_guard())
    assert client.post("/", headers=headers).status_code == (200 if is_served else 403)
    assert client.get("/", headers=headers).status_code == 200  # no page can read the answer


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-User": "?1"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
def test_a_page_of_another_site_causes_no_facts(headers: dict[str, str]) -> None:
    """Downloads and exports are recorded: an image or a link elsewhere must not have one made."""
    client = client_of(make_app(NoParts()))
    interfaces = [path for path in DESCRIBED if path.startswith(("/api/", "/graphql"))]
    assert len(interfaces) >= 5
    for path in [*interfaces, "/api", "/api/nowhere"]:
        for method in ("GET", "HEAD", "OPTIONS"):
            answer = client.request(method, path, headers=headers)
            assert answer.status_code == 403, (method, path)
            assert method == "HEAD" or answer.json()["code"] == "local_only"
    for page in ("/docs", "/", "/healthz"):
        assert client.get(page, headers=headers).status_code in {200, 307}


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_person_may_open_what_a_page_of_ours_names(site: str) -> None:
    """An address that was typed in, or a bookmark, has no page before it."""
    path = "/api/events?wokspace=team"  # refused by the route: so the guard has let it pass
    answer = client_of(make_app(NoParts())).get(path, headers={"Sec-Fetch-Site": site})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("headers", "is_served"),
    [
        ({"Origin": HOME}, True),
        ({}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, False),
    ],
)
def test_a_page_of_another_site_opens_no_websocket(
    headers: dict[str, str], is_served: bool
) -> None:
    client = client_of(behind_guard())
    if is_served:
        with client.websocket_connect(f"{SOCKET}/", headers=headers) as socket:
            assert socket.receive_text() == "welcome"
    else:
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect(f"{SOCKET}/", headers=headers),
        ):
            pass


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("GET", "/", 307),
        ("GET", "/graphiql", 200),
        ("GET", "/static/graphiql/graphiql-init.js", 200),
        ("GET", "/static/graphiql/../app.py", 404),
        ("GET", "/static/graphiql/%2e%2e/%2e%2e/app.py", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/api/uploads", 405),
        ("POST", "/graphiql", 405),
    ],
)
def test_every_answer_has_the_security_headers(method: str, path: str, status: int) -> None:
    answer = client_of(make_app(NoParts())).request(method, path)
    assert answer.status_code == status
    assert (
        SECURITY_HEADERS.items()
        <= {name: answer.headers.get(name) for name in SECURITY_HEADERS}.items()
    )
    if status >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status


def test_a_refused_request_has_the_security_headers() -> None:
    answer = client_of(make_app(NoParts())).get("/healthz", headers={"Host": "evil.example"})
    assert answer.status_code == 403
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", sorted(DESCRIBED))
@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-For": "127.0.0.1"}])
def test_no_route_is_for_others(path: str, headers: dict[str, str]) -> None:
    for method in ("GET", "HEAD", "POST"):
        answer = client_of(make_app(NoParts())).request(method, path, headers=headers)
        assert answer.status_code == 403
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Request-Id"]


def test_an_unexpected_error_says_nothing_about_itself() -> None:
    client = TestClient(
        make_app(NoParts()),
        base_url=HOME,
        client=("127.0.0.1", 50000),
        raise_server_exceptions=False,
    )
    answer = client.post("/api/uploads?workspace=a&filename=b", content=b"secret")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "asked for" not in answer.text
    assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_the_explorer_needs_no_inline_script() -> None:
    client = client_of(make_app(NoParts()))
    assert client.get("/").headers["location"] == "/graphiql"
    assert "<script>" not in client.get("/graphiql").text
    assert "unsafe" not in SECURITY_HEADERS["Content-Security-Policy"]


def test_in_production_there_is_a_first_page_and_no_explorer() -> None:
    parts = NoParts()
    parts.settings = Settings.from_env({"CHATLEDGER_ENVIRONMENT": "production"})
    client = client_of(make_app(parts))
    home = client.get("/")
    assert (home.status_code, home.headers["location"]) == (307, "/docs")
    assert client.get("/docs").status_code == 200
    assert client.get("/graphiql").status_code == 404


def test_graphql_has_one_path_for_requests_and_websockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """/graphql itself: a redirect to /graphql/ would lose WebSockets."""

    async def graphql(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            socket = WebSocket(scope, receive, send)
            await socket.accept()
            await socket.send_text("hello")
            await socket.close()
            return
        await PlainTextResponse("hello")(scope, receive, send)

    module: Any = ModuleType("interfaces.graphql.app")
    module.graphql_app = lambda _container: Graphql(graphql)
    monkeypatch.setitem(sys.modules, "interfaces.graphql.app", module)
    client = client_of(make_app(NoParts()))
    assert client.post("/graphql").text == "hello"
    headers = {"X-Request-Id": "mine"}
    with client.websocket_connect(f"{SOCKET}/graphql", headers=headers) as socket:
        assert socket.receive_text() == "hello"
        assert (b"x-request-id", b"mine") in socket.extra_headers


class Graphql:
    """An object, as real applications are: Starlette takes functions for request handlers."""

    live = SimpleNamespace(connections=None)  # it has no subscriptions

    def __init__(self, call: Any) -> None:
        self._call = call

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._call(scope, receive, send)
