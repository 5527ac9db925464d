"""What a frame of graphql-transport-ws must look like before anything is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_ID = 128  # characters; the reference client's ids have 36
KINDS = frozenset({"connection_init", "ping", "pong", "subscribe", "complete"})


class MalformedMessageError(Exception):
    """Against the protocol; says what, for the reason of a close."""


def check_message(message: object) -> dict[str, Any]:
    """
    Raises:
        MalformedMessageError
    """
    if not isinstance(message, dict):
        raise MalformedMessageError("a message must be an object")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in KINDS:
        raise MalformedMessageError("unknown type of message")
    if kind in {"subscribe", "complete"}:
        check_id(message.get("id"))
    if kind == "subscribe":
        check_request(message.get("payload"))
    elif "payload" in message and not isinstance(message["payload"], dict):
        raise MalformedMessageError("`payload` must be an object")
    return message


def check_id(given: object) -> None:
    if not isinstance(given, str) or not 1 <= len(given) <= MAX_ID:
        raise MalformedMessageError(f"`id` must be a string of 1 to {MAX_ID} characters")


def check_request(payload: object) -> None:
    if not isinstance(payload, Mapping):
        raise MalformedMessageError("`payload` must be an object")
    for name in ("query", "documentId", "operationName"):
        if not isinstance(payload.get(name), str | None):
            raise MalformedMessageError(f"`{name}` must be a string or null")
    for name in ("variables", "extensions"):
        if not isinstance(payload.get(name), dict | None):
            raise MalformedMessageError(f"`{name}` must be an object or null")
