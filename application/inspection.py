"""What an export holds, in numbers. Pure: it only counts what a reader yields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from application.ports.chat_reader import ReadFacts, ReadItem, ReadWarning
from domain.message import READING_ENDED, Conversation, ConversationKind, Message

WARNINGS_KEPT = 1000
CONVERSATIONS_KEPT = 10_000
AUTHORS_COUNTED = 1_000_000
_UNKNOWN_KEYS_KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedConversation:
    id: str
    title: str
    kind: ConversationKind
    messages: int  # without system notices


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectionWarning:
    file: str
    line: int | None  # 1-based; for JSON lists the element
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The answer of `chatledger inspect --json`, field by field."""

    format: str
    conversations: tuple[InspectedConversation, ...]  # in the export's order
    messages: int  # without system notices
    system: int  # notices
    authors: int  # distinct senders of messages
    first: str | None  # ISO 8601 in UTC, of messages
    last: str | None
    timezone: str | None
    zones: dict[str, int]  # messages whose offset is stated, derived or assumed
    date_order: str | None
    owner: str | None  # name of whom the export belongs to, where it says so
    attachments: int
    columns: dict[str, str]  # of tables: our field -> their column
    warnings: tuple[InspectionWarning, ...]
    unknown_keys: dict[str, int]


class Inspector:
    """Counts items as they pass. Memory is bounded: what is beyond the limits is only counted."""

    def __init__(self, *, warnings_kept: int = WARNINGS_KEPT) -> None:
        self._warnings_kept = warnings_kept
        self._conversations: dict[str, list[Any]] = {}  # id -> [Conversation, messages]
        self._unlisted = 0  # messages of conversations beyond the limit
        self._messages = 0
        self._system = 0
        self._attachments = 0
        self._zones: dict[str, int] = {}
        self._authors: set[str] = set()
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._warnings: list[InspectionWarning] = []
        self._dropped = 0

    def add(self, item: ReadItem) -> None:
        if isinstance(item, Message):
            self._add_message(item)
        elif isinstance(item, ReadWarning):
            self._add_warning(item)
        elif len(self._conversations) < CONVERSATIONS_KEPT:
            self._conversations.setdefault(item.id, [item, 0])

    def _add_message(self, message: Message) -> None:
        self._attachments += len(message.attachments)
        self._zones[message.zone] = self._zones.get(message.zone, 0) + 1
        if message.kind == "system":
            self._system += 1
            return
        self._messages += 1
        listed = self._conversations.get(message.conversation)
        if listed is None:
            self._unlisted += 1
        else:
            listed[1] += 1
        if message.author is not None and len(self._authors) < AUTHORS_COUNTED:
            self._authors.add(message.author.id)
        at = message.sent_at
        if self._first is None or at < self._first:
            self._first = at
        if self._last is None or at > self._last:
            self._last = at

    def _add_warning(self, warning: ReadWarning) -> None:
        if len(self._warnings) >= self._warnings_kept and not warning.is_fatal:
            self._dropped += 1
            return
        reason = f"{warning.reason} {READING_ENDED}" if warning.is_fatal else warning.reason
        self._warnings.append(
            InspectionWarning(file=warning.file, line=warning.line, reason=reason)
        )

    def result(self, *, format: str, file: str, facts: ReadFacts) -> Inspection:
        """Call it once the reader is exhausted: facts are complete only then."""
        warnings = list(self._warnings)
        endings = (
            (self._dropped, "more warnings are not listed"),
            (self._unlisted, "messages are in conversations beyond those listed"),
        )
        for count, what in endings:
            if count:
                reason = f"{count} {what}"
                warnings.append(InspectionWarning(file=file, line=None, reason=reason))
        conversations: list[InspectedConversation] = []
        for conversation, count in self._conversations.values():
            conversations.append(_inspected(conversation, count))
        unknown = sorted(facts.unknown_keys.items(), key=lambda pair: (-pair[1], pair[0]))
        return Inspection(
            format=format,
            conversations=tuple(conversations),
            messages=self._messages,
            system=self._system,
            authors=len(self._authors),
            first=None if self._first is None else self._first.isoformat(),
            last=None if self._last is None else self._last.isoformat(),
            timezone=facts.timezone,
            zones=dict(self._zones),
            date_order=facts.date_order,
            owner=facts.owner,
            attachments=self._attachments,
            columns=dict(facts.columns),
            warnings=tuple(warnings),
            unknown_keys=dict(unknown[:_UNKNOWN_KEYS_KEPT]),
        )


def _inspected(conversation: Conversation, messages: int) -> InspectedConversation:
    return InspectedConversation(
        id=conversation.id,
        title=conversation.title,
        kind=conversation.kind,
        messages=messages,
    )
