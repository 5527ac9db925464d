"""
Conversations become RSMF 2.0 files: one for each conversation and day.

Days are those of UTC. A day too long for one file is told in parts, so that no more than a part
is in memory. RSMF lets an event name only a parent in its own file: where a reply or a thread
leads to another day, only Chatledger's own property says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson

from domain.message import Conversation, Message
from infrastructure.exports.rsmf.envelope import archive, envelope
from infrastructure.exports.rsmf.events import event
from infrastructure.exports.rsmf.moments import written
from infrastructure.exports.rsmf.names import Placeholder, file_name, identity, placeholder
from infrastructure.exports.rsmf.participants import Participants
from infrastructure.exports.rsmf.transcript import transcript
from infrastructure.readers.rsmf.own import CONVERSATION, own_property

VERSION = "2.0.0"
GENERATOR = "Chatledger"
EVENTS_A_FILE = 10_000  # review platforms become slow beyond
CHARACTERS_A_FILE = 8 * 1024 * 1024  # of texts and what else events hold
_MANIFEST = "rsmf_manifest.json"
_NO_PLATFORM = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedConversation:
    """What RSMF asks of a conversation besides its messages."""

    conversation: Conversation
    platform: str  # "slack", "whatsapp" …: the format that it was read from


@dataclass(frozen=True, slots=True, kw_only=True)
class RsmfFile:
    """One .rsmf file. Its bytes depend on nothing but its messages and their conversation."""

    name: str  # safe on every system, and no other file of the export has it
    exported: ExportedConversation
    messages: Sequence[Message]

    @property
    def begins(self) -> datetime:
        return min(message.sent_at for message in self.messages)

    @property
    def ends(self) -> datetime:
        return max(message.sent_at for message in self.messages)

    def manifest(self) -> dict[str, Any]:
        """`rsmf_manifest.json`, valid against Relativity's schema of 2.0.0."""
        return _manifest(self.exported, self.messages, _placeholders(self.messages))

    def pieces(self) -> Iterator[bytes]:
        """The file's bytes."""
        placeholders = _placeholders(self.messages)
        manifest = _manifest(self.exported, self.messages, placeholders)
        files = [one for listed in placeholders for one in listed]
        packed = archive(
            [
                (_MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2)),
                *((one.name, one.text.encode("utf-8", "replace")) for one in files),
            ]
        )
        conversation = self.exported.conversation
        title = f"{conversation.title} ({self.begins.astimezone(UTC).date().isoformat()})"
        yield from envelope(
            subject=title,
            date=self.ends,
            headers={
                "X-RSMF-Version": VERSION,
                "X-RSMF-Generator": GENERATOR,
                "X-RSMF-BeginDate": written(self.begins),
                "X-RSMF-EndDate": written(self.ends),
                "X-RSMF-EventCount": str(len(self.messages)),
                "X-RSMF-AttachmentCount": str(len(files)),
                "X-RSMF-Application": self.exported.platform or _NO_PLATFORM,
                "X-RSMF-EventCollectionID": manifest["eventcollectionid"],
            },
            body=transcript(title, self.messages),
            packed=packed,
        )


def rsmf_files(
    exported: ExportedConversation,
    messages: Iterable[Message],
    *,
    events_a_file: int = EVENTS_A_FILE,
    characters_a_file: int = CHARACTERS_A_FILE,
    parts: dict[date, int] | None = None,
) -> Iterator[RsmfFile]:
    """
    The files of one conversation. Messages are taken one at a time and keep their order; where
    they come back to an earlier day, that day has one more part.

    Args:
        parts: how many of each day there are already; kept up to date.

    Raises:
        ValueError: if a message belongs to another conversation.
    """
    parts = {} if parts is None else parts
    held: list[Message] = []
    size = 0
    for message in messages:
        if message.conversation != exported.conversation.id:
            raise ValueError(f"a message of another conversation: {message.conversation!r}")
        weight = _weight(message)
        is_full = len(held) >= events_a_file or size + weight > characters_a_file
        if held and (is_full or day_of(held[0]) != day_of(message)):
            yield _file(exported, held, parts)
            held, size = [], 0
        held.append(message)
        size += weight
    if held:
        yield _file(exported, held, parts)


def day_of(message: Message) -> date:
    return message.sent_at.astimezone(UTC).date()


def _weight(message: Message) -> int:
    """About how many characters its event has."""
    size = len(message.text) + sum(len(edit.text) for edit in message.edits)
    size += sum(len(one.name) + 200 for one in message.attachments)
    size += sum(sum(map(len, one.authors)) for one in message.reactions)
    return size + (len(repr(message.extra)) if message.extra else 0)


def _file(
    exported: ExportedConversation, messages: list[Message], parts: dict[date, int]
) -> RsmfFile:
    day = day_of(messages[0])
    part = parts[day] = parts.get(day, 0) + 1
    name = file_name(exported.conversation, exported.platform, day, part)
    return RsmfFile(name=name, exported=exported, messages=messages)


def _placeholders(messages: Sequence[Message]) -> list[list[Placeholder]]:
    return [
        [placeholder(one, event, number) for number, one in enumerate(m.attachments, start=1)]
        for event, m in enumerate(messages, start=1)
    ]


def _manifest(
    exported: ExportedConversation,
    messages: Sequence[Message],
    placeholders: list[list[Placeholder]],
) -> dict[str, Any]:
    conversation = exported.conversation
    id = conversation.id or "conversation"
    people = Participants(messages)
    taking_part = [people.of(m.author) for m in messages if m.author is not None]
    keys = {message.key for message in messages}
    events = [
        event(message, id, people, keys, files)
        for message, files in zip(messages, placeholders, strict=True)
    ]
    own = {"id": conversation.id, "title": conversation.title, "kind": conversation.kind}
    return {
        "version": VERSION,
        "participants": people.listed,
        "conversations": [
            {
                "id": id,
                "platform": exported.platform or _NO_PLATFORM,
                "display": conversation.title,
                "type": "direct" if conversation.kind == "direct" else "channel",
                "participants": list(dict.fromkeys(taking_part)),
                "custom": [own_property(CONVERSATION, own)],
            }
        ],
        "eventcollectionid": identity(conversation, exported.platform),
        "events": events,
    }
