"""Reader of e-mail: mbox files, archives of mailing lists, single messages and folders of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.errors import MessageError

from application.ports.chat_reader import (
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from infrastructure.readers.limits import MESSAGE_LIMIT
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.mbox.messages import Converted, Mails
from infrastructure.readers.mbox.places import place_of_file
from infrastructure.readers.mbox.splitting import (
    HEADER,
    LINES_LIMIT,
    RawMail,
    is_separator,
    split_mails,
)
from infrastructure.readers.reading import MALFORMED
from infrastructure.readers.repairs import Repairs

# What reading one mail raises when it is none: an unknown charset, nesting without end.
UNREADABLE = (*MALFORMED, LookupError, RecursionError, MessageError)

_SNIFF = 16 * 1024  # bytes of each file
_FILES_ASKED = 16  # of an archive
_TOLD_LIMIT = 1_000_000  # conversations; beyond, one may be yielded twice
_NAMES = re.compile(rb"(from|date|message-id|received|subject|to|return-path|mime-version)[ \t]*:")
_ANSWERS = (b"date", b"message-id", b"received")
_OTHERS = re.compile(rb"^(?:x-rsmf-version|snapshot-content-location)[ \t]*:", re.MULTILINE)


class MboxReader:
    """Times are those of the mails' dates, which state their zone but for a few."""

    format = "mbox"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        asked = export.files[:_FILES_ASKED]
        found = [kind for kind in map(_kind, asked) if kind is not None]
        if not found or len(found) * 2 < len(asked):
            return None
        if "mbox" in found:
            reason = "lines “From …” with a date stand before the headers of mails"
        else:
            reason = "headers of mails with sender and date"
        return Recognition(self.format, 0.85 if export.is_packed else 0.9, reason)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        reading = _Reading(export, Mails(clock))
        if not export.is_packed:
            yield from reading.file(export.files[0])
            return
        for file in sorted(export.files, key=lambda file: file.name):
            if _kind(file) is not None:
                yield from reading.file(file)


def _kind(file: ExportFile) -> str | None:
    """ "mbox" or "mail"; None if the file begins like neither."""
    with file.open() as stream:
        head = stream.read(_SNIFF)
    lines = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n").split(b"\n")
    if len(lines) > 1 and is_separator(lines[0], lines[1], is_after_empty=True):
        return "mbox"
    headers: list[bytes] = []
    for line in lines[:-1] if len(head) == _SNIFF else lines:
        if not line.strip():
            break
        if line[:1] in b" \t" and headers:
            continue
        if HEADER.match(line) is None:
            return None
        headers.append(line.lower())
    block = b"\n".join(headers)
    names = {match[1] for line in headers if (match := _NAMES.match(line))}
    is_mail = b"from" in names and len(names) >= 3 and not names.isdisjoint(_ANSWERS)
    return "mail" if is_mail and _OTHERS.search(block) is None else None


class _Reading:
    def __init__(self, export: Export, mails: Mails) -> None:
        self._export = export
        self._mails = mails
        self._told: set[str] = set()

    def file(self, file: ExportFile) -> Iterator[ReadItem]:
        repairs = Repairs()
        last: Converted | None = None
        with file.open() as stream:
            for raw in split_mails(stream, limit=MESSAGE_LIMIT):
                if raw.left_out:
                    reason = (
                        f"a mail longer than {MESSAGE_LIMIT} bytes, or of more than {LINES_LIMIT} "
                        f"lines: {raw.left_out} bytes left out"
                    )
                    yield ReadWarning(file.name, raw.line, reason)
                converted, warning = self._converted(file, raw, repairs)
                if warning is not None:
                    yield warning
                if converted is None:
                    continue
                last = None if raw.left_out else converted
                if converted.conversation.id not in self._told:
                    if len(self._told) < _TOLD_LIMIT:
                        self._told.add(converted.conversation.id)
                    yield converted.conversation
                yield converted.message
        if last is not None and not last.is_whole:
            reason = "the last mail ends before its closing boundary: the file may be cut off"
            yield ReadWarning(file.name, None, reason)
        yield from repairs.warnings(file.name)

    def _converted(
        self, file: ExportFile, raw: RawMail, repairs: Repairs
    ) -> tuple[Converted | None, ReadWarning | None]:
        is_single = raw.envelope is None
        place = place_of_file(file.name, self._export.name, is_single=is_single)
        try:
            return self._mails.message(raw, place, repairs), None
        except UNREADABLE as error:
            words = str(error) if isinstance(error, ValueError) else repr(error)[:200]
            reason = f"a mail that cannot be read ({words}); skipped"
            return None, ReadWarning(file.name, raw.line, reason)
