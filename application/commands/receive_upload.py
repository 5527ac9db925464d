"""Receive a chat export: keep its bytes once, and say so."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from application.archive import Accepted, Archive
from application.context import Context
from application.ports.blobs import BlobStore
from application.receiving import ReceiveUpload, Receiving, Refusal, UploadRefusedError
from application.uploads import check_options, clean_filename

__all__ = ["ReceiveUpload", "ReceiveUploadHandler", "Receiving", "Refusal", "UploadRefusedError"]


class ReceiveUploadHandler:
    def __init__(
        self,
        archive: Archive,
        blobs: BlobStore,
        *,
        max_bytes: int,
        formats: Collection[str] | None = None,
    ) -> None:
        """`formats`, if given, are those that can be read; others are refused at once."""
        self._archive = archive
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._formats = formats

    def __call__(
        self, command: ReceiveUpload, chunks: Iterable[bytes], context: Context
    ) -> Accepted:
        """
        Idempotent: the same bytes in a workspace are one upload, however often they come. After
        its withdrawal they are a new one.

        Returns:
            The result has `upload_id`, `again` (the bytes were known), `size` and `sha256`; also
            `options_ignored` where the upload stays as it was read, with other options, and
            `after_withdrawal_of`, the id of the withdrawn upload that had these bytes before.

        Raises:
            UploadRefusedError, UploadOptionsError, CommandIdReusedError
        """
        with self.begin(command, context) as receiving:
            for chunk in chunks:
                receiving.write(chunk)
            return receiving.finish()

    def begin(
        self, command: ReceiveUpload, context: Context, *, announced: int | None = None
    ) -> Receiving:
        """
        Start to receive what comes in pieces. Blocks, as all methods of the answer do.

        Args:
            announced: bytes that the sender says will come; too many are refused right here.

        Raises:
            UploadRefusedError, UploadOptionsError
        """
        command = replace(
            command,
            filename=clean_filename(command.filename),
            options=check_options(command.options, self._formats),
        )
        return Receiving(
            self._archive, self._blobs, command, context, self._max_bytes, announced or 0
        )
