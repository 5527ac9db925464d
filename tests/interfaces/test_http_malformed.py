"""Bytes that are no request, or one that means harm: refused within moments, and others go on."""

from __future__ import annotations

import random
import socket
import time
from uuid import UUID, uuid4, uuid5

import pytest

from domain.aggregate import CHATLEDGER_NAMESPACE
from domain.export import Export
from interfaces.http.limits import MAX_HEADER_BYTES, MAX_HEADERS, MAX_PATH, MAX_QUERY
from interfaces.http.security_headers import SECURITY_HEADERS
from tests.support.rest_fixture import site
from tests.support.rest_site import RestSite

__all__ = ["site"]

SLOWEST_SECONDS = 2.0
UPLOAD = "/api/uploads?workspace=fuzz&filename=a.txt"


def exchange(site: RestSite, sent: bytes, *, patience: float = SLOWEST_SECONDS) -> bytes:
    """
    All that comes back, until the server closes.

    Args:
        patience: seconds until the client goes away, if no end comes.
    """
    started = time.perf_counter()
    received = b""
    with socket.create_connection(("127.0.0.1", site.port), timeout=patience) as connection:
        try:
            connection.sendall(sent)
            while piece := connection.recv(65536):
                received += piece
        except (TimeoutError, ConnectionError):
            pass  # it waits for more of a request, or has cut us off: outcomes as clear as answers
    assert time.perf_counter() - started < patience + SLOWEST_SECONDS
    return received


def request(site: RestSite, target: str | bytes, *headers: bytes, method: bytes = b"GET") -> bytes:
    raw = target if isinstance(target, bytes) else target.encode()
    lines = [method + b" " + raw + b" HTTP/1.1", b"Host: 127.0.0.1:%d" % site.port, *headers]
    return b"\r\n".join([*lines, b"Connection: close", b"", b""])


def status_of(answer: bytes) -> int | None:
    """None: nothing was answered."""
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else None


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/" + "a" * MAX_PATH, 414),
        ("/healthz?" + "a" * (MAX_QUERY + 1), 414),
        ("/healthz?" + "a" * 300_000, 414),
        ("/api/events?workspace=%zz", 400),
        ("/api/events?workspace=%", 400),
        ("/api/events?workspace=%ff%fe", 400),
        ("/api/events?workspace=%ed%a0%80", 400),
        (b"/api/events?workspace=\xff", 400),
        ("/api/events?workspace=a&workspace=b", 400),
        ("/api/events?workspace=a;upTo=1", 404),
        ("/api/events?" + "&".join(f"p{number}=1" for number in range(400)), 400),
        ("/api/events?workspace=a&upTo=" + "9" * 5000, 400),
        ("/api/events?%00=1", 400),
        ("/api/events?workspace=%00", 404),
        ("/api/uploads/%ff/file?workspace=a", 400),
        ("/api/uploads/%00/file?workspace=a", 404),
        ("/api/uploads/%zz/file?workspace=a", 400),
        ("/api/uploads/..%2f..%2fetc%2fpasswd/file?workspace=a", 404),
        ("/static/docs/..%2f..%2fapp.py", 404),
        ("/static/docs/%00", 404),
        ("/static/docs/" + "a" * 1000, 404),
        ("//healthz", 404),
        ("/healthz/../api/events", 404),
        ("/healthz?a=1", 400),
        ("/docs", 200),
    ],
)
def test_a_target_that_means_nothing_is_refused(
    site: RestSite, target: str | bytes, status: int
) -> None:
    answer = exchange(site, request(site, target))
    assert status_of(answer) == status, answer[:200]
    if status >= 400:
        assert b"application/problem+json" in answer


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([b"X-%d: y" % number for number in range(MAX_HEADERS)], 431),
        ([b"X: " + b"y" * MAX_HEADER_BYTES], 431),
        ([b"Range: bytes=0-1", b"Range: bytes=2-3"], 400),
        ([b"Host: 127.0.0.1"], 400),
        ([b"If-Range: a", b"if-range: b"], 400),
        ([b"X-Request-Id: a", b"X-Request-Id: b"], 200),
        ([b"X-Request-Id: \xff\xfe"], 200),
        ([b"Cookie: " + b"a=b; " * 1000], 200),
        ([b"Accept: " + b"*/*," * 1500], 200),
        ([b"Content-Length: 5", b"Content-Length: 6"], 400),
        ([b"Content-Length: -1"], 400),
        ([b"Content-Length: 9999999999999999999999"], 400),
        ([b"Content-Length: abc"], 400),
        ([b"Transfer-Encoding: chunked", b"Content-Length: 5"], 400),
        ([b"Transfer-Encoding: gzip"], 400),
        ([b"No colon here"], 400),
        ([b"Bad Name: x"], 400),
        ([b"X: a\x00b"], 400),
        ([b"Expect: the impossible"], 200),
    ],
)
def test_headers_that_mean_nothing_or_two_things_are_refused(
    site: RestSite, headers: list[bytes], status: int
) -> None:
    answer = exchange(site, request(site, "/healthz", *headers))
    assert status_of(answer) == status, answer[:300]


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\nabc\r\n0\r\n\r\n",
        b"-1\r\nabc\r\n0\r\n\r\n",
        b"5\r\nabc",
        b"ffffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"",
    ],
)
def test_chunks_that_cannot_be_read_are_refused_or_cut_off(site: RestSite, body: bytes) -> None:
    head = request(site, UPLOAD, b"Transfer-Encoding: chunked", method=b"POST")
    status = status_of(exchange(site, head + body, patience=0.5))
    assert status in {None, 400, 413, 431}


@pytest.mark.parametrize(
    "body",
    [
        b"3\r\nabc\r\n0\r\nX-Late: 1\r\nHost: evil\r\n\r\n",
        b"3;" + b"x" * 100_000 + b"\r\nabc\r\n0\r\n\r\n",
    ],
)
def test_what_may_come_with_chunks_does_no_harm(site: RestSite, body: bytes) -> None:
    head = request(site, UPLOAD, b"Transfer-Encoding: chunked", method=b"POST")
    assert status_of(exchange(site, head + body)) in {200, 201, 400}


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"CONNECT 127.0.0.1:5432 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"A" * 200_000,
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 50_000,
        b"GET /" + b"a" * 300_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 1_000_000,
        b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
        bytes(range(256)) * 100,
    ],
)
def test_what_is_no_request_of_ours_is_refused_or_cut_off(site: RestSite, sent: bytes) -> None:
    status = status_of(exchange(site, sent, patience=0.5))
    assert status is None or 300 <= status < 500, status
    assert site.client.get("/healthz").status_code == 200


def test_hundreds_of_broken_requests_are_no_fault_of_ours(site: RestSite) -> None:
    """Of real requests some bytes are changed, doubled, moved or left out."""
    chance = random.Random(7)
    real = [
        request(site, "/api/events?workspace=harbour&upTo=5", b"Range: bytes=0-9"),
        request(site, f"/api/uploads/{site.archive.upload_id}/file?workspace=harbour"),
        request(site, UPLOAD, b"Content-Length: 5", method=b"POST") + b"hello",
        request(site, UPLOAD, b"Transfer-Encoding: chunked", method=b"POST")
        + b"5\r\nhello\r\n0\r\n\r\n",
        request(site, "/graphql", b"Content-Type: application/json", method=b"POST"),
    ]
    seen: set[int | None] = set()
    for _ in range(300):
        sent = bytearray(chance.choice(real))
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(sent))
            match chance.randrange(4):
                case 0:
                    sent[place] = chance.randrange(256)
                case 1:
                    sent[place:place] = sent[place : place + chance.randint(1, 40)]
                case 2:
                    del sent[place : place + chance.randint(1, 10)]
                case _:
                    sent[place:place] = chance.randbytes(chance.randint(1, 10))
        status = status_of(exchange(site, bytes(sent), patience=0.1))
        assert status is None or status < 500, bytes(sent)
        seen.add(status)
    assert {200, 400, 404} <= seen
    assert site.client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("given", "correlation"),
    [
        ("0b0e7c9a-6c2e-4a55-9d1a-9a9d2f5b8f7e", UUID("0b0e7c9a-6c2e-4a55-9d1a-9a9d2f5b8f7e")),
        ("order-4711.b", uuid5(CHATLEDGER_NAMESPACE, "request/order-4711.b")),
        ("x" * 128, uuid5(CHATLEDGER_NAMESPACE, "request/" + "x" * 128)),
    ],
)
def test_a_request_id_of_the_clients_is_kept(site: RestSite, given: str, correlation: UUID) -> None:
    answer = site.get("/api/events", headers={"X-Request-Id": given}, upTo=1)
    assert answer.headers["x-request-id"] == given
    assert site.events(Export.Made)[-1].correlation_id == correlation


@pytest.mark.parametrize(
    "given", [b"x" * 129, b"a b", b"a\tb", b"\xc3\xa4", b"", b"-a", b"a/b", b'a"b', b"<a>"]
)
def test_a_request_id_that_is_no_safe_token_is_replaced(site: RestSite, given: bytes) -> None:
    answer = site.client.get("/nowhere", headers={b"X-Request-Id": given})
    assert UUID(answer.headers["x-request-id"]).version == 4
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    assert answer.json()["instance"] == "/nowhere"


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/nowhere", []),
        ("/healthz?a=1", []),
        ("/api/events?workspace=nowhere", []),
        ("/api/events?workspace=%ff", []),
        ("/healthz?" + "a" * (MAX_QUERY + 1), []),
        ("/healthz", [b"X-%d: y" % number for number in range(MAX_HEADERS)]),
        ("/healthz", [b"Forwarded: for=1.2.3.4"]),
        ("/static/docs/nothing.js", []),
    ],
)
def test_every_refusal_is_a_problem_with_the_headers_of_security(
    site: RestSite, target: str, headers: list[bytes]
) -> None:
    answer = exchange(site, request(site, target, *headers))
    assert 400 <= (status_of(answer) or 0) < 500
    assert b"application/problem+json" in answer
    assert b'"requestId":' in answer
    assert b'"instance":' in answer
    for name in SECURITY_HEADERS:
        assert f"\r\n{name.lower()}:".encode() in answer.lower()


def test_every_answer_says_its_request_id(site: RestSite) -> None:
    own = str(uuid4())
    for path, method in (("/", "GET"), ("/docs", "GET"), ("/nowhere", "GET"), ("/healthz", "PUT")):
        answer = site.client.request(method, path, headers={"X-Request-Id": own})
        assert answer.headers["x-request-id"] == own
    refused = site.client.get("/healthz", headers={"Host": "evil.example", "X-Request-Id": own})
    assert (refused.status_code, refused.json()["requestId"]) == (403, own)
