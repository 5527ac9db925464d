"""What a conversation is called, and what kind of conversation it is."""

from __future__ import annotations

from typing import Any

from domain.message import Conversation, ConversationKind
from infrastructure.readers.microsoft.inner_json import parsed
from infrastructure.readers.microsoft.words import listed
from infrastructure.readers.skype.people import People

# By the beginning of the id: people, those in other networks and on the telephone, and bots.
_KINDS: dict[str, ConversationKind] = {
    "19": "group",
    **dict.fromkeys(("1", "2", "4", "8", "28"), "direct"),
}
_LISTS = {
    "48:calllogs": "Call log",
    "48:notes": "Notes",
    "48:drafts": "Drafts",
    "48:mentions": "Mentions",
    "48:saved": "Saved messages",
    "48:notifications": "Notifications",
    "48:threads": "Threads",
    "48:starred": "Bookmarks",
}


def conversation_of(header: dict[str, Any], fallback: Any, people: People) -> Conversation:
    """
    Args:
        header: the keys of the conversation beside its messages.
        fallback: the conversation that its first message names.
    """
    known = _text(header.get("id")) or _text(fallback)
    thread = header.get("threadProperties")
    thread = thread if isinstance(thread, dict) else {}
    named = _text(header.get("displayName")) or _text(thread.get("topic"))
    if not named:
        members = _members(thread.get("members"))
        named = listed([people.name(one) for one in members])
    title = named or _LISTS.get(known) or (people.name(known) if known else "Conversation")
    return Conversation(known or title, title, _kind(known, thread))


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _kind(known: str, thread: dict[str, Any]) -> ConversationKind:
    if known.endswith("@unq.gbl.spaces") or thread.get("productThreadType") == "OneToOneChat":
        return "direct"
    return _KINDS.get(known.partition(":")[0], "unknown")


def _members(value: Any) -> list[str]:
    """A list of ids, or of objects with them, or a text with such JSON."""
    value = parsed(value) if isinstance(value, str) else value
    found: list[str] = []
    for one in value if isinstance(value, list) else ():
        id = one.get("MemberMri") or one.get("id") if isinstance(one, dict) else one
        if isinstance(id, str) and id:
            found.append(id)
    return found
