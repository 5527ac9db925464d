"""An upload that never became one."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from eventsourcing.domain import event

from domain.aggregate import Aggregate, Creation


class RefusedUpload(Aggregate):
    """Bytes that never became an upload: too large, cut off, no room. Nothing of them is kept."""

    TOPIC = "refused_upload"

    class Refused(Creation):
        TOPIC = "upload.refused"
        filename: str
        received: int  # bytes that had arrived
        reason: str
        personal: ClassVar[dict[str, str]] = {
            "filename": "originator_id",
            "reason": "originator_id",
        }

    @event(Refused)
    def __init__(self, *, filename: str, received: int, reason: str) -> None:
        self.filename = filename
        self.received = received
        self.reason = reason

    @classmethod
    def refuse(cls, *, id: UUID, filename: str, received: int, reason: str) -> RefusedUpload:
        return cls._create(cls.Refused, id=id, filename=filename, received=received, reason=reason)
