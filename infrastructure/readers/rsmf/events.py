"""One element of a manifest's `events` becomes a Message."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Author, Message, MessageKind
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import count_key
from infrastructure.readers.rsmf import values
from infrastructure.readers.rsmf.conversations import Conversations, Place
from infrastructure.readers.rsmf.identity import is_counter, text_id
from infrastructure.readers.rsmf.own import MESSAGE, own_value
from infrastructure.readers.rsmf.own_messages import own_message
from infrastructure.readers.rsmf.people import People
from infrastructure.readers.rsmf.values import Moment

# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset({"direction", "read_receipts", "custom"})
_UNDERSTOOD = frozenset(
    {
        *("id", "type", "parent", "body", "participant", "conversation", "timestamp", "deleted"),
        *("importance", "reactions", "attachments", "attachment", "edits"),
    }
)
_KNOWN = _UNDERSTOOD | _KEPT
_PLAIN_KEYS = frozenset({"id", "type", "body", "participant", "conversation", "timestamp"})
_SPOKEN = frozenset({"message", "history"})
_NOTICES = {"join": "{who} joined", "leave": "{who} left", "disclaimer": "Disclaimer"}
_THREAD_WINDOW = 100_000  # messages of threads whose root is remembered


class Threads:
    """Which thread a message belongs to: that of the message it answers."""

    def __init__(self) -> None:
        self._roots: OrderedDict[tuple[str, str], str] = OrderedDict()

    def root(self, conversation: str, key: str, answered: str) -> str:
        root = self._roots.get((conversation, answered), answered)
        self._roots[conversation, key] = root
        if len(self._roots) > _THREAD_WINDOW:
            self._roots.popitem(last=False)
        return root


class Events:
    """Converts the events of one manifest, in file order."""

    def __init__(
        self,
        people: People,
        conversations: Conversations,
        clock: LocalClock,
        facts: ReadFacts,
        *,
        keys: ContentKeys,
        threads: Threads,
        files: Mapping[str, int] | None,
        begins: datetime | None,
    ) -> None:
        """
        Args:
            files: sizes in bytes by name, of the files beside the manifest; None: it came alone.
            begins: for events before the first one that has a time.
        """
        self._people = people
        self._conversations = conversations
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = keys
        self._threads = threads
        self._files = files
        self._last = begins
        self._scope: str | None = None  # the manifest's first time, as written
        self.untimed = 0  # events that got the time of the one before
        self.missing_files = 0

    def message(self, raw: dict[str, Any]) -> tuple[Place, Message]:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what RSMF says.
        """
        if "type" not in raw and "body" not in raw:
            raise ValueError("it has neither a type nor a body")
        place = self._conversations.place(text_id(raw.get("conversation")))
        author = self._people.author(text_id(raw.get("participant")))
        stamp = raw.get("timestamp")
        at, precision, zone = self._moment(stamp)
        if self._scope is None:
            self._scope = stamp if isinstance(stamp, str) else ""
        text = raw.get("body", "")
        if text is None:
            text = ""
        elif not isinstance(text, str):
            raise TypeError(f"body is {type(text).__name__}")
        id = text_id(raw.get("id"))
        key = self._key(id, place) if id is not None else None
        conversation = place.conversation.id
        if place.is_own and key is not None:
            bare = Message(conversation, key, author, at, precision, zone, "message", text)
            own = own_value(raw.get("custom"), MESSAGE)
            return place, own_message(bare, raw, own, self._people)
        kind = raw.get("type", "message")
        if key is None:
            name = author.id if author else ""
            key = self._keys.key(conversation, str(stamp), str(kind), name, text)
        if kind == "message" and raw.keys() <= _PLAIN_KEYS:
            return place, Message(conversation, key, author, at, precision, zone, "message", text)
        changed = values.edits(raw.get("edits"), self._clock)
        files, missing = values.attachments(raw, self._files)
        self.missing_files += missing
        if "body" not in raw and changed.newest is not None:
            text = changed.newest
        reply_to, thread = self._answered(raw, place, key)
        return place, Message(
            conversation=conversation,
            key=key,
            author=author,
            sent_at=at,
            precision=precision,
            zone=zone,
            kind=_kind(kind, raw, author, text),
            text=text or _notice(kind, author),
            reply_to=reply_to,
            thread=thread,
            edited_at=changed.edited_at,
            edits=changed.superseded,
            reactions=values.reactions(raw.get("reactions"), self._people),
            attachments=files,
            extra=self._extra(raw, kind),
        )

    def _moment(self, stamp: Any) -> Moment:
        if stamp is None:
            if self._last is None:
                raise ValueError("an event without a time")
            self.untimed += 1
            return Moment(self._last, "second", "derived")
        found = values.moment(stamp, self._clock)
        self._last = found.at
        return found

    def _key(self, id: str, place: Place) -> str:
        """An id that was counted in one file gets the file's first time with it."""
        return f"{id}@{self._scope}" if not place.is_own and is_counter(id) else id

    def _answered(
        self, raw: dict[str, Any], place: Place, key: str
    ) -> tuple[str | None, str | None]:
        parent = text_id(raw.get("parent"))
        if parent is None:
            return None, None
        reply_to = self._key(parent, place)
        if reply_to == key:
            return None, None
        return reply_to, self._threads.root(place.conversation.id, key, reply_to)

    def _extra(self, raw: dict[str, Any], type: Any) -> dict[str, Any] | None:
        unknown = raw.keys() - _KNOWN
        for name in sorted(unknown):
            count_key(self._unknown, f"events.{name}")
        kept = {k: storable(v) for k, v in raw.items() if k in unknown or k in _KEPT}
        if type != "message":
            kept["type"] = storable(type)
        if raw.get("importance") not in (None, "normal"):
            kept["importance"] = storable(raw["importance"])
        if any(one.get("participant") != raw.get("participant") for one in raw.get("edits") or ()):
            kept["edits"] = storable(raw["edits"])  # somebody else's, whom Message does not name
        return kept or None


def _kind(type: Any, raw: dict[str, Any], author: Author | None, text: str) -> MessageKind:
    if raw.get("deleted") is True:
        return "deleted"
    if type in _SPOKEN or (type not in _NOTICES and author is not None and text):
        return "message"
    return "system"


def _notice(type: Any, author: Author | None) -> str:
    """What an event says that came without words."""
    if not isinstance(type, str) or type in _SPOKEN:
        return ""
    template = _NOTICES.get(type, "An event of a kind that the export does not name")
    return template.format(who="Somebody" if author is None else author.name)
