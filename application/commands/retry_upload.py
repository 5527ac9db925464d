"""Try an upload again that failed or was rejected, as it is or with other options."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.uploads import check_options, load_upload, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryUpload:
    upload_id: UUID
    # timezone, date_order, format, columns; none: as before
    options: Mapping[str, Any] = field(default_factory=dict)


class RetryUploadHandler:
    def __init__(self, archive: Archive, *, formats: Collection[str] | None = None) -> None:
        """`formats`, if given, are those that can be read; others are refused at once."""
        self._archive = archive
        self._formats = formats

    def __call__(self, command: RetryUpload, context: Context) -> Accepted:
        """
        Raises:
            NotFoundError: if this workspace has no such upload.
            UploadOptionsError: if the options cannot be meant.
            NothingToRetryError: if it has not failed.
            OptionsSettledError: if part of it is recorded as it was read with other options.
            UploadWithdrawnError, CommandIdReusedError
        """
        options = check_options(command.options, self._formats)

        def decide() -> Decision:
            upload = load_upload(self._archive, context, command.upload_id)
            upload.request_retry(options or None)
            return [upload], {}

        about = {"upload_id": str(command.upload_id), "options": options}
        return settle(self._archive, context, "RetryUpload", decide, about)
