"""Look again at what an upload holds, perhaps read otherwise, before it is confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.uploads import check_options, load_upload, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectUpload:
    upload_id: UUID
    # timezone, date_order, format, columns; None: as before
    options: Mapping[str, Any] | None = field(default=None)


class InspectUploadHandler:
    def __init__(self, archive: Archive, *, formats: Collection[str] | None = None) -> None:
        """`formats`, if given, are those that can be read; others are refused at once."""
        self._archive = archive
        self._formats = formats

    def __call__(self, command: InspectUpload, context: Context) -> Accepted:
        """
        A job looks; the upload is not read before it is confirmed, even if it was to be.

        Raises:
            NotFoundError: if this workspace has no such upload.
            UploadOptionsError: if the options cannot be meant.
            OptionsSettledError: if its messages are being recorded, or were.
            UploadWithdrawnError, CommandIdReusedError
        """
        given = command.options
        options = None if given is None else check_options(given, self._formats)

        def decide() -> Decision:
            upload = load_upload(self._archive, context, command.upload_id)
            upload.request_inspection(options)
            return [upload], {}

        about = {"upload_id": str(command.upload_id), "options": options}
        return settle(self._archive, context, "InspectUpload", decide, about)
