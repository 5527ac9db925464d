"""Port: the messages that the archive has, as far as an export may tell of them again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from uuid import UUID


class MessagesLaggingError(Exception):
    """The messages read model is behind the log: what is known cannot be told now."""

    is_quotable = True


class Occurrence(NamedTuple):
    """A message with a text that was asked for."""

    text_key: UUID
    conversation_id: UUID
    author_id: UUID | None
    sent_at: int  # microseconds since 1970
    precision: str
    key: str


class KnownMessage(NamedTuple):
    conversation_id: UUID
    key: str
    author_id: UUID | None
    sent_at: int  # microseconds since 1970
    precision: str
    kind: str
    text: str


class Span(NamedTuple):
    """Both ends included."""

    conversation_id: UUID
    first: int  # microseconds since 1970
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownConversation:
    id: UUID
    title: str
    format: str  # of the export that it was seen in first
    has_ids: bool  # most of its messages have ids of the source's own
    is_mixed: bool  # several exporters told it: some messages have no ids, or ids of others


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAlias:
    """An earlier export of this conversation was found to tell of another one."""

    conversation_id: UUID  # as its own exports name it
    match: Mapping[str, Any]  # as it was recorded


class KnownMessages(Protocol):
    def alone(
        self, workspace_id: UUID, *, should_stop: Callable[[], bool]
    ) -> AbstractContextManager[None]:
        """
        Nobody else reads an export into this workspace meanwhile: of two that overlap, the second
        has to see what the first one brought.

        Raises:
            Stopped: if asked to while waiting for somebody else.
        """
        ...

    def catch_up(self, workspace_id: UUID, *, should_stop: Callable[[], bool]) -> bool:
        """
        Wait until everything is known that was read into this workspace. Whether that is anything.

        Raises:
            MessagesLaggingError: if that takes too long.
            Stopped: when asked to.
        """
        ...

    def conversations(
        self, workspace_id: UUID, ids: Collection[UUID]
    ) -> Mapping[UUID, KnownConversation]: ...

    def aliases(self, workspace_id: UUID, ids: Collection[UUID]) -> Mapping[UUID, KnownAlias]: ...

    def occurrences(
        self, workspace_id: UUID, text_keys: Collection[UUID], *, at_most: int
    ) -> Sequence[Occurrence]:
        """Of each text the first ones, in no order."""
        ...

    def within(
        self, workspace_id: UUID, spans: Iterable[Span], *, without: UUID
    ) -> Sequence[KnownMessage]:
        """
        In the order in which they were sent.

        Args:
            without: an upload whose messages are left out.
        """
        ...

    def uploads(self, workspace_id: UUID, conversations: Collection[UUID]) -> Sequence[UUID]:
        """That brought messages of these conversations, in the order in which they were read."""
        ...

    def count(self, workspace_id: UUID, span: Span) -> int:
        """Messages of a conversation in this time."""
        ...
