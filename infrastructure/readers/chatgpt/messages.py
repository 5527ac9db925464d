"""One node of a conversation's `mapping` becomes a Message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Author, Message, MessageKind
from infrastructure.readers.chatgpt import contents, metadata
from infrastructure.readers.chatgpt.assets import attachments
from infrastructure.readers.chatgpt.citations import resolved
from infrastructure.readers.json_values import storable
from infrastructure.readers.reading import count_key
from infrastructure.readers.stamps import parse_stamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253_402_300_799  # of the year 9999
USER = Author("user", "User")
_AUTHORS = {
    "assistant": Author("assistant", "ChatGPT"),
    "system": Author("system", "System"),
    "tool": Author("tool", "Tool"),
}
# What ChatGPT tells itself or notes beside the conversation: nobody says it to anybody.
_ASIDE = frozenset(
    {
        *("thoughts", "reasoning_recap", "user_editable_context", "model_editable_context"),
        "system_error",
    }
)
_NODE_KEYS = frozenset({"id", "parent", "children", "message"})
_UNDERSTOOD = frozenset(
    {
        *("id", "author", "create_time", "content", "metadata", "end_turn"),
        *("status", "weight", "recipient", "channel", "update_time"),
    }
)
# Said of nearly every message, and worth nothing then.
_USUAL: dict[str, tuple[Any, ...]] = {
    "status": ("finished_successfully", "finished", None),
    "weight": (1, None),
    "recipient": ("all", None),
    "channel": (None,),
    "update_time": (None,),
}


class ConversationMessages:
    """
    Converts the messages of one conversation; a parent must come before its children.

    `extra` has, beside what ChatGPT writes: `branch`, on messages that are not on the path that
    ChatGPT shows: the key of the first message of that branch; `model_slug`; `content_type`, if
    it is not text; `author_name`, the name of a tool; `content`, what the text does not tell of
    the content; `metadata`.
    """

    def __init__(
        self, conversation: str, user: Author, begun: datetime | None, facts: ReadFacts
    ) -> None:
        """
        Args:
            begun: when the conversation began, for messages before any that have a time.
        """
        self._authors = {**_AUTHORS, "user": user}
        self._conversation = conversation
        self._begun = begun
        self._unknown = facts.unknown_keys
        # Of each node, or the nearest above it that has one: the message that an answer is to,
        # and the time.
        self._answered: dict[str, str | None] = {}
        self._times: dict[str, datetime | None] = {}

    def message(
        self, key: str, node: dict[str, Any], parent: str | None, branch: str | None
    ) -> Message | None:
        """
        None if the node holds no message, as the root does.

        Args:
            parent: the id of the node above.
            branch: the key of the branch's first message; None on the path that is shown.

        Raises:
            one of reading.MALFORMED: if the node is not what ChatGPT writes.
        """
        above = self._answered.get(parent) if parent is not None else None
        before = self._times.get(parent) if parent is not None else None
        self._answered[key] = above
        self._times[key] = before
        raw = node.get("message")
        if raw is None:
            return None
        content, about = raw["content"], raw.get("metadata") or {}
        stated = moment(raw.get("create_time"))
        sent_at = stated or before or self._begun
        if sent_at is None:
            raise ValueError("neither it nor its conversation has a time")
        form = content["content_type"]
        role = raw["author"]["role"]
        text = resolved(contents.text_of(content, form), about.get("content_references"))
        if not text and form == "user_editable_context":
            text = _instructions(about)
        kind: MessageKind = "message"
        if (
            role == "system"
            or form in _ASIDE
            or about.get("is_visually_hidden_from_conversation")
            or about.get("is_user_system_message")
        ):
            kind = "system"
        files = attachments(contents.objects_in(content), about.get("attachments"))
        message = Message(
            conversation=self._conversation,
            key=key,
            author=self._authors.get(role) or _other_author(role),
            sent_at=sent_at,
            precision="microsecond",
            zone="stated" if stated is not None else "derived",
            kind=kind,
            text=text,
            reply_to=above,
            attachments=files,
            extra=self._extra(key, node, branch),
        )
        if kind == "message" and (files or text.strip()):
            self._answered[key] = key
        self._times[key] = sent_at
        return message

    def _extra(self, key: str, node: dict[str, Any], branch: str | None) -> dict[str, Any] | None:
        raw: dict[str, Any] = node["message"]
        author: dict[str, Any] = raw["author"]
        content: dict[str, Any] = raw["content"]
        about: dict[str, Any] = raw.get("metadata") or {}
        kept: dict[str, Any] = {}
        if branch is not None:
            kept["branch"] = branch
        if about.get("model_slug"):
            kept["model_slug"] = about["model_slug"]
        if content["content_type"] != "text":
            kept["content_type"] = content["content_type"]
            if not contents.is_known(content["content_type"]):
                count_key(self._unknown, f"content_types.{content['content_type'][:100]}")
        if author.get("name"):
            kept["author_name"] = author["name"]
        if author.get("metadata"):
            kept["author_metadata"] = author["metadata"]
        if raw.get("id", key) != key:
            kept["message_id"] = raw["id"]
        for name, usual in _USUAL.items():
            if name in raw and raw[name] not in usual:
                kept[name] = raw[name]
        if rest := contents.left_over(content, content["content_type"]):
            kept["content"] = rest
        rest, unknown = metadata.left_over(about)
        if rest:
            kept["metadata"] = rest
        for name in unknown:
            count_key(self._unknown, f"metadata.{name}")
        self._keep_unknown(kept, raw, _UNDERSTOOD, "messages")
        self._keep_unknown(kept, node, _NODE_KEYS, "nodes")
        return {name: storable(value) for name, value in kept.items()} or None

    def _keep_unknown(
        self, kept: dict[str, Any], raw: dict[str, Any], known: frozenset[str], place: str
    ) -> None:
        if raw.keys() <= known:
            return
        for name in sorted(raw.keys() - known):
            count_key(self._unknown, f"{place}.{name}")
            kept.setdefault(name, raw[name])


def moment(value: Any) -> datetime | None:
    """
    ChatGPT's seconds since 1970, with a fraction; None and 0 are no time.

    Raises:
        TypeError, ValueError, OverflowError: if it is something else.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return parse_stamp(value, "ymd", None).at
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"the time is {type(value).__name__}")
    if value == 0:
        return None
    if not 0 < value <= _LAST_SECOND:
        raise OverflowError(f"{value} seconds since 1970 are no time of ours")
    return _EPOCH + timedelta(microseconds=round(value * 1_000_000))


def _other_author(role: Any) -> Author:
    if not isinstance(role, str) or not role.strip():
        raise TypeError(f"the role is no name but {type(role).__name__}")
    return Author(role, role.capitalize())


def _instructions(about: dict[str, Any]) -> str:
    """Custom instructions, which lie in the metadata since 2024."""
    data = about.get("user_context_message_data")
    if not isinstance(data, dict):
        return ""
    said = (data.get("about_user_message"), data.get("about_model_message"))
    return "\n".join(text for text in said if isinstance(text, str) and text)
