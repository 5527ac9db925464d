"""Names of files that every system takes, and that tell files apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from domain.message import Attachment, Conversation

_UNSAFE = re.compile(r"[^A-Za-z0-9]+")
_UNSAFE_IN_FILES = re.compile(r"[^A-Za-z0-9._]+")
_TITLE_LENGTH = 60
_FILE_LENGTH = 80


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A text file in place of an attachment, whose bytes are not kept."""

    name: str
    text: str
    attachment: dict[str, Any]  # as the event has it


def identity(conversation: Conversation, platform: str) -> str:
    """12 hex digits that tell conversations apart, also those of one title."""
    return sha256(f"{platform}\0{conversation.id}".encode("utf-8", "replace")).hexdigest()[:12]


def file_name(conversation: Conversation, platform: str, day: date, part: int) -> str:
    """
    As in `Rome-trip-0f3a…-2024-01-15.rsmf`; of further parts of a day with `_part002`, which every
    system sorts behind the first.
    """
    title = _UNSAFE.sub("-", _ascii(conversation.title)).strip("-")[:_TITLE_LENGTH].strip("-")
    suffix = "" if part == 1 else f"_part{part:03}"
    known = identity(conversation, platform)
    return f"{title or 'conversation'}-{known}-{day.isoformat()}{suffix}.rsmf"


def placeholder(attachment: Attachment, event: int, number: int) -> Placeholder:
    """
    Args:
        event: of the file, from 1.
        number: of the event's attachments, from 1.
    """
    plain = _UNSAFE_IN_FILES.sub("_", _ascii(attachment.name)).strip("._")[-_FILE_LENGTH:]
    name = f"{event:05}-{number}-{plain or 'file'}.txt"
    lines = [
        "Chatledger keeps what a message says of its attachments, not their content.",
        "This file stands in the place of:",
        f"name: {attachment.name}",
    ]
    # A display that ends like a picture's would be shown as one.
    described: dict[str, Any] = {"id": name, "display": f"{attachment.name} (not included)"}
    if attachment.media_type is not None:
        lines.append(f"type: {attachment.media_type}")
    if attachment.size is not None:
        lines.append(f"size: {attachment.size} bytes")
        described["size"] = attachment.size
    return Placeholder(name, "".join(f"{line}\n" for line in lines), described)


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
