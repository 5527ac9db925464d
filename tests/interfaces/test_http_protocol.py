"""What arrives before a request is one: bytes, on a real socket."""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from interfaces.cli import http_protocol, serving
from interfaces.cli.serving import Server, configuration
from interfaces.http.security_headers import SECURITY_HEADERS
from interfaces.http.stopping import StoppableBodies
from tests.support.command import free_port

GOOD = b"GET /size HTTP/1.1\r\nHost: localhost\r\n"
UPGRADE = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
FIRST_SECONDS = 5.0  # until an answer begins
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


async def size(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def echo(websocket: WebSocket) -> None:
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        await websocket.send_text(await websocket.receive_text())
        await websocket.close()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of the server as it is configured for people, around an application of its own."""
    routes = [Route("/size", size, methods=["GET", "POST"]), WebSocketRoute("/echo", echo)]
    bodies = StoppableBodies(Starlette(routes=routes))
    server = Server(configuration(bodies), bodies, None, lambda: None, ())
    number = free_port()
    ended: list[float] = []
    listener = socket.create_server(("127.0.0.1", number), backlog=100)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "end_within", ended.append)  # it would be the end of this process
        yield number
        server.should_exit = True
        thread.join(10)
    assert ended == [serving.END_SECONDS]


def exchange(port: int, *parts: bytes, seconds: float = 1.0) -> bytes:
    """Everything that comes back until the server closes, or says nothing more for so long."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
        try:
            for part in parts:
                client.sendall(part)
            client.settimeout(max(seconds, FIRST_SECONDS))
            while chunk := client.recv(65536):
                answer += chunk
                client.settimeout(seconds)
        except (ConnectionError, TimeoutError):
            return answer
    return answer


def status(answer: bytes) -> int:
    found = STATUS.match(answer)
    assert found, answer[:200]
    return int(found[1])


def refusal(answer: bytes) -> tuple[int, str]:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    said = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    expected = {name.lower(): value for name, value in SECURITY_HEADERS.items()}
    assert expected.items() <= said.items()
    problem = json.loads(body)
    assert problem["requestId"] == said["x-request-id"]
    assert problem["status"] == status(answer)
    return problem["status"], problem["code"]


def test_requests_are_answered_and_nothing_says_by_what(port: int) -> None:
    answer = exchange(port, GOOD + b"Content-Length: 3\r\n\r\nabc")
    assert status(answer) == 200
    assert answer.endswith(b"\r\n\r\n3")
    assert b"server:" not in answer.lower()


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", (414, "http.request_uri_too_long")),
        (GOOD + b"X: " + b"a" * 9000 + b"\r\n\r\n", (431, "http.request_header_fields_too_large")),
        (
            GOOD + b"".join(b"X%d: %s\r\n" % (n, b"a" * 400) for n in range(50)) + b"\r\n",
            (431, "http.request_header_fields_too_large"),
        ),
        (GOOD + b"X: " + b"a" * 40_000, (431, "http.request_header_fields_too_large")),
        (b"hello\r\n\r\n", (400, "http.bad_request")),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", (400, "http.bad_request")),  # TLS
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, "http.bad_request")),
        (GOOD + b"Content-Length: x\r\n\r\n", (400, "http.bad_request")),
        (GOOD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", (400, "http.bad_request")),
        (
            GOOD + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            (400, "http.bad_request"),
        ),
        (GOOD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", (400, "http.bad_request")),
        (GOOD + b"no colon here\r\n\r\n", (400, "http.bad_request")),
        (GOOD + b"X: a\x00b\r\n\r\n", (400, "http.bad_request")),
        (b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n", (400, "http.bad_request")),
        (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n" + UPGRADE + b"\r\n", (400, "http.bad_request")),
    ],
)
def test_what_is_no_request_is_refused(
    port: int, request_: bytes, expected: tuple[int, str]
) -> None:
    assert refusal(exchange(port, request_)) == expected


def test_a_head_in_many_small_pieces_is_read(port: int) -> None:
    whole = GOOD + b"".join(b"X%d: %s\r\n" % (n, b"a" * 100) for n in range(90)) + b"\r\n"
    pieces = [whole[i : i + 7] for i in range(0, len(whole), 7)]
    assert status(exchange(port, *pieces)) == 200


def test_many_requests_on_one_connection_have_a_head_each(port: int) -> None:
    one = GOOD + b"X: " + b"a" * 4000 + b"\r\n\r\n"
    answer = exchange(port, one * 20)
    assert len(re.findall(rb"HTTP/1\.1 200 ", answer)) == 20


def test_a_large_body_is_no_head(port: int) -> None:
    body = bytes(3_000_000)
    answer = exchange(
        port, GOOD.replace(b"GET", b"POST") + b"Content-Length: 3000000\r\n\r\n", body
    )
    assert answer.endswith(b"\r\n\r\n3000000")


def test_half_a_head_is_not_waited_for_for_ever(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", 0.5)
    for beginning in (b"", b"GET / HT", GOOD, b"\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(beginning)
            began, answer = time.monotonic(), b""
            while chunk := client.recv(65536):
                answer += chunk
            assert time.monotonic() - began < 3
            assert b"HTTP/1.1 408 " in answer


def test_handshakes_of_websockets_are_accepted_or_refused(port: int) -> None:
    good = b"GET /echo HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE + b"\r\n"
    assert status(exchange(port, good)) == 101
    for bad in (
        good.replace(b"Sec-WebSocket-Key", b"X-Key"),
        good.replace(b"Version: 13", b"Version: 1"),
        good.replace(b"dGhlIHNhbXBsZSBub25jZQ==", b"short"),
        good.replace(b"Host: localhost\r\n", b"Host: localhost\r\nX: " + b"a" * 8000 + b"\r\n"),
        good.replace(b"Host: localhost\r\n", b"Host: localhost\r\n" + b"X: a\r\n" * 200),
        good.replace(b"GET", b"POST"),
    ):
        answer = exchange(port, bad)
        assert STATUS.match(answer), bad
        assert 400 <= status(answer) < 500


@pytest.mark.parametrize(
    "count", [250, pytest.param(20_000, marks=[pytest.mark.long, pytest.mark.timeout(900)])]
)
def test_no_bytes_are_answered_with_a_fault_of_ours(port: int, count: int) -> None:
    """Requests with parts exchanged for others, cut off, doubled or made of anything."""
    random_ = random.Random(11)
    seeds = [
        GOOD + b"\r\n",
        GOOD.replace(b"GET", b"POST") + b"Content-Length: 5\r\n\r\nhello",
        GOOD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: localhost\r\n" + UPGRADE + b"\r\n\x81\x85aaaabcdef",
    ]
    tried = []
    for _ in range(count):
        bytes_ = bytearray(random_.choice(seeds))
        for _ in range(random_.randint(1, 6)):
            at = random_.randrange(len(bytes_) + 1)
            match random_.randrange(4):
                case 0:
                    bytes_[at : at + 1] = random_.randbytes(random_.randint(1, 4))
                case 1:
                    del bytes_[at : at + random_.randint(1, 20)]
                case 2:
                    bytes_[at:at] = bytes_[: random_.randint(0, len(bytes_))]
                case _:
                    bytes_[at:at] = random_.choice([b"\r\n", b"\x00", b":", b" ", b"\xff", b"%"])
        tried.append(bytes(bytes_))
    # Most are half a request, for which the server waits, and so does who sent it: many at once.
    with ThreadPoolExecutor(32) as pool:
        answers = pool.map(lambda bytes_: exchange(port, bytes_, seconds=0.05), tried)
        for bytes_, answer in zip(tried, answers, strict=True):
            assert not re.search(rb"HTTP/1\.1 5\d\d ", answer), bytes_
