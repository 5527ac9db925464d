"""Give a received file back, and leave the fact behind before the first byte leaves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO
from uuid import UUID

from application.archive import Archive
from application.context import Context
from application.ports.blobs import BlobMissingError, BlobStore
from application.uploads import amend, load_upload
from domain.upload import Upload, UploadWithdrawnError


class UploadGoneError(Exception):
    """There was such an upload; its bytes are gone for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadUpload:
    upload_id: UUID
    first_byte: int
    last_byte: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """What is known before anything of it is given away."""

    upload_id: UUID
    filename: str
    size: int  # bytes
    sha256: str  # 64 hex digits


class DownloadUploadHandler:
    def __init__(self, archive: Archive, blobs: BlobStore) -> None:
        self._archive = archive
        self._blobs = blobs

    def describe(self, upload_id: UUID, context: Context) -> UploadedFile:
        """
        Records nothing: nothing of the file is given away.

        Raises:
            NotFoundError: if the workspace has no such upload.
            UploadGoneError: if it was withdrawn or erased.
        """
        upload = load_upload(self._archive, context, upload_id)
        if upload.stage == "withdrawn" or not self._blobs.exists(upload.blob):
            raise UploadGoneError(gone(upload))
        return UploadedFile(
            upload_id=upload_id,
            filename=upload.filename,
            size=upload.size,
            sha256=upload.sha256,
        )

    def __call__(self, command: DownloadUpload, context: Context) -> BinaryIO:
        """
        The file, at its first byte; the caller closes it.

        Raises:
            NotFoundError, UploadGoneError
            BlobDamagedError: if what is stored is not what was received.
        """
        upload = load_upload(self._archive, context, command.upload_id)
        try:
            blob = self._blobs.open(upload.blob)
        except BlobMissingError:
            raise UploadGoneError(gone(upload)) from None
        try:
            amend(self._archive, context, upload.id, lambda found: downloaded(found, command))
        except UploadWithdrawnError:
            blob.close()
            raise UploadGoneError(gone(upload)) from None
        except BaseException:
            blob.close()
            raise
        return blob


def downloaded(upload: Upload, command: DownloadUpload) -> bool:
    upload.record_downloaded(first_byte=command.first_byte, last_byte=command.last_byte)
    return True


def gone(upload: Upload) -> str:
    return f"upload {upload.id} was withdrawn or erased: its file is gone for good"
