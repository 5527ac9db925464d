"""One element of `chat_messages` becomes a Message."""

from __future__ import annotations

from typing import Any

from application.ports.chat_reader import ReadFacts
from domain.message import Author, Message
from infrastructure.readers.claude import files
from infrastructure.readers.claude.contents import blocks_of, says_more, text_beside
from infrastructure.readers.claude.people import ASSISTANT
from infrastructure.readers.content_keys import ContentKeys
from infrastructure.readers.json_values import storable
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import count_key
from infrastructure.readers.stamps import parse_stamp

_UNDERSTOOD = frozenset(
    {
        *("uuid", "sender", "text", "content", "created_at", "updated_at", "attachments", "files"),
        *("files_v2", "parent_message_uuid", "index", "truncated"),
    }
)
# Understood, and kept because a Message has no place of its own for them.
_KEPT = frozenset(
    {
        *("model", "stop_reason", "input_mode", "chat_feedback", "sync_sources", "metadata"),
        *("nOptions", "selectedOption", "compaction_summary"),
    }
)


class ConversationMessages:
    """
    Converts the messages of one conversation, in the file's order.

    `extra` has, beside what Claude writes: `branch`, on messages that are not on the path that
    Claude shows: the key of the first message of that branch; `content`, the blocks that are no
    text; `citations`, those of the text blocks; `text`, where that field differs from the
    blocks; `attachments` and `files`, what is known of them beside name and size.
    """

    def __init__(
        self,
        conversation: str,
        human: Author,
        begun: Any,
        clock: LocalClock,
        facts: ReadFacts,
    ) -> None:
        """
        Args:
            begun: the conversation's `created_at`, for messages that have no time themselves.
        """
        self._conversation = conversation
        self._human = human
        self._before = begun
        self._clock = clock
        self._unknown = facts.unknown_keys
        self._keys = ContentKeys()

    def message(self, raw: dict[str, Any], reply_to: str | None, branch: str | None) -> Message:
        """
        Args:
            branch: the key of the branch's first message; None on the path that is shown.

        Raises:
            one of reading.MALFORMED: if the element is not what Claude writes.
        """
        stated = raw.get("created_at")
        written = stated or self._before
        at, precision, zone, _ = parse_stamp(written, "ymd", self._clock)
        sender = raw["sender"]
        blocks = blocks_of(raw)
        beside = text_beside(raw)
        text = blocks.text or beside
        author = self._author(sender)
        key = raw.get("uuid")
        if not isinstance(key, str) or not key:
            key = self._keys.key(self._conversation, written, author.id, text)
        attached = files.attachments(raw)
        kept = self._kept(raw)
        if branch is not None:
            kept["branch"] = branch
        if blocks.others:
            kept["content"] = blocks.others
        if blocks.citations:
            kept["citations"] = blocks.citations
        if says_more(beside, text):
            kept["text"] = beside
        if attached:
            kept |= files.details(raw)
        for name in blocks.unknown:
            count_key(self._unknown, name)
        self._before = written
        return Message(
            conversation=self._conversation,
            key=key,
            author=author,
            sent_at=at,
            precision=precision,
            zone=zone if stated else "derived",
            kind="system" if sender == "system" else "message",
            text=text,
            reply_to=reply_to,
            attachments=attached,
            extra={name: storable(value) for name, value in kept.items()} or None,
        )

    def _author(self, sender: Any) -> Author:
        if sender == "human":
            return self._human
        if sender == "assistant":
            return ASSISTANT
        if not isinstance(sender, str) or not sender.strip():
            raise TypeError(f"the sender is no name but {type(sender).__name__}")
        return Author(sender, sender.capitalize())

    def _kept(self, raw: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in raw.items():
            if name in _KEPT:
                if value not in (None, "", [], {}):
                    kept[name] = value
            elif name not in _UNDERSTOOD:
                count_key(self._unknown, f"messages.{name}")
                kept[name] = value
        if raw.get("truncated"):
            kept["truncated"] = raw["truncated"]
        # Feedback, too, changes this time: it need not be that of an edit.
        if (updated := raw.get("updated_at")) and updated != raw.get("created_at"):
            kept["updated_at"] = updated
        return kept
