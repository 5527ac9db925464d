"""One element of `MessageList` becomes a Message."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Attachment, Author, Message, MessageKind, Reaction, Zone
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.html_tokens import unescape
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock, from_epoch
from infrastructure.readers.microsoft.identities import without_names
from infrastructure.readers.microsoft.inner_json import parsed
from infrastructure.readers.microsoft.words import base_name
from infrastructure.readers.reading import count_key
from infrastructure.readers.skype.markup import SkypeText
from infrastructure.readers.skype.notices import contacts, is_notice, notice, place
from infrastructure.readers.skype.people import People, person

_UNDERSTOOD = frozenset(
    {
        *("id", "displayName", "originalarrivaltime", "messagetype", "version", "content"),
        *("conversationid", "from", "properties", "skypeemoteoffset", "imdisplayname"),
        *("composetime", "type", "conversationLink"),
    }
)
# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("amsreferences", "clientmessageid", "skypeeditedid", "skypeguid", "threadtopic"),
        *("rootMessageId", "counterpartymessageid", "annotationsSummary", "contenttype"),
    }
)
_PLAIN = _UNDERSTOOD | {"amsreferences"}
# The text names who is mentioned.
_PROPERTIES_UNDERSTOOD = frozenset({"edittime", "emotions", "mentions", "qtdMsgs"})
_PROPERTIES_KEPT = frozenset(
    {
        *("urlpreviews", "isserversidegenerated", "deletetime", "albumId", "call-log", "links"),
        *("forwardMetadata", "files", "languageStamp", "importance", "subject"),
        *("title", "cards", "meta", "pinned", "poll", "formatVariant", "parentmessageid"),
        *("cid", "interopOriginalMessageType", "originContextId", "draftId", "s2spartnername"),
    }
)
# Of these only the ids of others are kept: who was called, whose message was forwarded.
_OF_PEOPLE = frozenset({"call-log", "forwardMetadata", "meta"})
_TEXTS = frozenset({"RichText", "Text"})
_RARE = frozenset({"skypeemoteoffset"})  # which change what a plain text is
_NO_REACTION = "reactionsConsumptionHorizon"  # how far the reactions were seen
_EDITED_BEFORE = "Edited previous message: "


class ChatMessages:
    """Converts the messages of one conversation."""

    def __init__(
        self, conversation: str, people: People, clock: LocalClock, facts: ReadFacts
    ) -> None:
        self._conversation = conversation
        self._people = people
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()

    def message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what Skype writes.
        """
        sent_at, zone = self._time(raw)
        kind, content = raw.get("messagetype"), raw.get("content")
        kind = "RichText" if kind is None else kind
        content = "" if content is None else content
        if not isinstance(kind, str) or not isinstance(content, str):
            raise TypeError("messagetype or content is no text")
        properties = raw.get("properties")
        if properties is not None and not isinstance(properties, dict):
            raise TypeError(f"properties is {type(properties).__name__}")
        if is_notice(kind):
            return self._notice(raw, kind, content, sent_at, zone)
        author = self._people.author(raw.get("from"), raw.get("displayName"))
        if kind in _TEXTS and "<" not in content and not (properties or raw.keys() & _RARE):
            return Message(
                *(self._conversation, self._key(raw, author, content), author, sent_at),
                *("millisecond", zone, "message", unescape(content).replace("\r\n", "\n")),
                extra=self._extra(raw),
            )
        return self._rich(raw, kind, content, author, sent_at, zone)

    def _rich(
        self,
        raw: dict[str, Any],
        kind: str,
        content: str,
        author: Author | None,
        sent_at: datetime,
        zone: Zone,
    ) -> Message:
        is_html = kind.lower() == "richtext/html" or content.startswith(("<p", "<div"))
        found = SkypeText(content, conversation=self._conversation, keeps_space=not is_html)
        text = unescape(content) if kind == "Text" else found.text
        if kind == "RichText/Contacts":
            text = contacts(content)
        elif kind == "RichText/Location":
            text = place(content) or text
        elif found.edited is not None:
            text = text.removeprefix(_EDITED_BEFORE)
        properties = raw.get("properties") or {}
        edited_at = _moment(properties.get("edittime")) or _mark(found.edited, sent_at)
        attachments = [*found.attachments, *_files(properties.get("files"))]
        attachments += [
            Attachment(base_name(image.alt) or "image", None, None) for image in found.images
        ]
        reply_to = found.reply_to or _quoted(properties.get("qtdMsgs"))
        result: MessageKind = "message"
        is_empty = not text.strip() and not attachments
        # Who removes a message edits it until nothing is left.
        if _is_set(properties.get("deletetime")) or (is_empty and edited_at is not None):
            result = "deleted"
        elif (offset := raw.get("skypeemoteoffset")) is not None and int(offset) > 0:
            result, text = "action", text[int(offset) :].lstrip()
        return Message(
            conversation=self._conversation,
            key=self._key(raw, author, content),
            author=author,
            sent_at=sent_at,
            precision="millisecond",
            zone=zone,
            kind=result,
            text=text,
            reply_to=reply_to,
            edited_at=edited_at,
            reactions=_reactions(properties.get("emotions")),
            attachments=tuple(attachments),
            extra=self._extra(raw),
        )

    def _notice(
        self, raw: dict[str, Any], kind: str, content: str, sent_at: datetime, zone: Zone
    ) -> Message:
        sender = person(raw.get("from"))
        self._people.learn(sender, raw.get("displayName"))
        text, actor = notice(kind, content, sender, self._people)
        author = self._people.author(actor, None)
        return Message(
            *(self._conversation, self._key(raw, author, content), author, sent_at),
            *("millisecond", zone, "system", text),
            reactions=_reactions((raw.get("properties") or {}).get("emotions")),
            extra=self._extra(raw),
        )

    def _key(self, raw: dict[str, Any], author: Author | None, content: str) -> str:
        known = raw.get("id")
        if known is None or known == "":
            written = str(raw.get("originalarrivaltime"))
            return self._keys.key(self._conversation, written, author.id if author else "", content)
        if isinstance(known, bool) or not isinstance(known, str | int):
            raise TypeError(f"id is {type(known).__name__}")
        return str(known)

    def _time(self, raw: dict[str, Any]) -> tuple[datetime, Zone]:
        """When it arrived; else what the id says, which is the time, too."""
        written = raw.get("originalarrivaltime")
        if written is None:
            at = _moment(raw["id"])
            if at is None:
                raise ValueError("it has no time")
            return at, "derived"
        at = datetime.fromisoformat(written)
        if at.year < 1970:
            raise OverflowError(f"{written} is before 1970")
        if at.tzinfo is None:
            return self._clock.utc(at), self._clock.zone
        return at.astimezone(UTC), "stated"

    def _extra(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        if raw.keys() <= _PLAIN and not (raw.get("properties") or raw.get("amsreferences")):
            return None
        kept: dict[str, Any] = {}
        for name, value in raw.items():
            if name not in _UNDERSTOOD and name not in _KEPT:
                count_key(self._unknown, f"messages.{name}")
                kept[name] = storable(value)
            elif name in _KEPT and value is not None:
                kept[name] = storable(value)
        if inner := raw.get("properties"):
            for name in inner.keys() - _PROPERTIES_UNDERSTOOD - _PROPERTIES_KEPT:
                count_key(self._unknown, f"messages.properties.{name}")
            left = {
                k: storable(_without_people(v) if k in _OF_PEOPLE else v)
                for k, v in inner.items()
                if k not in _PROPERTIES_UNDERSTOOD
            }
            if left:
                kept["properties"] = left
        return kept or None


def _without_people(value: Any) -> Any:
    """Without the names of others, as text if it was one and names nobody."""
    raw = parsed(value) if isinstance(value, str) else value
    left = without_names(raw)
    return value if left == raw else left


def _moment(value: Any) -> datetime | None:
    """
    Milliseconds since 1970, mostly as text; None for what is no number, or 0.

    Raises:
        OverflowError: beyond the year 9999.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return None
    return from_epoch(value // 1000).replace(microsecond=value % 1000 * 1000)


def _is_set(value: Any) -> bool:
    return value not in (None, "", 0, "0", False)


def _mark(seconds: str | None, sent_at: datetime) -> datetime | None:
    """When the mark of an edit was made; some hold the message's own time instead."""
    if seconds is None or not seconds.isascii() or not seconds.isdigit() or len(seconds) > 11:
        return None
    at = from_epoch(int(seconds))
    return at if at > sent_at else None


def _reactions(raw: Any) -> tuple[Reaction, ...]:
    """
    Raises:
        TypeError, AttributeError: if the value is not a list of objects, or such JSON.
    """
    raw = parsed(raw) if isinstance(raw, str) else raw
    found: list[Reaction] = []
    for one in raw or ():
        value = one["key"]
        users = [user.get("mri") or user.get("DisplayName") for user in one.get("users") or ()]
        if value == _NO_REACTION or not users:
            continue
        found.append(Reaction(str(value), tuple(str(user) for user in users if user), len(users)))
    return tuple(found)


def _files(raw: Any) -> list[Attachment]:
    listed = parsed(raw) if isinstance(raw, str) else raw
    found: list[Attachment] = []
    for one in listed if isinstance(listed, list) else ():
        if isinstance(one, dict):
            name = one.get("fileName") or one.get("title") or one.get("name")
            found.append(Attachment(base_name(str(name or "")) or "file", None, None))
    return found


def _quoted(raw: Any) -> str | None:
    """The message answered, as Teams writes it beside the text."""
    listed = parsed(raw) if isinstance(raw, str) else raw
    if not isinstance(listed, list) or not listed or not isinstance(listed[0], dict):
        return None
    known = listed[0].get("messageId")
    return str(known) if isinstance(known, str | int) and known else None
