"""Opening messages: a read that leaves a fact behind."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, Creation


class Opening(Aggregate):
    """One stream a request. What was opened is shown only after this is durable."""

    TOPIC = "opening"

    class Opened(Creation):
        TOPIC = "message.opened"
        message_ids: list[int]  # each was asked for by its id; lists and hits of searches are not
        conversation_ids: list[str]  # pseudonymous; of each message, in the same order

    @classmethod
    def open(
        cls, *, id: UUID, message_ids: Sequence[int], conversation_ids: Sequence[UUID]
    ) -> Opening:
        return cls._create(
            cls.Opened,
            id=id,
            message_ids=list(message_ids),
            conversation_ids=[str(conversation_id) for conversation_id in conversation_ids],
        )

    @event(Opened)
    def __init__(self, *, message_ids: list[int], conversation_ids: list[str]) -> None:
        self.message_ids = message_ids
        self.conversation_ids = conversation_ids
