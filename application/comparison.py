"""What an export would bring to the archive, conversation by conversation."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedConversation:
    id: str  # the source's
    title: str
    rule: str  # why it is, or is not, one that the archive has, in words
    merges_into: UUID | None  # the conversation of the archive
    # Messages, system notices included:
    fresh: int  # no earlier upload has them
    edited: int  # an earlier upload has them with another text
    vanished: int  # earlier uploads have them, and this one, which covers their time, has not
    known: int  # an earlier upload has them, with this text


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    conversations: tuple[ComparedConversation, ...]  # in the export's order
    is_current: bool = True  # False: the archive has not taken in yet all that was uploaded
