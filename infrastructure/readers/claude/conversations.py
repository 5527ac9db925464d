"""One conversation: its title, and its messages with their places in the tree that they form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from application.ports.chat_reader import ReadFacts, ReadItem, ReadWarning
from domain.message import Conversation
from infrastructure.readers.ai_conversations.accounts import Accounts
from infrastructure.readers.ai_conversations.documents import Found, unpacked
from infrastructure.readers.claude.messages import ConversationMessages
from infrastructure.readers.claude.people import human
from infrastructure.readers.claude.places import Places
from infrastructure.readers.json_cursor import Unparsed
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED, count_key

PART = "chat_messages"
_UNTITLED = "Untitled"  # as Claude calls them
_KNOWN = frozenset(
    {
        *("uuid", "name", "summary", "created_at", "updated_at", "account", "chat_messages"),
        *("settings", "is_starred", "is_temporary", "current_leaf_message_uuid", "model"),
        *("conversation_id", "project", "project_uuid", "platform", "last_read_at", "effort"),
        *("organization_id", "session_id", "user_uuid", "title"),
    }
)


class Source(NamedTuple):
    """What the conversations of an export share."""

    accounts: Accounts
    clock: LocalClock
    facts: ReadFacts


def conversation_items(file: str, source: Source, found: Found) -> Iterator[ReadItem]:
    """
    The conversation and its messages in the file's order, which is that of time. Messages beside
    the path to `current_leaf_message_uuid`, or to the last message, say so in `extra`.
    """
    raw = found.raw
    elements = raw.get(PART) if isinstance(raw, dict) else None
    if not isinstance(elements, list):
        reason = raw.reason if isinstance(raw, Unparsed) else "not a conversation of Claude"
        yield ReadWarning(file, found.element, f"{reason}; skipped")
        return
    for name in sorted(raw.keys() - _KNOWN):
        count_key(source.facts.unknown_keys, f"conversations.{name}")
    conversation = _conversation(raw, found.element)
    yield conversation
    person = human(source.accounts, raw.get("account"), file)
    begun = _begun(raw, elements)
    messages = ConversationMessages(conversation.id, person, begun, source.clock, source.facts)
    places = Places(elements, raw.get("current_leaf_message_uuid"))
    for element in elements:
        try:
            one = _object(element)
            key = one.get("uuid")
            if places.is_told(key):
                raise ValueError("its uuid is that of an earlier one")
            message = messages.message(one, places.answered(one), places.branch(key))
        except MALFORMED as error:
            reason = f"{conversation.title}: a message that is not as Claude writes it"
            yield ReadWarning(file, found.element, f"{reason} ({error!r}); skipped")
            continue
        places.told(key)
        yield message
    if places.is_circular:
        reason = f"{conversation.title}: its messages answer each other in a circle"
        yield ReadWarning(file, found.element, f"{reason}, which was cut")


def _conversation(raw: dict[str, Any], element: int | None) -> Conversation:
    name = raw.get("name")
    name = name.strip() if isinstance(name, str) else ""
    known = raw.get("uuid")
    known = known if isinstance(known, str) and known else name or f"Conversation {element or 1}"
    return Conversation(known, name or _UNTITLED, "ai")


def _begun(raw: dict[str, Any], elements: list[Any]) -> Any:
    """When it began as written, for messages without a time; else as the first one has it."""
    stated = raw.get("created_at")
    if isinstance(stated, str) and stated:
        return stated
    values = (unpacked(element) for element in elements)
    times = (one.get("created_at") for one in values if isinstance(one, dict))
    return next((time for time in times if isinstance(time, str) and time), None)


def _object(element: Any) -> dict[str, Any]:
    value = unpacked(element)
    if isinstance(value, Unparsed):
        raise ValueError(value.reason)  # noqa: TRY004 - it says why the value is not there
    if not isinstance(value, dict):
        raise TypeError(f"a message is {type(value).__name__}")
    return value
