"""Record that a step of an upload broke, so that whoever waits for it can see why."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Archive
from application.context import SYSTEM, Context
from domain.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordUploadFailure:
    upload_id: UUID
    stage: str  # "reading" or "embedding"
    reason: str
    attempt: int  # 1 for the first
    is_final: bool  # nobody will try again unless asked to


class RecordUploadFailureHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: RecordUploadFailure) -> None:
        upload = self._archive.find(Upload, command.upload_id)
        if upload is None or upload.stage == "withdrawn":
            return
        upload.fail(
            stage=command.stage,
            reason=command.reason,
            attempt=command.attempt,
            is_final=command.is_final,
        )
        context = Context(
            actor_id=SYSTEM, workspace_id=upload.workspace_id, correlation_id=upload.id
        )
        self._archive.record(context, upload)
