"""From what a client sends to one GraphQL request; whatever it sends, it is told what is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from email.message import Message
from functools import lru_cache
from http import HTTPStatus
from typing import Any

import orjson
from cross_web import HTTPException, StarletteRequestAdapter
from starlette.requests import ClientDisconnect, Request

MAX_BODY = 256 * 1024  # bytes; a document has 1,000 tokens at most
BODY_SECONDS = 10.0  # for all of it to arrive: it is small
MAX_NESTING = 64  # of objects and lists in a request's JSON
MAX_NAME = 100  # characters of an operation's name
JSON = "application/json"
UTF_8 = frozenset({"", "utf-8", "utf8", "us-ascii"})
# Name, JSON's word for what it must be, the Python types.
MEMBERS = (
    ("query", "a string", str),
    ("documentId", "a string", str),
    ("operationName", "a string", str),
    ("variables", "an object", dict),
    ("extensions", "an object", dict),
)
IN_URLS = tuple(name for name, _, _ in MEMBERS)


class RefusedError(HTTPException):
    """
    The request never becomes an operation.

    Args:
        code: for programs; None: the status's name.
    """

    def __init__(self, status: HTTPStatus, reason: str, code: str | None = None) -> None:
        super().__init__(status, reason)
        self.code = code or status.name


def bad_request(reason: str) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, reason)


class LimitedRequest(StarletteRequestAdapter):
    """Reads a body only as far as one may be."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.request = request

    async def get_body(self) -> bytes:
        """
        Raises:
            RefusedError
        """
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > MAX_BODY:
            raise too_large()
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in self.request.stream():
                    body += chunk
                    if len(body) > MAX_BODY:
                        raise too_large()
        except ClientDisconnect:
            raise bad_request("The body has no end.") from None
        except TimeoutError:
            reason = f"The body did not arrive within {BODY_SECONDS:g} s: send it again."
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, reason) from None
        return bytes(body)


def too_large() -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A body has at most {MAX_BODY:,} bytes."
    )


def check_content(headers: Mapping[str, str]) -> None:
    """
    Raises:
        RefusedError: unless the body is JSON in UTF-8 as it is.
    """
    kind, charset = media_type(headers.get("content-type", ""))
    if kind != JSON:
        raise unsupported(f"The body must be {JSON}.")
    if charset not in UTF_8:
        raise unsupported("The body must be in UTF-8.")
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise unsupported("The body must not be compressed.")


def unsupported(reason: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, reason)


@lru_cache(maxsize=256)
def media_type(content_type: str) -> tuple[str, str]:
    """The type and the charset, in lower case; JSON is UTF-8 where nothing else is said."""
    parsed = Message()
    parsed["content-type"] = content_type.replace("\r", " ").replace("\n", " ")
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    charset = parsed.get_param("charset", "utf-8")
    return kind, str(charset).strip("'\" ").lower()


def decode_object(data: str | bytes) -> dict[str, Any]:
    """
    Every body and every message is one object, and so are variables and extensions in a URL.

    Raises:
        json.JSONDecodeError
    """
    found = orjson.loads(data)  # strict: UTF-8, no lone surrogates, no NaN, no infinity
    if not isinstance(found, dict):
        raise malformed("it must be an object")
    if is_nested_too_deeply(found):
        raise malformed("it is nested too deeply")
    return found


def malformed(reason: str) -> json.JSONDecodeError:
    return json.JSONDecodeError(reason, "", 0)


def is_nested_too_deeply(found: object) -> bool:
    level: list[object] = [found]
    for _ in range(MAX_NESTING):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return False
    return True


def decode_body(body: bytes) -> dict[str, Any]:
    """
    Raises:
        RefusedError
    """
    return checked(decode(body, "The body"))


def decode_url(parameters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """
    Raises:
        RefusedError
    """
    found: dict[str, Any] = {}
    for name, value in parameters:
        if name not in IN_URLS:
            continue
        if name in found:
            raise bad_request(f"The URL has `{name}` more than once.")
        found[name] = value
    for name in ("variables", "extensions"):
        if found.get(name):
            found[name] = decode(found[name], f"`{name}`")
    return checked({name: value or None for name, value in found.items()})


def decode(data: str | bytes, what: str) -> dict[str, Any]:
    try:
        return decode_object(data)
    except json.JSONDecodeError as error:
        raise bad_request(f"{what} is not the JSON that is expected: {error.msg}.") from None


def checked(payload: dict[str, Any]) -> dict[str, Any]:
    """
    Raises:
        RefusedError: a member is of the wrong kind.
    """
    for name, kind, type_ in MEMBERS:
        if not isinstance(payload.get(name), type_ | None):
            raise bad_request(f"`{name}` must be {kind} or null.")
    if len(payload.get("operationName") or "") > MAX_NAME:
        raise bad_request(f"`operationName` has at most {MAX_NAME} characters.")
    return payload
