"""Which of Signal's layouts a file has, by its content."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple

from application.ports.chat_reader import ExportFile
from infrastructure.readers.json_values import UnparsableJsonError, parse
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.signal.backup import FRAMES
from infrastructure.readers.signal.chat_lines import HEAD
from infrastructure.readers.signal.chat_rows import ROW_KEYS
from infrastructure.readers.signal.markdown import DELETED
from infrastructure.readers.text_stream import sniff

Layout = Literal["backup", "rows", "lines"]
_LOOKED_AT = 16 * 1024  # bytes
_LINES_ASKED = 10
_BACKUP_INFO = re.compile(rb'\{(?=[^\n]*"version"\s*:)[^\n{}]*"backupTimeMs"\s*:')
_INSIDE = {  # a key that only Signal's frames of this kind have
    "account": {"profileKey", "givenName", "accountSettings", "svrPin", "username"},
    "recipient": {"contact", "group", "self", "releaseNotes", "distributionList", "callLink"},
    "chat": {"recipientId"},
    "chatItem": {"authorId"},
}
_MARKS = re.compile(
    rf"^\(- [^\n]+: \S+ -\)|\] [^\n]{{1,80}}: {re.escape(DELETED)}$|\]\(\./media/", re.MULTILINE
)


class Finding(NamedTuple):
    layout: Layout
    confidence: float
    reason: str


def layout_of(file: ExportFile) -> Finding | None:
    head = sniff(file, _LOOKED_AT)
    start = head.lstrip()
    if start.startswith(b"{"):
        return _of_json(start, is_whole=len(head) < _LOOKED_AT)
    return _of_text(head, file.name) if start.startswith(b"[") else None


def _of_json(start: bytes, *, is_whole: bool) -> Finding | None:
    if _BACKUP_INFO.match(start):
        return Finding("backup", 0.95, "a backup as JSON lines, as Signal exports an account")
    lines = start.split(b"\n")
    if not is_whole:
        lines.pop()  # cut in the middle
    for line in [line for line in lines if line.strip()][:_LINES_ASKED]:
        try:
            row = parse(line, Repairs(), None)
        except UnparsableJsonError:
            return None
        if _is_frame(row):
            return Finding("backup", 0.95, "JSON lines that are frames of a Signal backup")
        if isinstance(row, dict) and row.keys() >= ROW_KEYS:
            return Finding("rows", 0.95, "JSON lines with the fields of signal-export")
        if not (isinstance(row, dict) and len(row) == 1 and row.keys() <= FRAMES):
            return None
    return None


def _is_frame(row: Any) -> bool:
    if not (isinstance(row, dict) and len(row) == 1):
        return False
    ((kind, inside),) = row.items()
    keys = _INSIDE.get(kind)
    return keys is not None and isinstance(inside, dict) and not keys.isdisjoint(inside)


def _of_text(head: bytes, name: str) -> Finding | None:
    text = head.decode("utf-8", "replace").lstrip("\r\n")
    match = HEAD.match(text)
    if match is None:
        return None
    _, comma, _, seconds, _ = match.groups()
    if not comma and seconds is None:
        return None
    if _MARKS.search(text):
        return Finding("lines", 0.9, "lines begin like signal-export's, with its marks")
    if comma:
        # With seconds it is the iPhone's WhatsApp, in countries that write the year first.
        reason = "lines begin with a date, a comma, minutes and a name, as signal-export's did"
        return None if seconds else Finding("lines", 0.7, reason)
    if name.rpartition("/")[2].lower() == "chat.md":
        return Finding("lines", 0.6, "a Markdown file whose lines begin like signal-export's")
    return None
