"""What people and search engines read of an RSMF file: its messages as lines of text."""

from __future__ import annotations

from collections.abc import Iterable

from domain.message import Message
from infrastructure.exports.rsmf.moments import written

BODY_LIMIT = 1024 * 1024  # bytes
_INDENT = "\n    "
_MANIFEST = "rsmf_manifest.json"


def transcript(title: str, messages: Iterable[Message], limit: int = BODY_LIMIT) -> str:
    """Up to `limit` bytes of UTF-8, and a note where that is not all."""
    heading = f"{_one_line(title)}\n\n"
    lines = [heading]
    size = len(heading.encode())
    left_out = 0
    for message in messages:
        if not left_out:
            line = _line(message)
            size += len(line.encode())
            if size <= limit:
                lines.append(line)
                continue
        left_out += 1
    if left_out:
        lines.append(
            f"\n({left_out} more messages are in {_MANIFEST}: this text was cut off here.)\n"
        )
    return "".join(lines)


def _line(message: Message) -> str:
    who = "" if message.author is None else f"{_one_line(message.author.name)}: "
    if message.kind == "action" and message.author is not None:
        who = f"* {_one_line(message.author.name)} "
    marks = [f"[attachment: {_one_line(one.name)}]" for one in message.attachments]
    if message.edits or message.edited_at is not None:
        marks.append("[edited]")
    if message.kind == "deleted":
        marks.append("[deleted]")
    text = _INDENT.join(message.text.splitlines())
    said = " ".join(part for part in (text, *marks) if part)
    at = written(message.sent_at)[:19].replace("T", " ")
    return f"[{at} UTC] {who}{said}\n"


def _one_line(text: str) -> str:
    return " ".join(text.split())
