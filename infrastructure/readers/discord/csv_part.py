"""Reading one CSV file of DiscordChatExporter, which has neither ids of messages nor kinds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from application.ports.chat_reader import ReadFacts, ReadItem, ReadWarning
from domain.message import Attachment, Author, Message, Reaction
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.discord.contents import file_of, notice_of_text
from infrastructure.readers.discord.dates import Dates
from infrastructure.readers.discord.exports import CSV_COLUMNS, Part
from infrastructure.readers.discord.markup import Markup
from infrastructure.readers.discord.people import People
from infrastructure.readers.discord.rows import Row, read_rows
from infrastructure.readers.reading import MALFORMED, count_key

_ADDRESSES = re.compile(r",(?=https?://)")
_REACTION = re.compile(r"(.{1,100}) \(([0-9]{1,9})\)")
_KNOWN = frozenset(CSV_COLUMNS)
_NEEDED = frozenset({"Author", "Date", "Content"})


class CsvPart:
    """The author's name is that of the account: a CSV file has no nicknames."""

    def __init__(
        self,
        part: Part,
        keys: ContentKeys,
        people: People,
        markup: Markup,
        dates: Dates,
        facts: ReadFacts,
    ) -> None:
        self._file = part.file
        self._conversation = part.conversation.id
        self._keys = keys
        self._people = people
        self._markup = markup
        self._dates = dates
        self._unknown = facts.unknown_keys

    def read(self) -> Iterator[ReadItem]:
        for one in read_rows(self._file, needed=_NEEDED):
            if isinstance(one, ReadWarning):
                yield one
                continue
            line, row = one
            try:
                yield self._message(row)
            except MALFORMED as error:
                reason = f"a row that is not as DiscordChatExporter writes it ({error!r}); skipped"
                yield ReadWarning(self._file.name, line, reason)

    def _message(self, row: Row) -> Message:
        written, content = row["Date"], row["Content"]
        author = self._author(row.get("AuthorID") or "", row["Author"])
        at, precision, zone = self._dates.read(written)
        text = self._markup.plain(content)
        told = notice_of_text(author.name, text)
        urls = row.get("Attachments") or ""
        return Message(
            conversation=self._conversation,
            key=self._keys.key(self._conversation, written, author.id, content),
            author=author,
            sent_at=at,
            precision=precision,
            zone=zone,
            kind="message" if told is None else "system",
            text=text if told is None else told,
            reactions=reactions_of(row.get("Reactions") or ""),
            attachments=attachments_of(urls),
            extra=self._extra(row, urls),
        )

    def _author(self, id: str, name: str) -> Author:
        if not id and not name:
            raise ValueError("no author")
        if id:
            self._people.call(id, name)
        return Author(id or name, name or id)

    def _extra(self, row: Row, urls: str) -> dict[str, object] | None:
        extra: dict[str, object] = {}
        if urls:
            extra["attachments"] = addresses_of(urls)
        for name in row.keys() - _KNOWN:
            count_key(self._unknown, f"messages.{name}")
            extra[name] = row[name]
        return extra or None


def addresses_of(written: str) -> list[str]:
    """Addresses, or paths where the files were downloaded, with commas between."""
    found = _ADDRESSES.split(written) if written.startswith("http") else written.split(",")
    return [one.strip() for one in found if one.strip()]


def attachments_of(written: str) -> tuple[Attachment, ...]:
    return tuple(map(file_of, addresses_of(written))) if written else ()


def reactions_of(written: str) -> tuple[Reaction, ...]:
    """`name (count)`, with commas between."""
    found = (_REACTION.fullmatch(one.strip()) for one in written.split(","))
    return tuple(Reaction(match[1], (), int(match[2])) for match in found if match)


def times_of(part: Part) -> Iterator[str]:
    """The times of all rows."""
    for one in read_rows(part.file, needed=_NEEDED):
        if not isinstance(one, ReadWarning):
            yield one[1].get("Date") or ""


def is_iso(part: Part) -> bool:
    """Whether the times are ISO, as newer versions write them."""
    return next(times_of(part), "")[4:5] == "-"
