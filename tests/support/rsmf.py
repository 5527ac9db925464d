"""RSMF files, opened by other means than our reader's, and by it."""

from __future__ import annotations

import email
import io
import json
import zipfile
from functools import cache
from typing import Any

import jsonschema_rs

from domain.message import Conversation, Message
from infrastructure.exports.rsmf.files import ExportedConversation, rsmf_files
from infrastructure.readers.reading import GuardedReader
from infrastructure.readers.rsmf.reader import RsmfReader
from tests.infrastructure.readers.support import MemoryFile, read, zip_file
from tests.support.data import data_path


def unzipped(content: bytes) -> dict[str, bytes]:
    """The files of a zip, whose checks hold."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert len(set(archive.namelist())) == len(archive.namelist())
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(content: bytes) -> Any:
    """Of one .rsmf file."""
    mail: Any = email.message_from_bytes(content)
    _, attachment = mail.get_payload()
    packed = attachment.get_payload(decode=True)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return json.loads(archive.read("rsmf_manifest.json"))


def texts(content: bytes) -> list[str]:
    """Of all messages of a zip of RSMF files, by file name."""
    files = unzipped(content)
    return [event["body"] for name in sorted(files) for event in manifest_of(files[name])["events"]]


@cache
def schema() -> Any:
    """The official one; a test that needs it is skipped without it."""
    path = data_path("fixtures", "rsmf", "rsmf_schema_2_0_0.json")
    return jsonschema_rs.Draft7Validator(json.loads(path.read_text()), validate_formats=True)


def read_back(files: dict[str, bytes]) -> tuple[list[Message], list[Conversation]]:
    """What our reader makes of all files; it complains of none."""
    found = read(zip_file(files), reader=GuardedReader(RsmfReader()))
    assert not found.warnings
    return found.messages, found.conversations


def as_rsmf(name: str, content: bytes) -> bytes:
    """What Chatledger exports of a chat when it has read this export of it."""
    given = read(MemoryFile(content, name))
    files = {}
    for conversation in given.conversations:
        exported = ExportedConversation(conversation=conversation, platform=given.format)
        messages = [one for one in given.messages if one.conversation == conversation.id]
        for file in rsmf_files(exported, messages):
            files[file.name] = b"".join(file.pieces())
    return bytes(zip_file(files).data)
