"""One `chatItem` of a backup becomes a Message."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Author, Conversation, Edit, Message
from infrastructure.readers.json_values import storable
from infrastructure.readers.reading import count_key
from infrastructure.readers.signal import contents
from infrastructure.readers.signal.contents import Content, rich_text, standard
from infrastructure.readers.signal.people import People
from infrastructure.readers.signal.updates import notice
from infrastructure.readers.signal.values import moment, number, text_of

_ITEMS: dict[str, Callable[[dict[str, Any], People], Content]] = {
    "standardMessage": standard,
    "stickerMessage": contents.sticker,
    "contactMessage": contents.contact,
    "remoteDeletedMessage": contents.deleted,
    "adminDeletedMessage": contents.deleted_by_admin,
    "viewOnceMessage": contents.view_once,
    "poll": contents.poll,
    "paymentNotification": contents.payment,
    "giftBadge": contents.gift_badge,
    "directStoryReplyMessage": contents.story_reply,
}
_KEPT = frozenset({"sms", "pinDetails", "expiresInMs", "expireStartDate"})
# When it arrived and who has read it changes from one export to the next: it is not kept.
_DELIVERY = frozenset({"incoming", "outgoing", "directionless"})
_PLAIN_KEYS = _DELIVERY | {"chatId", "authorId", "dateSent", "standardMessage"}
_WITHOUT_EXTRA = _PLAIN_KEYS | _ITEMS.keys() | {"revisions", "updateMessage"}
_KNOWN = _WITHOUT_EXTRA | _KEPT
_STANDARD_KEYS = frozenset(
    {"quote", "text", "attachments", "linkPreview", "longText", "reactions"},
)
_WINDOW = 32_768  # items remembered in order to know one that the file holds twice
_NAMESAKES = 1000  # different items that may share author and millisecond
_REVISIONS = 100_000  # later versions of messages, by which quotes may call them


class ChatItems:
    """
    Messages have no id. Signal itself knows one by its author and the millisecond it was sent,
    and so do quotes. What was edited keeps the time of its first version.
    """

    def __init__(self, people: People, facts: ReadFacts) -> None:
        self._people = people
        self._unknown = facts.unknown_keys
        self._seen: OrderedDict[tuple[str, str], tuple[int, ...]] = OrderedDict()
        self._revised: OrderedDict[tuple[str, str], str] = OrderedDict()

    def convert(self, raw: dict[str, Any], fingerprint: int) -> tuple[Conversation, Message | None]:
        """
        Args:
            fingerprint: the same for the same item only.

        Returns:
            None in place of a message that was there before, to the letter.

        Raises:
            one of reading.MALFORMED: if the item is not what Signal writes.
        """
        people = self._people
        conversation = people.chat(raw["chatId"]).conversation
        if "authorId" in raw:
            author = people.recipient(raw["authorId"]).author
        elif "outgoing" in raw:
            author = people.own
        else:
            raise KeyError("authorId")
        sent = number(raw["dateSent"])
        found = raw.get("standardMessage")
        if found is not None and len(found) == 1 and "text" in found and raw.keys() <= _PLAIN_KEYS:
            text = rich_text(found["text"], people)
            at = moment(sent)
            key = self._key(conversation, f"{author.id}:{sent}", fingerprint)
            if key is None:
                return conversation, None
            return conversation, Message(
                conversation.id, key, author, at, "millisecond", "stated", "message", text
            )
        if "updateMessage" in raw:
            return conversation, self._notice(raw, conversation, author, sent, fingerprint)
        return conversation, self._message(raw, conversation, author, sent, fingerprint)

    def _message(
        self,
        raw: dict[str, Any],
        conversation: Conversation,
        author: Author,
        sent: int,
        fingerprint: int,
    ) -> Message | None:
        content = self._content(raw)
        first = sent
        revisions: list[dict[str, Any]] = raw.get("revisions") or []
        edits = tuple(self._edit(one) for one in revisions)
        if revisions:
            first = number(revisions[0]["dateSent"])
        key = self._key(conversation, f"{author.id}:{first}", fingerprint)
        if key is None:
            return None
        if revisions:
            for later in (*(number(one["dateSent"]) for one in revisions[1:]), sent):
                self._revised[conversation.id, f"{author.id}:{later}"] = key
                if len(self._revised) > _REVISIONS:
                    self._revised.popitem(last=False)
        return Message(
            conversation.id,
            key,
            author,
            moment(first),
            "millisecond",
            "stated",
            content.kind,
            content.text,
            self._answered(content.quote, conversation),
            None,
            moment(sent) if revisions else None,
            edits,
            content.reactions,
            content.attachments,
            self._extra(raw, content),
        )

    def _notice(
        self,
        raw: dict[str, Any],
        conversation: Conversation,
        author: Author,
        sent: int,
        fingerprint: int,
    ) -> Message | None:
        told = notice(raw["updateMessage"], author, self._people)
        # A notice may share its millisecond with the message of the same person beside it.
        key = self._key(conversation, f"{author.id}:{sent}:update", fingerprint)
        about = None
        if told.target is not None:
            about = self._key_of(conversation, told.target[0], told.target[1])
        if key is None:
            return None
        return Message(
            *(conversation.id, key, told.author, moment(sent), "millisecond", "stated"),
            kind="system",
            text=told.text,
            reply_to=about,
            extra=self._extra(raw, None),
        )

    def _content(self, raw: dict[str, Any]) -> Content:
        for name, convert in _ITEMS.items():
            if (found := raw.get(name)) is not None:
                return convert(found, self._people)
        if raw.keys() <= _KNOWN:
            raise ValueError("an item without a content")
        return Content("message", "")  # of a kind that is not known: it is in `extra`

    def _edit(self, raw: dict[str, Any]) -> Edit:
        return Edit(self._content(raw).text, moment(number(raw["dateSent"])))

    def _answered(self, quote: dict[str, Any] | None, conversation: Conversation) -> str | None:
        if quote is None:
            return None
        at = quote.get("targetSentTimestamp")
        if at is None or "authorId" not in quote:
            return None  # Signal did not find the message when it was quoted
        author = self._people.recipient(quote["authorId"]).author
        return self._key_of(conversation, author, at)

    def _key_of(self, conversation: Conversation, author: Author, sent: Any) -> str | None:
        key = f"{author.id}:{number(sent)}"
        return self._revised.get((conversation.id, key), key)

    def _key(self, conversation: Conversation, key: str, fingerprint: int) -> str | None:
        """None for an item that was there before; for a different one, the key with a number."""
        place = conversation.id, key
        before = self._seen.get(place)
        if before is None:
            self._seen[place] = (fingerprint,)
            if len(self._seen) > _WINDOW:
                self._seen.popitem(last=False)
            return key
        if fingerprint in before:
            return None
        if len(before) == _NAMESAKES:
            raise ValueError(f"more than {_NAMESAKES} items of one author in one millisecond")
        self._seen[place] = (*before, fingerprint)
        return f"{key}:{len(before) + 1}"

    def _extra(self, raw: dict[str, Any], content: Content | None) -> dict[str, Any] | None:
        kept: dict[str, Any] = {}
        if content is not None and content.extra is not None:
            kept |= content.extra
        if content is not None and content.quote is not None:
            kept["quote"] = self._quoted(content.quote)
        if not raw.keys() <= _WITHOUT_EXTRA:
            kept |= {name: storable(raw[name]) for name in raw if name in _KEPT}
            self._keep_unknown(kept, raw, _KNOWN, "chatItem")
        found = raw.get("standardMessage")
        if isinstance(found, dict) and not found.keys() <= _STANDARD_KEYS:
            self._keep_unknown(kept, found, _STANDARD_KEYS, "chatItem.standardMessage")
        return kept or None

    def _keep_unknown(
        self, kept: dict[str, Any], raw: dict[str, Any], known: frozenset[str], place: str
    ) -> None:
        for name in sorted(raw.keys() - known):
            count_key(self._unknown, f"{place}.{name}")
            kept[name] = storable(raw[name])

    def _quoted(self, quote: dict[str, Any]) -> dict[str, Any]:
        """What the quotation shows: the message itself may be in the export no more."""
        kept: dict[str, Any] = {"text": rich_text(quote.get("text"), self._people)}
        if files := quote.get("attachments"):
            names = [text_of(one, "fileName") or text_of(one, "contentType") for one in files]
            kept["attachments"] = names
        return kept
