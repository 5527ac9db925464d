"""Generated messages to a WebSocket, and frames that are none."""

from __future__ import annotations

import json
from random import Random
from struct import pack
from typing import Any

from tests.support.malformed import Bodies, Documents


class Frames:
    """Text and binary messages to a WebSocket that speaks graphql-transport-ws."""

    TYPES = (
        "connection_init",
        "subscribe",
        "complete",
        "ping",
        "pong",
        "connection_ack",
        "next",
        "error",
        "start",
        "",
        "x" * 200,
    )

    def __init__(self, documents: Documents, bodies: Bodies, random: Random) -> None:
        self._documents = documents
        self._bodies = bodies
        self._random = random

    def request(self) -> dict[str, Any]:
        """In the right form; what it asks for is nearly right at best."""
        id = str(self._random.randint(1, 10**9))
        return {"id": id, "type": "subscribe", "payload": self._documents.next()}

    def next(self) -> str | bytes:
        """In the wrong form, most likely."""
        random = self._random
        roll = random.random()
        if roll > 0.8:
            return json.dumps(self.request())
        if roll < 0.15:
            return self._bodies.next()
        if roll < 0.3:
            return self._bodies.next().decode("utf-8", "replace")
        message: dict[str, Any] = {
            "type": random.choice([*self.TYPES, *self.TYPES[:3] * 3, None, 5, [], {}]),
            "id": random.choice(["1", "2", "3", "", "x" * 200, None, 5, [], {}]),
            "payload": random.choice(
                [self._documents.next(), self._documents.next(), None, [], 5, "x", {}, {"query": 5}]
            ),
            "more": random.choice(["", "x" * 10_000]),
        }
        for name in list(message):
            if random.random() < 0.1:
                del message[name]
        return json.dumps(message)


def raw_frame(random: Random) -> bytes:
    """Of RFC 6455, with a fault in its head or its content."""
    opcode = random.choice([0, 1, 1, 1, 2, 3, 7, 8, 9, 10, 11, 15])
    content = random.choice([b"\xff\xfe", b"\xed\xa0\x80", b"{}", random.randbytes(200), b"\x03"])
    is_final, is_masked = random.random() < 0.8, random.random() < 0.7
    reserved = random.choice([0, 0, 0, 0x10, 0x40, 0x70])
    length = random.choice([len(content)] * 4 + [2**20, 2**62])
    head = bytes([is_final << 7 | reserved | opcode])
    if length > 0xFFFF:
        head += bytes([is_masked << 7 | 127]) + pack(">Q", length)
    elif length > 125:
        head += bytes([is_masked << 7 | 126]) + pack(">H", length)
    else:
        head += bytes([is_masked << 7 | length])
    if not is_masked:
        return head + content
    mask = random.randbytes(4)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(content))
