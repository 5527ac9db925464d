"""One element of `messages` becomes a Message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from application.ports.chat_reader import ReadFacts
from domain.message import Author, Message, MessageKind, Precision
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_values import storable
from infrastructure.readers.messenger import notices
from infrastructure.readers.messenger.media import (
    LISTS,
    STICKER,
    Repair,
    attachments,
    left_over,
    reactions,
    with_share,
)
from infrastructure.readers.messenger.mojibake import as_written, repaired, repaired_all
from infrastructure.readers.reading import count_key

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_PRECISION: Precision = "millisecond"
_SENDERS_KEPT = 10_000
_UNDERSTOOD = frozenset(
    {"sender_name", "timestamp_ms", "timestamp", "content", "type", "is_unsent", "is_taken_down"}
)
# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset({"ip", "call_duration", "missed", "users"})
_FLAGS = frozenset(  # kept if they are set, which is rare
    {
        *("is_geoblocked_for_viewer", "is_unsent_image_by_messenger_kid_parent"),
        "sender_id_INTERNAL",
    }
)
_IN_PART = frozenset({*LISTS, STICKER, "share", "reactions"})  # see `left_over`
_BUMPED = "bumped_message_metadata"
_PLAIN_KEYS = frozenset(
    {
        *("sender_name", "timestamp_ms", "content", "is_geoblocked_for_viewer"),
        "is_unsent_image_by_messenger_kid_parent",
    }
)
# The form of end-to-end encrypted chats has other names for the same things.
_ENCRYPTED_NAMES = {
    "senderName": "sender_name",
    "timestamp": "timestamp_ms",
    "text": "content",
    "isUnsent": "is_unsent",
}
_PLACEHOLDER = "placeholder"  # an encrypted message that was unsent


class _Sender(NamedTuple):
    author: Author
    openings: tuple[str, ...]


class ThreadMessages:
    """Converts the messages of one thread. People have no ids; their names are what there is."""

    def __init__(self, conversation: str, nameless: str, facts: ReadFacts) -> None:
        """
        Args:
            nameless: what Meta calls people without an account; some files leave them unnamed.
        """
        self._conversation = conversation
        self._nameless = nameless
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()
        self._senders: dict[Any, _Sender] = {}  # by the name as written
        self._repair: Repair = repaired

    def message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what Meta writes.
        """
        time = raw.get("timestamp_ms")
        if type(time) is int and time >= 0:
            written, sent_at, precision = str(time), _EPOCH + _MILLISECOND * time, _PRECISION
        else:
            written, sent_at, precision = _other_time(raw)
        name = raw.get("sender_name")
        sender = self._senders.get(name)
        if sender is None:
            sender = self._new_sender(name)
        author = sender.author
        content = raw.get("content")
        text = "" if content is None else self._repair(content)
        key = self._keys.key(self._conversation, written, author.id, text)
        if raw.keys() <= _PLAIN_KEYS and not (
            raw.get("is_geoblocked_for_viewer")
            or raw.get("is_unsent_image_by_messenger_kid_parent")
        ):
            is_notice = text.startswith(sender.openings) and notices.is_notice(
                text, sender.openings
            )
            kind: MessageKind = "system" if is_notice else "message"
            return Message(
                self._conversation, key, author, sent_at, precision, "stated", kind, text
            )
        kind = _kind(raw, text, sender)
        if kind == "system" and not text:
            text = self._sentence(raw, author.name)
        if (share := raw.get("share")) is not None:
            text = with_share(text, share, self._repair)
        return Message(
            conversation=self._conversation,
            key=key,
            author=author,
            sent_at=sent_at,
            precision=precision,
            zone="stated",
            kind=kind,
            text=text,
            reactions=reactions(raw["reactions"], self._repair) if raw.get("reactions") else (),
            attachments=attachments(raw, self._repair),
            extra=self._extra(raw, text),
        )

    def _new_sender(self, name: Any) -> _Sender:
        if len(self._senders) >= _SENDERS_KEPT:
            self._senders.clear()
        plain = self._repair(name) if name is not None and name != "" else self._nameless
        sender = _Sender(Author(plain, plain), notices.openings(plain))
        self._senders[name] = sender
        return sender

    def _sentence(self, raw: dict[str, Any], name: str) -> str:
        kind = raw.get("type")
        if kind in (notices.JOINED, notices.LEFT):
            return notices.membership(kind, name, raw.get("users"), self._repair)
        return notices.call(raw)

    def _extra(self, raw: dict[str, Any], text: str) -> dict[str, Any] | None:
        kept: dict[str, Any] = {}
        for name, value in raw.items():
            if name in _UNDERSTOOD or (value is None and name in _IN_PART):
                continue
            if name in _FLAGS:
                if value:
                    kept[name] = value
            elif name in _KEPT:
                if value is not None and value is not False and value != "":
                    kept[name] = value
            elif name in _IN_PART:
                if value and (rest := left_over(name, value)) is not None:
                    kept[name] = rest
            elif name == _BUMPED:
                if _says_more(value, text, self._repair):
                    kept[name] = value
            else:
                count_key(self._unknown, f"messages.{name}")
                kept[name] = value
        return self._storable(kept) if kept else None

    def _storable(self, kept: dict[str, Any]) -> dict[str, Any]:
        found = {name: storable(value) for name, value in kept.items()}
        return {name: repaired_all(value) for name, value in found.items()}


class EncryptedMessages(ThreadMessages):
    """The form of end-to-end encrypted chats: proper text, and other names."""

    def __init__(self, conversation: str, nameless: str, facts: ReadFacts) -> None:
        super().__init__(conversation, nameless, facts)
        self._repair = as_written

    def message(self, raw: dict[str, Any]) -> Message:
        return super().message({_ENCRYPTED_NAMES.get(k, k): v for k, v in raw.items()})

    def _storable(self, kept: dict[str, Any]) -> dict[str, Any]:
        return {name: storable(value) for name, value in kept.items()}


def _other_time(raw: dict[str, Any]) -> tuple[str, datetime, Precision]:
    """
    As written, and as a moment, where `timestamp_ms` is no plain number. The files of early 2018
    have whole seconds.
    """
    value = raw.get("timestamp_ms")
    if value is None:
        seconds = _whole(raw["timestamp"])
        return str(seconds), _moment(seconds * 1000), "second"
    milliseconds = _whole(value)
    return str(milliseconds), _moment(milliseconds), _PRECISION


def _whole(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, str) and value.isdecimal() and len(value) <= 20:
        return int(value)
    raise TypeError(f"the time is {str(value)[:40]!r}")


def _moment(milliseconds: int) -> datetime:
    if milliseconds < 0:
        raise OverflowError(f"{milliseconds} is before 1970")
    return _EPOCH + _MILLISECOND * milliseconds


def _kind(raw: dict[str, Any], text: str, sender: _Sender) -> MessageKind:
    written = raw.get("type")
    if raw.get("is_unsent") is True or raw.get("is_taken_down") is True or written == _PLACEHOLDER:
        return "deleted"
    if written in (notices.JOINED, notices.LEFT, notices.CALL):
        return "system"
    if raw.get("call_duration") is not None:
        return "system"
    if not raw.keys() & _IN_PART and notices.is_notice(text, sender.openings):
        return "system"
    return "message"


def _says_more(bumped: Any, text: str, repair: Repair) -> bool:
    """Files of around 2020 repeat every message's own text here, also of those not bumped."""
    if not isinstance(bumped, dict):
        return bumped is not None
    said = bumped.get("bumped_message")
    is_same = said is None or (isinstance(said, str) and repair(said) == text)
    return bumped.get("is_bumped") is True or not is_same
