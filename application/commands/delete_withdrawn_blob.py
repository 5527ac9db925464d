"""Delete the bytes of withdrawn uploads, unless the same file was sent again; previews, too."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from application.archive import Archive
from application.ports.blobs import BlobStore
from application.ports.jobs import Stopped
from application.ports.previews import PreviewStore
from application.uploads import standing_upload
from domain.upload import Upload


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWithdrawnBlob:
    upload_id: UUID


class DeleteWithdrawnBlobHandler:
    def __init__(self, archive: Archive, blobs: BlobStore, previews: PreviewStore) -> None:
        self._archive = archive
        self._blobs = blobs
        self._previews = previews

    def __call__(self, command: DeleteWithdrawnBlob) -> None:
        """Harmless to repeat. Whoever reads the bytes at this moment reads on undisturbed."""
        upload = self._archive.load(Upload, command.upload_id)
        if upload.stage != "withdrawn":
            return
        self._previews.forget(upload.id)
        # From the look to the deletion nobody may record an upload of these bytes.
        with self._blobs.claimed(upload.blob):
            _, standing = standing_upload(self._archive, upload.workspace_id, upload.blob)
            if standing is None:
                self._blobs.delete(upload.blob)


class SweepWithdrawnBlobsHandler:
    """
    Deletes what their own jobs left: discarded, or given up.

    Args:
        withdrawn: the ids of all uploads that were.
    """

    def __init__(
        self, withdrawn: Callable[[], Iterable[UUID]], delete: DeleteWithdrawnBlobHandler
    ) -> None:
        self._withdrawn = withdrawn
        self._delete = delete
        self._settled: set[UUID] = set()  # what is deleted does not come back

    def __call__(self, *, should_stop: Callable[[], bool]) -> None:
        """
        Raises:
            Exception: the first that hindered it, after it has tried all of them.
            Stopped: when asked to.
        """
        hindrances: list[Exception] = []
        for upload_id in self._withdrawn():
            if should_stop():
                raise Stopped
            if upload_id in self._settled:
                continue
            try:
                self._delete(DeleteWithdrawnBlob(upload_id=upload_id))
            except Exception as error:  # noqa: BLE001 - one that cannot go must not keep the others
                hindrances.append(error)
            else:
                self._settled.add(upload_id)
        if hindrances:
            raise hindrances[0]
