"""Take an upload back: nobody sees any more what only this upload had, and its bytes go."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.uploads import load_upload, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawUpload:
    upload_id: UUID


class WithdrawUploadHandler:
    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def __call__(self, command: WithdrawUpload, context: Context) -> Accepted:
        """
        Whatever runs on it stops within seconds; its bytes are deleted by a job.

        Raises:
            NotFoundError: if this workspace has no such upload.
            UploadWithdrawnError: if it was withdrawn by another command.
            CommandIdReusedError
        """

        def decide() -> Decision:
            upload = load_upload(self._archive, context, command.upload_id)
            upload.withdraw()
            return [upload], {}

        about = {"upload_id": str(command.upload_id)}
        return settle(self._archive, context, "WithdrawUpload", decide, about)
