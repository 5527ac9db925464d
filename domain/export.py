"""An export: part of the archive leaves as a file, and leaves a fact behind."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, Creation

ExportKind = Literal["events", "audit_trail", "messages", "rsmf", "search"]


class Export(Aggregate):
    """One stream a request. The first byte leaves only after this is durable."""

    TOPIC = "export"

    class Made(Creation):
        TOPIC = "export.made"
        class_version = 3  # 2: what an RSMF export is a selection of; 3: how many hits of a search
        kind: str  # events, audit_trail, messages, rsmf, search
        format: str  # jsonl, csv, txt, rsmf
        conversation_id: str | None  # None: of the whole workspace
        topics: list[str]  # empty: all
        after: int  # position
        up_to: int  # position
        first_byte: int  # more than 0: the rest of an export that was cut off
        last_byte: int | None  # inclusive; None: all up to the end
        # of rsmf and search, else None: "conversation_ids" (empty: all), "since" and "until" (ISO
        # 8601, or None: sent then or later, and before), "search" (position of a search: its hits,
        # or None) and "context" (messages before and after each hit)
        selection: dict[str, Any] | None
        limit: int | None  # of search: hits at most, None: all; else None

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["selection"] = None

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["limit"] = None

    @classmethod
    def make(cls, *, id: UUID, **facts: Any) -> Export:
        return cls._create(cls.Made, id=id, **facts)

    @event(Made)
    def __init__(
        self,
        *,
        kind: str,
        format: str,
        conversation_id: str | None,
        topics: list[str],
        after: int,
        up_to: int,
        first_byte: int,
        last_byte: int | None,
        selection: dict[str, Any] | None = None,
        limit: int | None = None,
    ) -> None:
        # One fact and no next decision.
        del format, conversation_id, topics, after, first_byte, last_byte, selection, limit
        self.kind = kind
        self.up_to = up_to
