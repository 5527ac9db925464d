"""Reading one plain text file of DiscordChatExporter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from application.ports.chat_reader import ReadItem, ReadWarning
from domain.message import Author, Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.discord.blocks import parse_body
from infrastructure.readers.discord.contents import notice_of_text
from infrastructure.readers.discord.dates import Dates, is_time
from infrastructure.readers.discord.exports import BANNER, Part
from infrastructure.readers.discord.markup import Markup
from infrastructure.readers.drafts import Draft
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines

_HEADER = re.compile(r"\[([^\[\]\n]{6,60})\] (.{1,200})")
_FOOTER = re.compile(r"Exported ([\d.,\s'’]{1,30}) message\(s\)\s*")
_COUNT = re.compile(r"Messages: ([\d.,\s'’]{1,30})")
_DIGITS = re.compile(r"\d+")
_PINNED = " (pinned)"


class Header(NamedTuple):
    written: str  # the time
    name: str
    is_pinned: bool


class Line(NamedTuple):
    number: int
    text: str
    header: Header | None


class Count(NamedTuple):
    """How many messages the file says it holds."""

    number: int | None
    is_at_end: bool


def lines_of(part: Part, repairs: Repairs) -> Iterator[Line | Count]:
    """
    Yield the lines between the banner and the footer, and how many messages these say there are.

    A header follows an empty line: only so it can be told from a quotation.
    """
    banners = 0
    after_blank = True
    held: Line | None = None  # a line like the footer's first
    for number, text in enumerate(read_lines(part.file, repairs), start=1):
        if banners < 2:
            banners += text == BANNER
            if match := _COUNT.fullmatch(text):
                yield Count(_number(match[1]), is_at_end=False)
            continue
        if held is not None:
            if match := _FOOTER.fullmatch(text):
                yield Count(_number(match[1]), is_at_end=True)
                return
            yield held
            held = None
        if text == BANNER:
            held = Line(number, text, None)
        else:
            yield Line(number, text, header_of(text) if after_blank else None)
        after_blank = not text


def header_of(line: str) -> Header | None:
    match = _HEADER.fullmatch(line) if line.startswith("[") else None
    if match is None or not is_time(match[1]):
        return None
    name = match[2]
    if name.endswith(_PINNED) and len(name) > len(_PINNED):
        return Header(match[1], name.removesuffix(_PINNED), is_pinned=True)
    return Header(match[1], name, is_pinned=False)


def times_of(part: Part) -> Iterator[str]:
    """The times of all messages."""
    for one in lines_of(part, Repairs()):
        if isinstance(one, Line) and one.header is not None:
            yield one.header.written


def _number(written: str) -> int | None:
    digits = "".join(_DIGITS.findall(written))
    return int(digits) if digits else None


class TextPart:
    """Neither ids of messages nor of people: these are known by the names of their accounts."""

    def __init__(self, part: Part, keys: ContentKeys, markup: Markup, dates: Dates) -> None:
        self._part = part
        self._file = part.file.name
        self._conversation = part.conversation.id
        self._keys = keys
        self._markup = markup
        self._dates = dates
        self._begun: tuple[Header, Draft] | None = None
        self._count = 0

    def read(self) -> Iterator[ReadItem]:
        repairs = Repairs()
        stated: int | None = None
        is_whole = False
        is_told = False
        is_bare = False  # nothing stands below the last header yet
        for one in lines_of(self._part, repairs):
            if isinstance(one, Count):
                stated, is_whole = one.number, True
            elif one.header is not None:
                yield from self._finish()
                self._count += 1
                self._begun = one.header, Draft(one.number, "")
                is_bare = True
            elif self._begun is not None:
                self._begun[1].add(one.text)
                is_bare = False
            elif one.text.strip() and not is_told:
                is_told = True
                yield ReadWarning(self._file, one.number, "text of no message, left out")
        if is_whole or not is_bare:
            yield from self._finish()  # else the header may be cut off, and name nobody
        if not is_whole:
            reason = "the file ends without the count of messages that stands at its end"
            yield ReadWarning(self._file, None, reason, is_fatal=True)
        elif stated is not None and stated != self._count:
            reason = f"it says that it holds {stated} messages, but {self._count} were found"
            yield ReadWarning(self._file, None, reason)
        yield from repairs.warnings(self._file)

    def _finish(self) -> Iterator[ReadItem]:
        """The message that was begun, if there is one."""
        if self._begun is None:
            return
        (header, draft), self._begun = self._begun, None
        try:
            at, precision, zone = self._dates.read(header.written)
        except (ValueError, OverflowError) as error:
            yield ReadWarning(self._file, draft.line, f"message skipped: {error}")
            return
        if draft.cut_lines:
            reason = f"a message too long: {draft.cut_lines} lines left out"
            yield ReadWarning(self._file, draft.line, reason)
        body = parse_body(draft.continuation)
        author = Author(header.name, header.name)
        text = self._markup.plain(body.text)
        told = notice_of_text(author.name, text)
        extra: dict[str, object] = {}
        if header.is_pinned:
            extra["isPinned"] = True
        if body.addresses:
            extra["attachments"] = list(body.addresses)
        if body.embeds:
            extra["embeds"] = list(body.embeds)
        yield Message(
            conversation=self._conversation,
            key=self._keys.key(self._conversation, header.written, author.id, body.text),
            author=author,
            sent_at=at,
            precision=precision,
            zone=zone,
            kind="message" if told is None else "system",
            text=told or text or self._markup.plain("\n".join(body.embeds)),
            reactions=body.reactions,
            attachments=body.attachments,
            extra=extra or None,
        )
