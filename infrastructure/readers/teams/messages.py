"""A `chatMessage` of Microsoft Graph becomes a Message."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Edit, Message, MessageKind, Reaction, Zone
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.html_text import HtmlText, Image, plain_text
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock, from_epoch
from infrastructure.readers.microsoft.identities import without_names
from infrastructure.readers.reading import count_key
from infrastructure.readers.teams.attachments import attached, hosted, pictures, unplaced
from infrastructure.readers.teams.events import event_text, without_people
from infrastructure.readers.teams.people import People
from infrastructure.readers.teams.spelling import flat

_UNDERSTOOD = frozenset(
    {
        *("id", "replyToId", "etag", "messageType", "createdDateTime", "lastModifiedDateTime"),
        *("lastEditedDateTime", "subject", "chatId", "locale", "from", "body", "channelIdentity"),
        *("reactions", "hostedContents", "replies", "isDeleted", "scope", "tenantId"),
        "mentions",  # the text names who is mentioned
    }
)
# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("summary", "importance", "policyViolation", "webUrl", "deletedDateTime", "attachments"),
        *("messageHistory", "eventDetail", "onBehalfOf", "additionalProperties"),
    }
)
_KNOWN = _UNDERSTOOD | _KEPT
_EVENTS = frozenset({"systemEventMessage", "unknownFutureValue"})
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_POWERSHELL = re.compile(r"/Date\((-?\d{1,15})\)/")  # of Windows, which writes times so


class MessageConverter:
    """Converts messages whose keys are spelled as Graph does."""

    def __init__(self, people: People, clock: LocalClock, facts: ReadFacts) -> None:
        self._people = people
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()

    def begin(self) -> None:
        """Equal messages without ids are counted anew."""
        self._keys = ContentKeys()

    def key(self, conversation: str, raw: dict[str, Any]) -> str:
        """
        Raises:
            TypeError: if the id is neither text nor number.
        """
        known = raw.get("id")
        if known is None or known == "":
            author = self._people.author(raw.get("from"))
            written = (str(raw.get("createdDateTime")), author.id if author else "")
            return self._keys.key(conversation, *written, str(raw.get("body")))
        if isinstance(known, bool) or not isinstance(known, str | int):
            raise TypeError(f"id is {type(known).__name__}")
        return str(known)

    def message(self, conversation: str, key: str, raw: dict[str, Any]) -> Message:
        """
        Raises:
            one of reading.MALFORMED: if the element is not what Teams writes.
        """
        sent_at, zone = self._time(raw)
        author = self._people.author(raw.get("from"))
        kind = raw.get("messageType")
        detail = raw.get("eventDetail")
        if detail is not None or (author is None and kind in _EVENTS):
            actor = flat(detail).get("initiator") if detail is not None else None
            return Message(
                *(conversation, key, author or self._people.author(actor), sent_at),
                *("millisecond", zone, "system", event_text(detail, self._people)),
                thread=_other(raw.get("replyToId"), key),
                extra=self._extra(raw),
            )
        text, images = self._body(raw)
        files = pictures(images)
        reply_to = None
        if raw.get("attachments"):
            found = attached(raw["attachments"], self._people)
            files = found.files + files
            reply_to = found.reply_to
            text = "\n".join(line for line in (text, *found.lines) if line)
        if raw.get("hostedContents") and not images:
            files += hosted(raw["hostedContents"])
        subject = raw.get("subject")
        if isinstance(subject, str) and subject.strip():
            text = f"{subject.strip()}\n{text}" if text else subject.strip()
        is_deleted = raw.get("deletedDateTime") is not None or raw.get("isDeleted") is True
        result: MessageKind = "deleted" if is_deleted else "message"
        return Message(
            conversation=conversation,
            key=key,
            author=author,
            sent_at=sent_at,
            precision="millisecond",
            zone=zone,
            kind=result,
            text=text,
            reply_to=_other(reply_to, key),
            thread=_other(raw.get("replyToId"), key),
            edited_at=self._moment(raw.get("lastEditedDateTime")),
            edits=self._edits(raw["messageHistory"]) if raw.get("messageHistory") else (),
            reactions=self._reactions(raw["reactions"]) if raw.get("reactions") else (),
            attachments=tuple(files),
            extra=self._extra(raw),
        )

    def _body(self, raw: dict[str, Any]) -> tuple[str, list[Image]]:
        body = raw.get("body")
        if body is None:
            return "", []
        given = flat(body)
        content = given.get("content")
        if content is None:
            return "", []
        if not isinstance(content, str):
            raise TypeError(f"content is {type(content).__name__}")
        if given.get("contentType") == "text":
            return content.replace("\r\n", "\n"), []
        if "<" not in content:
            return plain_text(content), []
        people = _mentioned(raw["mentions"]) if raw.get("mentions") else None
        found = HtmlText(content, people=people)
        return found.text, found.images

    def _time(self, raw: dict[str, Any]) -> tuple[datetime, Zone]:
        """When it was written; else what the id says, which is the time, too."""
        written = raw.get("createdDateTime")
        if written is not None:
            if match := _POWERSHELL.fullmatch(written):
                return _from_milliseconds(int(match[1])), "stated"
            at = datetime.fromisoformat(written)
            if at.year < 1970:
                raise OverflowError(f"{written} is before 1970")
            if at.tzinfo is None:
                return self._clock.utc(at), self._clock.zone
            return at.astimezone(UTC), "stated"
        return _from_milliseconds(int(raw["id"])), "derived"

    def _moment(self, written: Any) -> datetime | None:
        """None also for the year 1, which is how .NET writes “never”."""
        if written is None or (isinstance(written, str) and written.startswith("0001-")):
            return None
        return self._time({"createdDateTime": written})[0]

    def _edits(self, raw: Any) -> tuple[Edit, ...]:
        """Versions in the history; mostly it has nothing but reactions."""
        found: list[Edit] = []
        for one in raw:
            given = flat(one)
            if given.get("body") is not None:
                at = self._moment(given.get("modifiedDateTime"))
                found.append(Edit(self._body(given)[0], at))
        # Nobody promises an order; those without a time come first.
        return tuple(sorted(found, key=lambda edit: (edit.at is not None, edit.at or _BEGINNING)))

    def _reactions(self, raw: Any) -> tuple[Reaction, ...]:
        """Of each kind those who reacted, in the order in which the kinds first occur."""
        authors: dict[str, list[str]] = {}
        for one in raw:
            given = flat(one)
            value = given.get("reactionType")
            if value == "custom":
                value = given.get("displayName") or value
            author = self._people.author(given.get("user"))
            authors.setdefault(str(value), []).append(author.id if author else "")
        return tuple(
            Reaction(value, tuple(id for id in ids if id), len(ids))
            for value, ids in authors.items()
        )

    def _extra(self, raw: dict[str, Any]) -> dict[str, Any] | None:
        kept: dict[str, Any] = {}
        for name, value in raw.items():
            if name in _UNDERSTOOD or name.startswith("@odata."):
                continue
            if name not in _KEPT:
                count_key(self._unknown, f"messages.{name}")
                kept[name] = storable(value)
            elif left := _unplaced(name, value):
                kept[name] = storable(left)
        return kept or None


def _unplaced(name: str, value: Any) -> Any:
    """What a value says that has no place in a Message, without the names of others."""
    if not value or (name == "importance" and value == "normal"):
        return None
    match name:
        case "attachments":
            return unplaced(value)
        case "eventDetail":
            return without_names(without_people(value))
        case _:
            return without_names(value)


def _other(known: Any, key: str) -> str | None:
    """A message's key, if it is one and not the message's own."""
    if known is None or isinstance(known, bool) or not isinstance(known, str | int):
        return None
    text = str(known)
    return None if text in ("", "0", key) else text


def _from_milliseconds(number: int) -> datetime:
    return from_epoch(number // 1000).replace(microsecond=number % 1000 * 1000)


def _mentioned(raw: Any) -> dict[str, str]:
    """Who is meant by the numbers of mentions; a name may be several in a row."""
    found: dict[str, str] = {}
    for one in raw:
        given = flat(one)
        who = flat(given.get("mentioned") or {})
        for identity in who.values():
            if isinstance(identity, dict) and isinstance(id := flat(identity).get("id"), str):
                found[str(given.get("id"))] = id
                break
    return found
