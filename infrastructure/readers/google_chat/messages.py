"""One element of a group's `messages` becomes a Message."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Attachment, Author, Edit, Message, Precision, Reaction, Zone
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.google_chat.annotations import described, with_links
from infrastructure.readers.google_chat.dates import parse_date
from infrastructure.readers.google_chat.quotes import Quotes, quoted_id
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import count_key

_UNDERSTOOD = frozenset(
    {
        *("creator", "created_date", "updated_date", "text", "topic_id", "message_id"),
        *("attached_files", "reactions", "previous_message_versions"),
    }
)
# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("annotations", "quoted_message_metadata", "message_state", "deleted_date"),
        *("deletion_metadata", "upload_metadata"),
    }
)
_CREATOR_KEYS = frozenset({"name", "email", "user_type"})
_PLAIN_KEYS = frozenset({"creator", "created_date", "text", "topic_id", "message_id"})
_TOPIC_WINDOW = 100_000  # topics whose first message is remembered
_PEOPLE_KEPT = 10_000

_Date = tuple[datetime, Precision, Zone]


class GroupMessages:
    """Converts the messages of one group, in file order."""

    def __init__(
        self, conversation: str, names: Mapping[str, str], clock: LocalClock, facts: ReadFacts
    ) -> None:
        """
        Args:
            names: of the group's members, by email address.
        """
        self._conversation = conversation
        self._names = names
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()
        self._quotes = Quotes()
        self._topics: OrderedDict[str, str] = OrderedDict()  # topic -> its first message
        self._authors: dict[tuple[Any, Any], Author] = {}

    def message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what Takeout writes.
        """
        versions = _Versions(raw, self._clock)
        sent_at, precision, zone = versions.created
        author = self._author(raw.get("creator"))
        written = raw.get("text")
        if written is not None and not isinstance(written, str):
            raise TypeError(f"text is {type(written).__name__}")
        text = written or ""
        by = author.id if author else ""
        key = raw.get("message_id")
        if not isinstance(key, str) or not key:
            key = self._keys.key(self._conversation, versions.written, by, text)
        thread = self._thread(raw.get("topic_id"), key)
        if raw.keys() <= _PLAIN_KEYS and text:
            self._quotes.add(key, by, text, ())
            return Message(
                *(self._conversation, key, author, sent_at, precision, zone, "message", text),
                thread=thread,
            )
        files = _files(raw.get("attached_files"))
        reply_to = self._reply_to(raw.get("quoted_message_metadata"))
        for said in (text, *(version.text for version in versions.superseded)):
            self._quotes.add(key, by, said, files)
        annotations = raw.get("annotations")
        return Message(
            conversation=self._conversation,
            key=key,
            author=author,
            sent_at=sent_at,
            precision=precision,
            zone=zone,
            kind="deleted" if raw.get("message_state") == "DELETED" else "message",
            text=with_links(text, annotations) or described(annotations),
            reply_to=None if reply_to == key else reply_to,
            thread=thread,
            edited_at=versions.edited_at,
            edits=versions.superseded,
            reactions=_reactions(raw["reactions"]) if raw.get("reactions") else (),
            attachments=files,
            extra=self._extra(raw),
        )

    def _author(self, creator: Any) -> Author | None:
        if creator is None:
            return None
        email, name = creator.get("email"), creator.get("name")
        author = self._authors.get((email, name))
        if author is None:
            author = author_of(email, name, self._names)
            if len(self._authors) >= _PEOPLE_KEPT:
                self._authors.clear()
            if author is not None:
                self._authors[email, name] = author
        return author

    def _thread(self, topic: Any, key: str) -> str | None:
        """
        The first message of the topic, for those that follow it. Ids are `group/topic/message`,
        and the first message has its topic's name.
        """
        if not isinstance(topic, str) or not topic:
            return None
        parts = key.split("/")
        if len(parts) == 3 and parts[1] == topic:
            return None if parts[2] == topic else f"{parts[0]}/{topic}/{topic}"
        root = self._topics.setdefault(topic, key)
        if len(self._topics) > _TOPIC_WINDOW:
            self._topics.popitem(last=False)
        return None if root == key else root

    def _reply_to(self, quoted: Any) -> str | None:
        if not isinstance(quoted, dict):
            return None
        if (known := quoted_id(quoted)) is not None:
            return known
        author = self._author(quoted.get("creator"))
        text = quoted.get("text") or ""
        if author is None or not isinstance(text, str):
            return None
        return self._quotes.find(author.id, text, _files(quoted.get("attached_files")))

    def _extra(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        kept: dict[str, Any] = {}
        for name, value in raw.items():
            if name not in _UNDERSTOOD:
                if name not in _KEPT:
                    count_key(self._unknown, f"messages.{name}")
                kept[name] = storable(value)
        creator = raw.get("creator")
        if creator is not None and (more := creator.keys() - _CREATOR_KEYS):
            kept["creator"] = {name: storable(creator[name]) for name in sorted(more)}
        return kept or None


class _Versions:
    """
    When a message was written, and what it said before it was changed.

    A changed message has no `created_date` of its own: its first version has.
    """

    def __init__(self, raw: dict[str, Any], clock: LocalClock) -> None:
        """
        Raises:
            TypeError, ValueError, AttributeError, OverflowError: if a date is missing or wrong.
        """
        self.edited_at: datetime | None = None
        self.superseded: tuple[Edit, ...] = ()
        self.written: Any = raw.get("created_date")
        updated, earlier = raw.get("updated_date"), raw.get("previous_message_versions")
        if updated:
            self.edited_at = parse_date(updated, clock)[0]
        if earlier:
            found = sorted((_version(one, clock) for one in earlier), key=lambda one: one[0])
            self.written = self.written or found[0][1]
            ends = [date for date, _, _ in found[1:]]
            self.superseded = tuple(
                Edit(text, end)
                for (_, _, text), end in zip(found, [*ends, self.edited_at], strict=True)
            )
        self.written = self.written or updated
        self.created: _Date = parse_date(self.written, clock)


def _version(raw: dict[str, Any], clock: LocalClock) -> tuple[datetime, str, str]:
    """Its date, also as written, and its text."""
    written: Any = raw.get("created_date") or raw.get("updated_date")
    text = raw.get("text") or ""
    if not isinstance(text, str):
        raise TypeError(f"the text of an earlier version is {type(text).__name__}")
    return parse_date(written, clock)[0], written, text


def author_of(email: Any, name: Any, names: Mapping[str, str]) -> Author | None:
    """People are known by their address; those whose account is gone have but a name."""
    email = email if isinstance(email, str) and email else None
    name = name if isinstance(name, str) and name else None
    if email is None:
        return None if name is None else Author(name, name)
    return Author(email, name or names.get(email, email))


def _files(raw: Any) -> tuple[Attachment, ...]:
    """
    Raises:
        TypeError, AttributeError: if the value is not a list of objects.
    """
    return tuple(Attachment(_file_name(file), None, None) for file in raw or ())


def _file_name(file: dict[str, Any]) -> str:
    for key in ("original_name", "export_name"):
        name = file.get(key)
        if isinstance(name, str) and (plain := name.replace("\\", "/").rpartition("/")[2]):
            return plain
    return "file"


def _reactions(raw: Any) -> tuple[Reaction, ...]:
    """
    Raises:
        TypeError, AttributeError: if the value is not a list of objects.
    """
    found: list[Reaction] = []
    for one in raw:
        people = tuple(str(email) for email in one.get("reactor_emails") or () if email)
        found.append(Reaction(_emoji(one.get("emoji")), people, len(people)))
    return tuple(found)


def _emoji(emoji: Any) -> str:
    match emoji:
        case {"unicode": str(value)} if value:
            return value
        case {"custom_emoji": {"shortcode": str(value)}} | {"shortcode": str(value)} if value:
            return value.strip(":") or "?"
        case _:
            return "?"
