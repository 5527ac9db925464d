"""Record that a step of an upload broke, so that whoever waits for it can see why."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Archive
from application.uploads import UNFINISHED, amend, system_context
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
        """Does nothing where the step was done by somebody else, or is not wanted any more."""
        upload = self._archive.find(Upload, command.upload_id)
        if upload is None:
            return

        def fail(upload: Upload) -> bool:
            if upload.stage not in UNFINISHED[command.stage]:
                return False
            upload.fail(
                stage=command.stage,
                reason=command.reason,
                attempt=command.attempt,
                is_final=command.is_final,
            )
            return True

        amend(self._archive, system_context(self._archive, upload), upload.id, fail)
