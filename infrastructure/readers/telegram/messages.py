"""One element of Telegram's `messages` becomes a Message."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Author, Conversation, Message, Zone
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock, from_epoch
from infrastructure.readers.reading import count_key
from infrastructure.readers.telegram.entities import (
    attachments,
    described,
    notice,
    plain_text,
    reactions,
)

# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("forwarded_from", "forwarded_from_id", "saved_from", "via_bot", "poll", "media_type"),
        *("contact_information", "location_information", "place_name", "address", "sticker_emoji"),
        *("duration_seconds", "discard_reason", "reply_to_peer_id", "inviter", "message_id"),
        *("live_location_period_seconds", "invoice_information", "game_title", "game_link"),
    }
)
_UNDERSTOOD = frozenset(
    {
        *("id", "type", "date", "date_unixtime", "edited", "edited_unixtime", "from", "from_id"),
        *("actor", "actor_id", "action", "title", "new_title", "members", "author", "text"),
        *("text_entities", "reply_to_message_id", "photo", "photo_file_size", "file", "file_name"),
        *("file_size", "mime_type", "width", "height", "thumbnail", "thumbnail_file_size"),
        *("reactions", "inline_bot_buttons", "new_icon_emoji_id", "icon_emoji_id"),
    }
)
_KNOWN = _UNDERSTOOD | _KEPT
_PLAIN_KEYS = frozenset(
    {"id", "type", "date", "date_unixtime", "from", "from_id", "text", "text_entities"}
)
_TOPIC_WINDOW = 100_000  # messages of forum topics whose topic is remembered


class ChatMessages:
    """Converts the messages of one chat, in file order."""

    def __init__(self, conversation: Conversation, clock: LocalClock, facts: ReadFacts) -> None:
        self._conversation = conversation.id
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()
        self._topics: OrderedDict[str, str] = OrderedDict()  # message -> topic

    def message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what Telegram writes.
        """
        is_service = raw.get("type") == "service"
        sent_at, zone = self._time(raw)
        author = _author(raw, "actor" if is_service else "from")
        text = raw.get("text")
        if is_service:
            text = notice(raw)
        elif not isinstance(text, str):
            text = plain_text(text)
        keys = raw.keys()
        key = raw.get("id")
        if key is None:
            name = author.name if author else ""
            key = self._keys.key(self._conversation, sent_at.isoformat(), name, text)
        else:
            key = str(key)
        if keys <= _PLAIN_KEYS and not self._topics and not is_service:
            return Message(
                self._conversation, key, author, sent_at, "second", zone, "message", text
            )
        reply_to, thread = self._place(raw, key)
        return Message(
            conversation=self._conversation,
            key=key,
            author=author,
            sent_at=sent_at,
            precision="second",
            zone=zone,
            kind="system" if is_service else "message",
            text=text or described(raw),
            reply_to=reply_to,
            thread=thread,
            edited_at=self._edited_at(raw),
            reactions=reactions(raw["reactions"]) if raw.get("reactions") else (),
            attachments=attachments(raw),
            extra=self._extra(raw),
        )

    def _time(self, raw: dict[str, Any]) -> tuple[datetime, Zone]:
        stamp = raw.get("date_unixtime")
        if stamp is not None:
            return from_epoch(int(stamp)), "stated"
        return self._local(raw["date"])

    def _local(self, date: Any) -> tuple[datetime, Zone]:
        if isinstance(date, int):
            return from_epoch(date), "stated"
        local = datetime.fromisoformat(date)
        if local.tzinfo is not None:
            return local.astimezone(UTC), "stated"
        return self._clock.utc(local), self._clock.zone

    def _edited_at(self, raw: dict[str, Any]) -> datetime | None:
        if stamp := raw.get("edited_unixtime"):
            return from_epoch(int(stamp))
        edited = raw.get("edited")
        # Old files write the year 1970 for messages that were never edited.
        if not isinstance(edited, str) or edited.startswith("1970-01-01"):
            return None
        return self._local(edited)[0]

    def _place(self, raw: dict[str, Any], key: str) -> tuple[str | None, str | None]:
        """
        The message answered and the forum topic. In a topic, what answers nobody is written as
        an answer to the notice that opened it.
        """
        if raw.get("action") == "topic_created":
            self._topics[key] = key
            return None, key
        answered = raw.get("reply_to_message_id")
        if answered is None or raw.get("reply_to_peer_id") is not None:
            return None, None
        reply_to = str(answered)
        topic = self._topics.get(reply_to)
        if topic is None:
            return reply_to, None
        self._topics[key] = topic
        if len(self._topics) > _TOPIC_WINDOW:
            self._topics.popitem(last=False)
        return (None if reply_to == topic else reply_to), topic

    def _extra(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        unknown = raw.keys() - _KNOWN
        for name in sorted(unknown):
            count_key(self._unknown, f"messages.{name}")
        kept = {k: storable(v) for k, v in raw.items() if k in unknown or k in _KEPT}
        return kept or None


def _author(raw: dict[str, Any], field: str) -> Author | None:
    name = raw.get(field)
    source = raw.get(f"{field}_id")
    if name is None and source is None:
        return None
    if source is None:
        return Author(str(name), str(name))
    # Old files have the bare number of a user.
    known = source if isinstance(source, str) else f"user{int(source)}"
    return Author(known, str(name) if name else "Deleted account")
