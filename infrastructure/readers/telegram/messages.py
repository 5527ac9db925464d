"""One element of Telegram's `messages` becomes a Message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Author, Conversation, Message, Zone
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock, from_epoch
from infrastructure.readers.reading import count_key
from infrastructure.readers.telegram.entities import Texts
from infrastructure.readers.telegram.media import attachments, described, reactions
from infrastructure.readers.telegram.services import UNSUPPORTED, notice
from infrastructure.readers.telegram.topics import Topics

# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("author", "forwarded_from", "forwarded_from_id", "saved_from", "via_bot", "poll"),
        *("media_type", "contact_information", "location_information", "place_name", "address"),
        *("sticker_emoji", "duration_seconds", "width", "height", "thumbnail", "performer"),
        *("thumbnail_file_size", "discard_reason", "reply_to_peer_id", "inviter", "message_id"),
        *("live_location_period_seconds", "invoice_information", "game_title", "game_link"),
        *("game_description", "self_destruct_period_seconds", "media_spoiler", "score", "amount"),
        *("game_message_id", "invoice_message_id", "currency", "recurring", "values", "distance"),
        *("to", "to_id", "period", "schedule_date", "emoticon", "months", "cost", "button_id"),
        *("peer_id", "peers", "peer_name", "duration", "reason_domain", "reason_app_id"),
        *("reason_app_name", "gift_code", "boost_peer_id", "boost_peer_name", "unclaimed"),
        *("via_giveaway", "winners", "stars", "boosts", "charge_id", "is_unclaimed"),
        *("giveaway_msg_id", "transaction_id", "gift_id", "is_limited", "is_anonymous"),
        *("giveaway_information", "giveaway_results", "paid_stars_amount", "inline_bot_buttons"),
        *("new_icon_emoji_id", "icon_emoji_id", "information_text", "gift_text"),
    }
)
_UNDERSTOOD = frozenset(
    {
        *("id", "type", "date", "date_unixtime", "edited", "edited_unixtime", "from", "from_id"),
        *("actor", "actor_id", "action", "title", "new_title", "members", "text", "file_name"),
        *("text_entities", "reply_to_message_id", "photo", "photo_file_size", "file", "file_size"),
        *("mime_type", "reactions", "contact_vcard", "contact_vcard_file_size"),
    }
)
_KNOWN = _UNDERSTOOD | _KEPT
_PLAIN_KEYS = frozenset(
    {"id", "type", "date", "date_unixtime", "from", "from_id", "text", "text_entities"}
)
_KEPT_NAMES = 100_000  # people, by id
_USERS = 1 << 32  # old files count people from here on,
_CHATS = 2 << 32  # and groups and channels from here on
_DELETED = "Deleted account"


class ChatMessages:
    """Converts the messages of one chat, in file order."""

    def __init__(
        self,
        conversation: Conversation,
        clock: LocalClock,
        facts: ReadFacts,
        sizes: Mapping[str, int],
    ) -> None:
        """
        Args:
            sizes: bytes of the files of the export, by path.
        """
        self._conversation = conversation.id
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._sizes = sizes
        self._keys = ContentKeys()
        self._topics = Topics()
        self._authors: dict[tuple[Any, Any], Author] = {}
        self._names: dict[str, str] = {}
        self._texts = Texts(self._names)
        self._last: datetime | None = None

    def message(self, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what Telegram writes.
        """
        type_ = raw.get("type")
        if type_ == "unsupported":
            return self._unsupported(raw)
        is_service = type_ == "service"
        sent_at, zone = self._time(raw)
        author = self._author(raw, "actor" if is_service and "actor_id" in raw else "from")
        text = notice(raw, self._texts) if is_service else self._texts.of(raw)
        key = raw.get("id")
        if key is None or key == "":
            name = author.name if author else ""
            key = self._keys.key(self._conversation, _written(raw, sent_at), name, text)
        else:
            key = str(key)
        self._last = sent_at
        if raw.keys() <= _PLAIN_KEYS and not self._topics and not is_service:
            self._topics.pass_by(key)
            return Message(
                self._conversation, key, author, sent_at, "second", zone, "message", text
            )
        reply_to, thread = self._topics.place(raw, key, self._conversation)
        return Message(
            self._conversation,
            key,
            author,
            sent_at,
            "second",
            zone,
            "system" if is_service else "message",
            text or described(raw, self._texts),
            reply_to,
            thread,
            self._edited_at(raw, sent_at),
            (),
            reactions(raw["reactions"]) if raw.get("reactions") else (),
            attachments(raw, self._sizes),
            None if raw.keys() <= _UNDERSTOOD else self._extra(raw, is_service=is_service),
        )

    def _unsupported(self, raw: dict[str, Any]) -> Message:
        """Of such a message nothing is written but its number; it was sent after the one before."""
        if self._last is None:
            raise ValueError("of an unsupported kind, without a time")
        known = str(raw["id"])
        return Message(
            *(self._conversation, known, None, self._last, "second", "derived", "system"),
            text=UNSUPPORTED,
            extra=self._extra(raw, is_service=True),
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
        return self._clock.utc_after(local, self._last), self._clock.zone

    def _edited_at(self, raw: dict[str, Any], sent_at: datetime) -> datetime | None:
        if stamp := raw.get("edited_unixtime"):
            return from_epoch(int(stamp))
        edited = raw.get("edited")
        # Old files write the year 1970 for messages that were never edited.
        if not isinstance(edited, str) or edited.startswith("1970-01-01"):
            return None
        local = datetime.fromisoformat(edited)
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        if "date_unixtime" in raw and "date" in raw:
            # The same clock was off by so much when the message was sent.
            away = datetime.fromisoformat(raw["date"]).replace(tzinfo=UTC) - sent_at
            if abs(away) < timedelta(days=1):
                return local.replace(tzinfo=UTC) - away
        return self._clock.utc(local)

    def _extra(self, raw: dict[str, Any], *, is_service: bool) -> dict[str, Any] | None:
        unknown = raw.keys() - _KNOWN
        for name in sorted(unknown):
            count_key(self._unknown, f"messages.{name}")
        kept = {k: storable(v) for k, v in raw.items() if k in unknown or k in _KEPT}
        if not is_service and "title" in raw:
            kept["title"] = storable(raw["title"])  # of a song
        return kept or None

    def _author(self, raw: dict[str, Any], field: str) -> Author | None:
        name = raw.get(field)
        source = raw.get(f"{field}_id")
        try:
            author = self._authors.get((name, source))
        except TypeError:
            author = None  # a value that is neither text nor number
        return author or self._new_author(name, source)

    def _new_author(self, name: Any, source: Any) -> Author | None:
        if name is None and source is None:
            return None
        if source is None:
            author = Author(str(name), str(name))
        else:
            known = source if isinstance(source, str) else _old_id(int(source))
            author = Author(known, str(name) if name else _DELETED)
        if len(self._authors) >= _KEPT_NAMES:
            self._authors.clear()
            self._names.clear()
        if isinstance(name, str | None) and isinstance(source, str | int | None):
            self._authors[name, source] = author
            self._names[author.id] = author.name
        return author


def _written(raw: dict[str, Any], sent_at: datetime) -> str:
    """The time for a key, which another assumed time zone does not change."""
    date = raw.get("date")
    if raw.get("date_unixtime") is None and isinstance(date, str):
        local = datetime.fromisoformat(date)
        return local.replace(tzinfo=local.tzinfo or UTC).astimezone(UTC).isoformat()
    return sent_at.isoformat()


def _old_id(number: int) -> str:
    """As later files write it: old ones have bare numbers in which the kind is a high bit."""
    if _USERS <= number < _CHATS:
        return f"user{number - _USERS}"
    if _CHATS <= number < _CHATS + _USERS:
        return f"channel{number - _CHATS}"
    return f"user{number}"
