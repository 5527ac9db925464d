"""Try an upload again that failed or was rejected."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.uploads import load_upload, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryUpload:
    upload_id: UUID


class RetryUploadHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: RetryUpload, context: Context) -> Accepted:
        """
        Raises:
            NotFoundError: if this workspace has no such upload.
            NothingToRetryError: if it has not failed.
            UploadWithdrawnError: if it was withdrawn.
        """

        def decide() -> Decision:
            upload = load_upload(self._archive, context, command.upload_id)
            upload.request_retry()
            return [upload], {"upload_id": str(upload.id)}

        return settle(self._archive, context, "RetryUpload", decide)
