"""The conversations of a manifest."""

from __future__ import annotations

from typing import Any, NamedTuple, get_args

from application.ports.chat_reader import ReadFacts
from domain.message import Conversation, ConversationKind
from infrastructure.readers.reading import count_key
from infrastructure.readers.rsmf.identity import is_counter, text_id, text_or_none
from infrastructure.readers.rsmf.own import CONVERSATION, own_value
from infrastructure.readers.rsmf.people import People

_CONVERSATIONS_KEPT = 200_000
_NAMES_IN_A_TITLE = 5
_NOWHERE = Conversation("(no conversation)", "Events of no conversation", "unknown")
_KINDS = frozenset(get_args(ConversationKind))
_KNOWN = frozenset(
    {"id", "display", "platform", "type", "participants", "custodian", "custom", "icon"}
)


class Place(NamedTuple):
    """Where an event belongs."""

    conversation: Conversation
    is_own: bool  # written by Chatledger: ids are the source's own


class Conversations:
    """By the ids that events name them with."""

    def __init__(self, facts: ReadFacts) -> None:
        self._unknown = facts.unknown_keys
        self._raw: list[tuple[str, dict[str, Any]]] = []
        self._places: dict[str | None, Place] = {}

    def add(self, raw: dict[str, Any]) -> None:
        """
        Raises:
            one of reading.MALFORMED: if it is no conversation.
        """
        for name in raw.keys() - _KNOWN:
            count_key(self._unknown, f"conversations.{name}")
        id = text_id(raw.get("id"))
        if id is None:
            raise ValueError("a conversation without an id")
        if len(self._raw) < _CONVERSATIONS_KEPT:
            self._raw.append((id, raw))

    def settle(self, people: People) -> list[Place]:
        """
        Call it once all participants are known; of two conversations with one id the first counts.

        Raises:
            one of reading.MALFORMED: if one of Chatledger's own properties is no such.
        """
        for id, raw in self._raw:
            if id not in self._places:
                self._places[id] = _place(id, raw, people)
        self._raw.clear()
        listed = list(self._places.values())
        # An event need not say where it belongs if there is only one place.
        self._places[None] = listed[0] if len(listed) == 1 else Place(_NOWHERE, is_own=False)
        return listed

    def place(self, id: str | None) -> Place:
        """Of one that is not listed, its id is all that is known."""
        place = self._places.get(id)
        if place is None:
            name = id or ""
            place = Place(Conversation(name, name, "unknown"), is_own=False)
            if len(self._places) < _CONVERSATIONS_KEPT:
                self._places[id] = place
        return place


def _place(id: str, raw: dict[str, Any], people: People) -> Place:
    own = own_value(raw.get("custom"), CONVERSATION)
    if own is not None:
        return Place(_own_conversation(own), is_own=True)
    display = text_or_none(raw.get("display"))
    participants = raw.get("participants")
    names = people.names(participants)
    title = display or ", ".join(names[:_NAMES_IN_A_TITLE]) or id
    if len(names) > _NAMES_IN_A_TITLE and display is None:
        title += ", …"
    known = f"{title} ({id})" if is_counter(id) and title != id else id
    return Place(Conversation(known, title, _kind(raw.get("type"), participants)), is_own=False)


def _kind(type: Any, participants: Any) -> ConversationKind:
    """RSMF calls all direct whose members do not change, also a group of many."""
    if type == "channel":
        return "channel"
    if type != "direct":
        return "unknown"
    return "group" if isinstance(participants, list) and len(participants) > 2 else "direct"


def _own_conversation(own: dict[str, Any]) -> Conversation:
    id, title, kind = own["id"], own["title"], own["kind"]
    if not isinstance(id, str) or not isinstance(title, str) or kind not in _KINDS:
        raise ValueError(f"{CONVERSATION} is not what Chatledger writes")
    return Conversation(id, title, kind)
