"""Events to stored rows and back: JSON that others can read, with what is personal sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventsourcing.persistence import Mapper, StoredEvent, Transcoder
from eventsourcing.utils import get_topic

from application.context import SYSTEM, Context
from domain.aggregate import ERASED
from domain.topics import EVENTS
from infrastructure.keys.keyring import KeyRing
from infrastructure.log.sealing import Slot, seal, unseal

ORIGIN = "_origin"  # field of the stored state: where the request came from
SEALED, SUBJECT = "sealed", "subject"
NOBODY = Context(actor_id=SYSTEM, workspace_id=None, correlation_id=UUID(int=0))


class UnknownTopicError(Exception):
    """The log holds an event that this version of Chatledger does not know: it is too old."""


@dataclass(frozen=True)
class RecordableEvent(StoredEvent):
    """A stored event with what the log keeps beside it."""

    context: Context


class JsonTranscoder(Transcoder):
    """Plain JSON: UUIDs and times as text, no envelopes."""

    def encode(self, obj: object) -> bytes:
        return orjson.dumps(obj)

    def decode(self, data: bytes) -> object:
        return orjson.loads(data)


class SealingMapper(Mapper[UUID]):
    def __init__(self, keyring: KeyRing) -> None:
        super().__init__(JsonTranscoder())
        self._keyring = keyring

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """What the library calls when nobody says who acts: the system does."""
        return self.to_recordable(domain_event, NOBODY)

    def to_recordable(self, domain_event: Any, context: Context) -> RecordableEvent:
        """
        Raises:
            SubjectErasedError: if the event is about somebody who was erased.
        """
        state = dict(vars(domain_event))
        stream, version = state.pop("originator_id"), state.pop("originator_version")
        cls: Any = type(domain_event)
        topic = get_topic(cls)
        if context.origin:
            state[ORIGIN] = dict(context.origin)
        if cls.class_version > 1:
            state["class_version"] = cls.class_version
        self._seal(cls, state, slot_of(stream, version, topic), context)
        return RecordableEvent(
            originator_id=stream,
            originator_version=version,
            topic=topic,
            state=orjson.dumps(state),
            context=context,
        )

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        [(event, _)] = self.open([stored_event])
        return event

    def open(self, stored: Sequence[StoredEvent]) -> list[tuple[Any, Mapping[str, str] | None]]:
        """
        Domain events with their origins, in order. Fetches the keys of all of them at once.

        An origin is None where there was none or its actor was erased.

        Raises:
            UnknownTopicError, cryptography.exceptions.InvalidTag, SubjectKeyMissingError
        """
        states = [orjson.loads(s.state) for s in stored]
        keys = self._keyring.get(
            {
                subject
                for s, state in zip(stored, states, strict=True)
                for subject in subjects_of(s, state)
            }
        )
        return [self._open(s, state, keys) for s, state in zip(stored, states, strict=True)]

    def _seal(self, cls: Any, state: dict[str, Any], slot: Slot, context: Context) -> None:
        single = {
            field: slot.stream if of == "originator_id" else UUID(state[of])
            for field, of in cls.personal.items()
        }
        if ORIGIN in state:
            single[ORIGIN] = context.actor_id
        grouped = {field: [UUID(s) for s in state[field]] for field in cls.personal_by_subject}
        subjects = set(single.values()).union(*grouped.values())
        if not subjects:
            return
        keys = self._keyring.ensure(subjects)
        for field, subject in single.items():
            sealed = seal(keys[subject], state[field], slot.of(field, subject))
            state[field] = {SEALED: sealed, SUBJECT: str(subject)}
        for field, members in grouped.items():
            state[field] = {
                str(member): seal(keys[member], state[field][str(member)], slot.of(field, member))
                for member in members
            }

    def _open(
        self, stored: StoredEvent, state: dict[str, Any], keys: Mapping[UUID, AESGCM]
    ) -> tuple[Any, Mapping[str, str] | None]:
        cls = class_of(stored.topic)
        slot = slot_of(stored.originator_id, stored.originator_version, stored.topic)
        for field in (*cls.personal, ORIGIN):
            entry = state.get(field)
            if entry is None:
                continue  # no origin; or an older version without the field: the upcaster adds it
            subject = UUID(entry[SUBJECT])
            if subject in keys:
                state[field] = unseal(keys[subject], entry[SEALED], slot.of(field, subject))
            else:
                state[field] = ERASED
        for field in cls.personal_by_subject:
            state[field] = {
                member: unseal(keys[subject], sealed, slot.of(field, subject))
                for member, sealed in state[field].items()
                if (subject := UUID(member)) in keys
            }
        origin = state.pop(ORIGIN, None)
        for version in range(state.pop("class_version", 1), cls.class_version):
            getattr(cls, f"upcast_v{version}_v{version + 1}")(state)
        state["originator_id"], state["originator_version"] = slot.stream, slot.version
        state["timestamp"] = datetime.fromisoformat(state["timestamp"])
        event = object.__new__(cls)
        vars(event).update(state)
        return event, None if origin is ERASED else origin


def class_of(topic: str) -> Any:
    try:
        return EVENTS[topic]
    except KeyError:
        raise UnknownTopicError(
            f"unknown event topic {topic!r}: the log was written by a newer version"
        ) from None


def subjects_of(stored: StoredEvent, state: Mapping[str, Any]) -> set[UUID]:
    cls = class_of(stored.topic)
    entries = [state.get(field) for field in (*cls.personal, ORIGIN)]
    single = {UUID(entry[SUBJECT]) for entry in entries if entry is not None}
    return single.union(*({UUID(s) for s in state[f]} for f in cls.personal_by_subject))


def slot_of(stream: UUID | str, version: int, topic: str) -> Slot:
    return Slot(stream if isinstance(stream, UUID) else UUID(stream), version, topic)
