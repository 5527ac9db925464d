"""One conversation: its title, and its messages along the tree that they form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from application.ports.chat_reader import ReadFacts, ReadItem, ReadWarning
from domain.message import Author, Conversation
from infrastructure.readers.ai_conversations.documents import Found, unpacked
from infrastructure.readers.ai_conversations.tree import Tree
from infrastructure.readers.chatgpt.messages import ConversationMessages, moment
from infrastructure.readers.json_cursor import Unparsed
from infrastructure.readers.reading import MALFORMED, count_key

PART = "mapping"
_UNTITLED = "New chat"  # as ChatGPT calls them
_KNOWN = frozenset(
    {
        *("id", "conversation_id", "title", "create_time", "update_time", "mapping"),
        *("current_node", "moderation_results", "plugin_ids", "conversation_template_id"),
        *("gizmo_id", "gizmo_type", "is_archived", "is_starred", "safe_urls", "blocked_urls"),
        *("default_model_slug", "conversation_origin", "voice", "async_status", "is_read_only"),
        *("disabled_tool_ids", "is_do_not_remember", "memory_scope", "context_scopes"),
        *("sugar_item_id", "sugar_item_visible", "pinned_time", "is_study_mode", "owner"),
        *("is_temporary_chat", "snorlax_id", "workspace_id", "kind", "author", "textdocs"),
        *("atlas_mode_enabled", "conversation_mode", "branching_from_conversation_id"),
        *("branching_from_conversation_title", "branching_from_conversation_owner"),
    }
)


def conversation_items(
    file: str, user: Author, facts: ReadFacts, found: Found
) -> Iterator[ReadItem]:
    """
    The conversation, its path from the first message to `current_node`, then the other branches
    (earlier wordings, other answers), which say so in `extra`.

    Where a file breaks inside a conversation, or it names no current node, the path is the one
    to its newest message. What comes after the break is missing then, often also the id: the
    title stands in for it.

    Args:
        user: who wrote as the conversation's user.
    """
    raw = found.raw
    mapping = raw.get(PART) if isinstance(raw, dict) else None
    if not isinstance(mapping, dict):
        reason = raw.reason if isinstance(raw, Unparsed) else "not a conversation of ChatGPT"
        yield ReadWarning(file, found.element, f"{reason}; skipped")
        return
    for name in sorted(raw.keys() - _KNOWN):
        count_key(facts.unknown_keys, f"conversations.{name}")
    conversation = _conversation(raw, found.element)
    yield conversation
    tree = _tree(mapping)
    messages = ConversationMessages(conversation.id, user, _begun(raw), facts)
    current = raw.get("current_node")
    if not isinstance(current, str) or current not in tree.parents:
        current = _newest(tree, mapping)
    for number, line in enumerate(tree.lines(current)):
        branch: str | None = None
        for key in line:
            first = (branch or key) if number else None
            try:
                node = _node(mapping, key)
                message = messages.message(key, node, tree.parents[key], first)
            except MALFORMED as error:
                reason = f"{conversation.title}: a message that is not as ChatGPT writes it"
                yield ReadWarning(file, found.element, f"{reason} ({error!r}); skipped")
                continue
            if message is not None:
                branch = first
                yield message
    if tree.is_circular:
        reason = f"{conversation.title}: its messages answer each other in a circle"
        yield ReadWarning(file, found.element, f"{reason}, which was cut")


def _conversation(raw: dict[str, Any], element: int | None) -> Conversation:
    title = raw.get("title")
    title = title.strip() if isinstance(title, str) else ""
    ids = (raw.get("id"), raw.get("conversation_id"))
    known = next((one for one in ids if isinstance(one, str) and one), None)
    known = known or title or f"Conversation {element or 1}"
    return Conversation(known, title or _UNTITLED, "ai")


def _begun(raw: dict[str, Any]) -> datetime | None:
    """When it began, if it says so; else the first time that any of its messages has."""
    for key in ("create_time", "update_time"):
        try:
            at = moment(raw.get(key))
        except MALFORMED:
            continue
        if at is not None:
            return at
    times = [time for node in raw[PART].values() if (time := _time_of(unpacked(node))) > 0]
    return moment(min(times)) if times else None


def _node(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    node = unpacked(mapping[key])
    if isinstance(node, Unparsed):
        raise ValueError(node.reason)  # noqa: TRY004 - it says why the value is not there
    if not isinstance(node, dict):
        raise TypeError(f"a node is {type(node).__name__}")
    return node


def _tree(mapping: dict[str, Any]) -> Tree:
    stated: dict[str, Any] = {}
    listed: dict[str, list[Any]] = {}
    for key, value in mapping.items():
        node = unpacked(value)
        is_node = isinstance(node, dict)
        stated[key] = node.get("parent") if is_node else None
        children = node.get("children") if is_node else None
        if isinstance(children, list):
            listed[key] = children
    return Tree(stated, listed)


def _newest(tree: Tree, mapping: dict[str, Any]) -> str | None:
    """Of the messages that nobody answers the one with the latest time; the last of equals."""
    newest: str | None = None
    latest = -1.0
    for key in tree.leaves():
        time = _time_of(unpacked(mapping[key]))
        if time >= latest:
            newest, latest = key, time
    return newest


def _time_of(node: Any) -> float:
    """As its message states it; 0 if it states none that can be."""
    message = node.get("message") if isinstance(node, dict) else None
    time = message.get("create_time") if isinstance(message, dict) else None
    try:
        at = moment(time)
    except MALFORMED:
        return 0.0
    return at.timestamp() if at is not None else 0.0
