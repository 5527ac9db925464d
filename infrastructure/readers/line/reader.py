"""Reader of LINE chats: the text file that the app saves, or several of them in an archive."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from application.ports.chat_reader import (
    DatesRead,
    Export,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    Recognition,
)
from domain.message import Conversation
from infrastructure.readers.line.chat import ChatLines
from infrastructure.readers.line.headings import MARK, day_of, title_of
from infrastructure.readers.line.lines import head_of
from infrastructure.readers.line.survey import survey
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import files_ending, name_of, unused
from infrastructure.readers.text_stream import sniff_text

_FILES_ASKED = 20  # of an archive
_LOOKED_AT = 16 * 1024  # bytes
_LINES_ASKED = 200
_FILE_NAME = re.compile(r"(?:\[LINE\])?\s*(?:Chat (?:history )?(?:with|in) )?(.+)")


class LineReader:
    """Times are the phone's local times, to the minute."""

    format = "line"
    version = 1

    def recognise(self, export: Export) -> Recognition | None:
        claims = map(_claim, files_ending(export, ".txt")[:_FILES_ASKED])
        best = max(filter(None, claims), default=None)
        return None if best is None else Recognition(self.format, *best)

    def read(self, export: Export, options: ReadOptions, facts: ReadFacts) -> Iterator[ReadItem]:
        clock = LocalClock(options, facts, file=export.name)
        ids: set[str] = set()
        for file in _chats(export):
            found = survey(file)
            if not found.days:
                reason = "no line of it is a date, as LINE writes one above the messages of a day"
                yield ReadWarning(file.name, None, reason)
                continue
            order, doubt = found.order()
            if options.date_order is not None and order != "ymd":
                order, doubt = options.date_order, None
            facts.add_dates(DatesRead(file.name, order, found.possible(order), doubt))
            if doubt is not None:
                reason = f"dates were read as {'/'.join(order)} because {doubt}"
                yield ReadWarning(file.name, None, f"{reason}; if wrong, state the date order")
            title = found.title or _title_from_name(file)
            conversation = Conversation(unused(title, ids), title, found.kind)
            yield from ChatLines(file, conversation, order=order, clock=clock).read()


def _chats(export: Export) -> Sequence[ExportFile]:
    texts = files_ending(export, ".txt")
    return [file for file in texts if _claim(file) is not None] if export.is_packed else texts


def _claim(file: ExportFile) -> tuple[float, str] | None:
    """How sure it is that the file is LINE's, and why."""
    lines = [line for line in sniff_text(file, _LOOKED_AT).split("\n") if line.strip()]
    if not lines:
        return None
    is_titled = title_of(lines[0]) is not None
    has_days = False
    for line in lines[:_LINES_ASKED]:
        day = day_of(line.removesuffix("\r"))
        if day is not None and (day.weekday is not None or is_titled):
            has_days = True
        elif has_days and head_of(line) is not None:
            if is_titled:
                return 0.95, "a title such as LINE writes, dates of their own line, then messages"
            return 0.9, "dates of their own line, then times, names and texts between tabs"
    if is_titled and lines[0].startswith(MARK):
        return 0.9, "it begins with a title such as LINE writes"
    return None


def _title_from_name(file: ExportFile) -> str:
    stem = name_of(file).rpartition(".")[0] or name_of(file)
    match = _FILE_NAME.fullmatch(stem)
    return match[1] if match else stem
