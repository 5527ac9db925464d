"""Who asks, for which workspace, and why: travels with every command into every event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4, uuid5

from domain.aggregate import CHATLEDGER_NAMESPACE

# Until accounts exist, whoever can reach the loopback interface owns the instance.
LOCAL_OWNER = uuid5(CHATLEDGER_NAMESPACE, "actor/local-owner")
# What the system does by itself: reading, embedding.
SYSTEM = uuid5(CHATLEDGER_NAMESPACE, "actor/system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    actor_id: UUID
    workspace_id: UUID | None
    correlation_id: UUID = field(default_factory=uuid4)  # one per request or command line
    causation_position: int | None = None  # the event that made the system act
    command_id: UUID | None = None  # the client's; repeating it returns the first answer
    origin: Mapping[str, str] = field(default_factory=dict)  # from where: sealed for the actor

    def caused_by(self, position: int | None) -> Context:
        return replace(self, causation_position=position)
