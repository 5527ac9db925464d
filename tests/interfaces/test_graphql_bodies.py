"""Whatever a body, its headers or a URL hold, the client is told what is wrong with them."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from structlog.testing import capture_logs

from interfaces.graphql import decoding
from interfaces.graphql.accept import GRAPHQL_RESPONSE
from interfaces.graphql.decoding import MAX_BODY
from tests.support.asgi import Answered, Caller
from tests.support.graphql_site import NoContainer, application
from tests.support.http_server import serve

BODY = b'{"query": "{__typename}"}'
DATA = {"data": {"__typename": "Query"}}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    caller = Caller(application(NoContainer()))
    yield caller
    caller.close()


def is_refused(answer: Answered, status: int) -> bool:
    [error] = answer.json["errors"]
    return answer.status == status and bool(error["message"]) and bool(error["extensions"]["code"])


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "Application/Json; Charset=UTF-8",
        'application/json;charset="utf-8"',
        "application/json;charset=utf8",
        " application/json ; x=y",
        "application/json;",
        "application/json;charset",
    ],
)
def test_json_is_json_however_it_is_written(caller: Caller, content_type: str) -> None:
    assert caller.post(BODY, content_type=content_type).json == DATA


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        ";",
        "text/plain",
        "text/plain;application/json",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/graphql",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; charset=\xff",
        "\x00",
        "a" * 10_000,
    ],
)
def test_other_content_is_refused_with_415(caller: Caller, content_type: str) -> None:
    assert is_refused(caller.post(BODY, content_type=content_type), 415)


def test_files_cannot_be_uploaded_here(caller: Caller) -> None:
    """Neither as the multipart extension has it, nor as a batch of operations."""
    form = (
        b'--x\r\nContent-Disposition: form-data; name="operations"\r\n\r\n'
        + BODY
        + b'\r\n--x\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--x--\r\n'
    )
    answer = caller.post(form, content_type="multipart/form-data; boundary=x")
    assert is_refused(answer, 415)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "x", "gzip, identity"])
def test_a_compressed_body_is_refused_with_415(caller: Caller, encoding: str) -> None:
    assert is_refused(caller.post(gzip.compress(BODY), content_encoding=encoding), 415)


def test_a_body_that_is_not_compressed_may_say_so(caller: Caller) -> None:
    assert caller.post(BODY, content_encoding="Identity").json == DATA


def test_a_body_in_many_chunks_is_read_as_far_as_one_may_be(caller: Caller) -> None:
    assert caller.post([bytes([byte]) for byte in BODY]).json == DATA
    assert caller.post([BODY, b" " * (MAX_BODY - len(BODY))]).json == DATA
    assert is_refused(caller.post([BODY, b" " * (MAX_BODY - len(BODY) + 1)]), 413)
    assert is_refused(caller.post([b" " * 1024] * 10_000), 413)


@pytest.mark.parametrize("length", [str(MAX_BODY + 1), "9" * 5_000])
def test_a_body_that_says_that_it_is_too_large_is_not_read(caller: Caller, length: str) -> None:
    assert is_refused(caller.post(BODY, content_length=length), 413)


@pytest.mark.parametrize("length", ["-1", "x", "", "²"])
def test_a_length_that_is_none_is_not_believed(caller: Caller, length: str) -> None:
    assert caller.post(BODY, content_length=length).json == DATA


@pytest.mark.parametrize(
    "payload",
    [
        {"query": 1},
        {"query": True},
        {"query": {}},
        {"operationName": 5},
        {"operationName": []},
        {"operationName": {}},
        {"operationName": "x" * 101},
        {"variables": []},
        {"variables": "{}"},
        {"variables": 0},
        {"extensions": []},
        {"extensions": "x"},
        {"documentId": []},
    ],
    ids=str,
)
def test_a_member_of_the_wrong_kind_is_refused_with_400(
    caller: Caller, payload: Mapping[str, Any]
) -> None:
    body = json.dumps({"query": "{__typename}"} | dict(payload)).encode()
    answer = caller.post(body)
    assert is_refused(answer, 400)
    assert next(iter(payload)) in answer.json["errors"][0]["message"]


def test_members_that_nobody_knows_are_overlooked(caller: Caller) -> None:
    body = (
        b'{"query": "{__typename}", "id": 5, "": null, "variables": null, "extensions": {"a": 1}}'
    )
    assert caller.post(body).json == DATA


@pytest.mark.parametrize(
    "query",
    [
        b"query=%7B__typename%7D&query=%7B__typename%7D",
        b"query={__typename}&variables={}&variables={}",
        b"query={__typename}&variables=[]",
        b"query={__typename}&variables=x",
        b"query={__typename}&variables=%00",
        b"query={__typename}&variables=null",
        b"query={__typename}&extensions=[1]",
        b"query={__typename}&extensions=%ff",
        b"query={__typename}&operationName=Other",
        b"query=%ff%fe",
        b"query=",
        b"",
        b"&&&===%%%",
        b"\xff\xfe",
        b"query={__typename}&documentId=x",
        urlencode({"query": "{__typename}", "variables": "[" * 10_000}).encode(),
        f"query={quote('mutation {__typename}')}".encode(),
    ],
    ids=lambda query: query[:50].decode("latin-1"),
)
def test_a_url_that_cannot_be_meant_is_refused(caller: Caller, query: bytes) -> None:
    answer = caller.send("GET", query=query, headers={"accept": GRAPHQL_RESPONSE})
    assert answer.status in {400, 405}
    assert answer.json["errors"][0]["message"]


@pytest.mark.parametrize(
    "query",
    [
        b"query={__typename}",
        b"query=%7B__typename%7D&variables=&extensions=&operationName=",
        b"query={__typename}&variables={%22a%22:1}&unknown=1&unknown=2",
    ],
)
def test_a_url_may_leave_out_what_it_does_not_need(caller: Caller, query: bytes) -> None:
    assert caller.send("GET", query=query).json == DATA


LITERALS = [
    "-9007199254740993",
    "9223372036854775808",
    "-9223372036854775809",
    "1e400",
    "1.5",
    '"1"',
    "true",
    "[1]",
    "{a: 1}",
    "ONE",
    "1" * 40,
]


@pytest.mark.parametrize("literal", LITERALS)
def test_a_position_that_is_none_is_refused(caller: Caller, literal: str) -> None:
    with capture_logs() as logs:
        document = f"{{workspaces(minPosition: {literal}) {{__typename}}}}"
        answer = caller.ask(document, accept=GRAPHQL_RESPONSE)
    assert answer.status == 400
    assert "INTERNAL" not in str(answer.json)
    assert logs == []


@pytest.mark.parametrize(
    "value",
    [b"9007199254740992", b"-1e300", b"1e308", b"18446744073709551615", b'"x"', b"[[]]", b"{}"],
)
def test_a_position_in_a_variable_is_refused_alike(caller: Caller, value: bytes) -> None:
    document = b"query($p: BigInt) {workspaces(minPosition: $p) {__typename}}"
    body = b'{"query": "%b", "variables": {"p": %b}}' % (document, value)
    answer = caller.post(body, accept=GRAPHQL_RESPONSE)
    assert answer.status == 400
    assert {error["extensions"]["code"] for error in answer.json["errors"]} == {"BAD_USER_INPUT"}


@pytest.mark.parametrize("number", [b"1e400", b"-1e999", b"1" * 400, b"NaN", b"Infinity", b"0x1"])
def test_a_number_that_json_cannot_hold_is_refused(caller: Caller, number: bytes) -> None:
    body = b'{"query": "{__typename}", "variables": {"a": %b}}' % number
    answer = caller.post(body, accept=GRAPHQL_RESPONSE)
    assert (answer.status, answer.json["errors"][0]["extensions"]["code"]) == (400, "BAD_REQUEST")


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
def test_a_body_that_never_ends_is_given_up(accept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Though a byte comes now and then: or a few thousand such clients would be all there are."""
    monkeypatch.setattr(decoding, "BODY_SECONDS", 0.4)
    head = (
        "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: {accept}\r\nContent-Length: 100\r\n\r\n"
    )
    answer = b""
    with (
        serve(application(NoContainer())) as port,
        socket.create_connection(("127.0.0.1", port), timeout=0.1) as client,
    ):
        client.sendall(head.encode() + b'{"')
        deadline = time.monotonic() + 8
        while not answer.endswith(b"}"):
            assert time.monotonic() < deadline, answer
            try:
                client.sendall(b" ")
                answer += client.recv(4096)
            except TimeoutError:
                continue
    head_, _, body = answer.partition(b"\r\n\r\n")
    assert head_.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head_
    [error] = json.loads(body)["errors"]
    assert error["extensions"]["code"] == "REQUEST_TIMEOUT"
    assert "within 0.4 s" in error["message"]
