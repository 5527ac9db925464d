"""All readers, and the choice among them by content."""

from __future__ import annotations

import re
from collections.abc import Sequence

from application.ports.chat_reader import (
    ChatReader,
    ExportFile,
    Recognition,
    UnreadableExportError,
)
from infrastructure.readers.archive import Archive, is_archive
from infrastructure.readers.plain_text import PlainTextReader
from infrastructure.readers.slack.reader import SlackReader
from infrastructure.readers.tabular.csv_reader import CsvReader
from infrastructure.readers.tabular.jsonl_reader import JsonLinesReader
from infrastructure.readers.telegram.reader import TelegramReader
from infrastructure.readers.text_stream import sniff
from infrastructure.readers.whatsapp.reader import WhatsAppReader

SUPPORTED = (
    "WhatsApp (txt or zip), Telegram Desktop (result.json), Slack (zip), CSV, JSON lines, "
    "and text with lines such as “[2024-01-31 10:00] name: text”"
)
_SAME = 0.01  # confidences nearer than this are a tie
_JSON = re.compile(r"[{\[]\s*[\"{\[\]}]")
_MAGIC = (
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a SQLite database, perhaps a phone's backup: export the chat instead"),
    (b"\x1f\x8b", "a gzip file: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"<!DOCTYPE", "a web page: export as JSON instead"),
    (b"<html", "a web page: export as JSON instead"),
)


def default_readers() -> tuple[ChatReader, ...]:
    return (
        SlackReader(),
        TelegramReader(),
        WhatsAppReader(),
        JsonLinesReader(),
        CsvReader(),
        PlainTextReader(),
    )


class Readers:
    """The ReaderRegistry of the formats that this version reads."""

    def __init__(self, readers: Sequence[ChatReader] | None = None) -> None:
        self._readers = tuple(default_readers() if readers is None else readers)

    @property
    def formats(self) -> tuple[str, ...]:
        return tuple(reader.format for reader in self._readers)

    def recognise(self, file: ExportFile) -> tuple[ChatReader, Recognition]:
        """
        Choose the reader by content.

        Raises:
            UnreadableExportError: if no reader knows it, or two claim it equally; also if it is
                an archive that must not or cannot be opened.
        """
        if file.size == 0:
            raise UnreadableExportError(file=file.name, reason="the file is empty")
        claims = [
            (reader, claim)
            for reader in self._readers
            if (claim := reader.recognise(file)) is not None
        ]
        claims.sort(key=lambda pair: -pair[1].confidence)
        if not claims:
            reason = f"this looks like {_looks_like(file)}. Supported are {SUPPORTED}"
            raise UnreadableExportError(file=file.name, reason=reason)
        if len(claims) > 1:
            (_, first), (_, second) = claims[:2]
            if first.confidence - second.confidence < _SAME:
                reason = (
                    f"could be {first.format} ({first.reason}) "
                    f"or {second.format} ({second.reason}); state the format"
                )
                raise UnreadableExportError(file=file.name, reason=reason)
        return claims[0]

    def by_format(self, format: str) -> ChatReader:
        """The reader that an earlier event named. Raises KeyError if it is not installed."""
        for reader in self._readers:
            if reader.format == format:
                return reader
        raise KeyError(format)


def _looks_like(file: ExportFile) -> str:
    if is_archive(file):
        return _archive_in_words(file)
    with file.open() as stream:
        start = stream.read(32)
    for magic, what in _MAGIC:
        if start.startswith(magic):
            return what
    head = sniff(file, 4096)
    if b"\0" in head:
        return f"binary data (beginning {start[:8].hex(' ')})"
    text = head.decode("utf-8", "replace").strip()
    if not text:
        return "a file of nothing but white space"
    shown = " ".join(text[:60].split())
    if _JSON.match(text):
        return f"JSON that is no known chat export (“{shown}…”)"
    return f"text without lines that begin like a message (“{shown}…”)"


def _archive_in_words(file: ExportFile) -> str:
    with Archive(file) as archive:
        names = [member.name for member in archive.members]
        nested = archive.nested
    if not names:
        return "an empty zip archive"
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    if nested:
        return f"a zip archive inside a zip archive ({shown}): unpack the outer one first"
    return f"a zip archive of something else ({shown})"
