"""`data.json` of signal-export: one message a line, as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from application.ports.chat_reader import ExportFile, ReadFacts, ReadItem, ReadWarning
from domain.message import (
    Attachment,
    Author,
    Conversation,
    Edit,
    Message,
    MessageKind,
    Precision,
    Zone,
)
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import Clock, LineClock, LocalClock
from infrastructure.readers.reading import MALFORMED, count_key
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.signal.chat_lines import NOBODY, UNTOLD
from infrastructure.readers.signal.json_lines import json_lines
from infrastructure.readers.signal.markdown import (
    STICKER,
    grouped,
    unquoted,
    without_padding,
)
from infrastructure.readers.signal.replies import QuotedTexts

ROW_KEYS = frozenset({"date", "sender", "body", "quote", "sticker", "reactions", "attachments"})
_KNOWN = ROW_KEYS | {"deleted", "call", "missed", "edits"}


class ChatRows:
    """
    Times are the local times of the computer that exported. The key of a message is made as that
    of the same message in `chat.md`.
    """

    def __init__(
        self, file: ExportFile, conversation: Conversation, clock: LocalClock, facts: ReadFacts
    ) -> None:
        self._file = file
        self._conversation = conversation
        self._clock = clock
        self._in_order = LineClock(clock)
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()
        self._texts = QuotedTexts()
        self._authors: dict[str, Author] = {}

    def read(self) -> Iterator[ReadItem]:
        repairs = Repairs()
        yield self._conversation
        for one in json_lines(self._file, repairs):
            if isinstance(one, ReadWarning):
                yield one
                continue
            number, _, row = one
            try:
                message = self._message(row)
            except MALFORMED as error:
                reason = f"a line that is not as signal-export writes it ({error!r})"
                yield ReadWarning(self._file.name, number, f"{reason[:300]}; skipped")
                continue
            yield message
            if message.text:
                self._texts.add(message.text, message.key)
        yield from repairs.warnings(self._file.name)

    def _message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of MALFORMED: if it is not what signal-export writes.
        """
        date, name, body = raw["date"], raw["sender"], raw["body"]
        if not (isinstance(date, str) and isinstance(name, str) and isinstance(body, str)):
            raise TypeError("date, sender or body is no text")
        at, zone = self._time(date, self._in_order)
        text = without_padding(body)
        key_parts = self._conversation.id, date[:19].replace(" ", "T"), name
        precision: Precision = "millisecond" if "." in date else "second"
        if _is_plain(raw) and name != NOBODY:
            key = self._keys.key(*key_parts, text)
            author = self._author(name)
            return Message(key_parts[0], key, author, at, precision, zone, "message", text)
        kind: MessageKind = "message"
        if raw.get("deleted") is True:
            kind, text = "deleted", ""
        elif raw.get("call") is True:
            kind = "system"
            text = text or ("Missed call" if raw.get("missed") is True else "Call")
        elif name == NOBODY:
            kind = "system"
            text = text or UNTOLD
        key = self._keys.key(*key_parts, text)
        quote = unquoted(raw["quote"]) if raw.get("quote") else ""
        return Message(
            self._conversation.id,
            key,
            None if name == NOBODY else self._author(name),
            at,
            precision,
            zone,
            kind,
            text,
            self._texts.key_of(quote) if quote else None,
            None,
            None,
            tuple(self._edit(one) for one in raw["edits"]) if raw.get("edits") else (),
            grouped([_reaction(one) for one in raw["reactions"]]) if raw.get("reactions") else (),
            _attachments(raw),
            self._extra(raw, quote),
        )

    @staticmethod
    def _time(date: str, clock: Clock) -> tuple[datetime, Zone]:
        local = datetime.fromisoformat(date)
        if local.tzinfo is not None:
            return local.astimezone(UTC), "stated"
        return clock.utc(local), clock.zone

    def _edit(self, raw: dict[str, Any]) -> Edit:
        date, body = raw.get("date"), raw["body"]
        at = None if date is None else self._time(date, self._clock)[0]
        return Edit(without_padding(body), at)

    def _author(self, name: str) -> Author:
        author = self._authors.get(name)
        if author is None:
            if len(self._authors) >= 10_000:
                self._authors.clear()
            author = self._authors[name] = Author(name, name)
        return author

    def _extra(self, raw: dict[str, Any], quote: str) -> dict[str, Any] | None:
        kept: dict[str, Any] = {"quote": quote} if quote else {}
        if raw.get("sticker") and (emoji := _sticker(raw["sticker"])):
            kept["sticker"] = emoji
        if not raw.keys() <= _KNOWN:
            for name in sorted(raw.keys() - _KNOWN):
                count_key(self._unknown, f"messages.{name}")
                kept[name] = storable(raw[name])
        return kept or None


def _is_plain(raw: dict[str, Any]) -> bool:
    """Whether nothing but date, sender and body says anything, as in most rows."""
    return bool(raw["body"]) and sum(map(bool, raw.values())) == 3 and raw.keys() <= _KNOWN


def _reaction(raw: Any) -> tuple[str, str]:
    """A pair of name and emoji, or an object of both."""
    name, emoji = (raw["name"], raw["emoji"]) if isinstance(raw, dict) else raw
    if not (isinstance(name, str) and isinstance(emoji, str)):
        raise TypeError("a reaction without name and emoji")
    return name, emoji


def _attachments(raw: dict[str, Any]) -> tuple[Attachment, ...]:
    files = raw.get("attachments")
    found = [_attachment(one) for one in files] if files else []
    if raw.get("sticker"):
        found.append(STICKER)
    return tuple(found)


def _attachment(raw: dict[str, Any]) -> Attachment:
    name = raw["name"]
    if not isinstance(name, str):
        raise TypeError("an attachment without a name")
    return Attachment(name or "file", None, None)


def _sticker(raw: Any) -> str:
    """Only its emoji in older versions. The key of its pack is left out."""
    emoji = raw.get("emoji") if isinstance(raw, dict) else raw
    return emoji if isinstance(emoji, str) else ""
