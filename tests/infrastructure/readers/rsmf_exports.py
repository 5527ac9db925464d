"""RSMF made by hand."""

from __future__ import annotations

import base64
import json
from typing import Any

from application.ports.chat_reader import ReadOptions
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.rsmf.reader import RsmfReader
from tests.infrastructure.readers.support import (
    MemoryFile,
    Read,
    json_file,
    zip_file,
)
from tests.infrastructure.readers.support import read as read_with

READER = GuardedReader(RsmfReader())
AT = "2024-01-15T10:30:00Z"
ANN = {"id": "UANNA", "display": "Ann"}
BOB = {"id": "UBOBB", "display": "Bob"}
ROME = {
    "id": "CROME",
    "platform": "slack",
    "display": "Rome",
    "type": "channel",
    "participants": ["UANNA", "UBOBB"],
}


def read(file: Any, options: ReadOptions | None = None) -> Read:
    return read_with(file, options, reader=READER)


def said(id: str | None = None, body: str = "hi", **more: Any) -> dict[str, Any]:
    known = {} if id is None else {"id": id}
    head = {"type": "message", "participant": "UANNA", "conversation": "CROME", "timestamp": AT}
    return {**known, **head, "body": body, **more}


def manifest(*events: Any, **more: Any) -> dict[str, Any]:
    head = {"version": "2.0.0", "participants": [ANN, BOB], "conversations": [ROME]}
    return {**head, "events": list(events), **more}


def manifest_file(*events: Any, **more: Any) -> MemoryFile:
    return json_file(manifest(*events, **more), "rsmf_manifest.json")


def packed(value: Any, **files: bytes) -> bytes:
    return zip_file({"rsmf_manifest.json": json.dumps(value), **files}).data


def envelope(archive: bytes, *, headers: str = "", name: str = "rsmf.zip") -> bytes:
    body = base64.encodebytes(archive).decode()
    return (
        "From: Ann <ann@example.org>\r\nDate: Mon, 15 Jan 2024 10:30:00 +0000\r\n"
        f"X-RSMF-Version: 2.0.0\r\n{headers}MIME-Version: 1.0\r\n"
        'Content-Type: multipart/mixed;\r\n boundary="------------AB"\r\n\r\n'
        "This is a multi-part message in MIME format.\r\n"
        "--------------AB\r\nContent-Type: text/html\r\n\r\n<p>hi</p>\r\n"
        f'--------------AB\r\nContent-Type: application/octet-stream; name="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        f'Content-Disposition: attachment;\r\n filename="{name}"\r\n\r\n'
        f"{body}--------------AB--\r\n"
    ).encode()


def rsmf(*events: Any, name: str = "day.rsmf", **more: Any) -> MemoryFile:
    return MemoryFile(envelope(packed(manifest(*events, **more))), name)
