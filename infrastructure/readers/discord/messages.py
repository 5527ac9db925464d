"""One element of `messages` in DiscordChatExporter's JSON becomes a Message."""

from __future__ import annotations

from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Conversation, Message
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.discord.contents import (
    attachments,
    is_notice,
    notice,
    reactions,
    text_of_embeds,
)
from infrastructure.readers.discord.dates import Moment, local_moment, stated_moment
from infrastructure.readers.discord.extras import kept
from infrastructure.readers.discord.markup import Markup
from infrastructure.readers.discord.people import People
from infrastructure.readers.discord.snowflakes import id_of, moment_of
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import count_key

_PLAIN_KINDS = ("Default", "Reply", "0", "19")


class ChannelMessages:
    """Converts the messages of one channel, in file order."""

    def __init__(
        self,
        conversation: Conversation,
        people: People,
        markup: Markup,
        clock: LocalClock,
        facts: ReadFacts,
    ) -> None:
        self._conversation = conversation.id
        self._people = people
        self._markup = markup
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()

    def message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what the exporter writes.
        """
        id = id_of(raw.get("id"))
        content = raw.get("content")
        if not isinstance(content, str):
            content = _empty(content)
        if mentions := raw.get("mentions"):
            self._people.meet(mentions)
        written = raw.get("author")
        person = None if written is None else self._people.person(written)
        author = person.author if person else None
        stamp = raw.get("timestamp")
        at, precision, zone = self._moment(stamp, id)
        key = id
        if key is None:
            who = author.id if author else ""
            key = self._keys.key(self._conversation, str(stamp), who, content)
        kind = raw.get("type")
        if kind != "Default":
            kind = id_of(kind) or "Default"
        text = self._markup.plain(content)
        is_system = is_notice(kind)
        if is_system:
            text = notice(kind, author.name if author else None, text)
        elif not text:
            text = self._described(raw)
        edited = raw.get("timestampEdited")
        extra = kept(raw, self._unknown)
        if person is not None and (details := person.details) is not None:
            extra["author"] = details
            for name in person.unknown:
                count_key(self._unknown, f"messages.author.{name}")
        if kind not in _PLAIN_KINDS:
            extra["type"] = kind
        if zone == "derived" and stamp:
            extra["timestamp"] = storable(stamp)
        return Message(
            self._conversation,
            key,
            author,
            at,
            precision,
            zone,
            "system" if is_system else "message",
            text,
            None if is_system else self._answered(raw.get("reference")),
            None,
            self._moment(edited, None).at if edited else None,
            (),
            reactions(raw["reactions"]) if raw.get("reactions") else (),
            attachments(raw),
            extra or None,
        )

    def _moment(self, written: Any, id: str | None) -> Moment:
        """The time as written; where that is missing, undated or no time, the id's own."""
        try:
            return stated_moment(written)
        except (TypeError, ValueError, OverflowError):
            at = moment_of(id)
            if at is not None:
                return Moment(at, "millisecond", "derived")
        return local_moment(written, self._clock)

    def _answered(self, reference: Any) -> str | None:
        """The message answered, if it is one of this channel; what is forwarded is not answered."""
        if not isinstance(reference, dict) or reference.get("type") == "Forward":
            return None
        channel = reference.get("channelId")
        if channel is not None and id_of(channel) != self._conversation:
            return None
        return id_of(reference.get("messageId"))

    def _described(self, raw: dict[str, Any]) -> str:
        """What a message without text shows instead."""
        forwarded = raw.get("forwardedMessage")
        if isinstance(forwarded, dict):
            text = forwarded.get("content")
            if isinstance(text, str) and text:
                return self._markup.plain(text)
            return self._described({"embeds": forwarded.get("embeds")})
        embeds = raw.get("embeds")
        return self._markup.plain(text_of_embeds(embeds)) if embeds else ""


def _empty(content: Any) -> str:
    if content is not None:
        raise TypeError(f"content is {type(content).__name__}")
    return ""
