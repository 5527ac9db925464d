"""Confirm an upload that is held back: its messages are to be recorded, read as is said now."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from application.archive import Accepted, Archive, Decision
from application.context import Context
from application.uploads import check_options, load_upload, settle


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmUpload:
    upload_id: UUID
    # timezone, date_order, format, columns; none: as it was inspected
    options: Mapping[str, Any] = field(default_factory=dict)


class ConfirmUploadHandler:
    def __init__(self, archive: Archive, *, formats: Collection[str] | None = None) -> None:
        """`formats`, if given, are those that can be read; others are refused at once."""
        self._archive = archive
        self._formats = formats

    def __call__(self, command: ConfirmUpload, context: Context) -> Accepted:
        """
        Harmless to repeat. What is confirmed before it was inspected is read as soon as it is, if
        the file leaves nothing open.

        Raises:
            NotFoundError: if this workspace has no such upload.
            UploadOptionsError: if the options cannot be meant.
            UnansweredError: if they leave open what the file does not decide.
            OptionsSettledError: if it is confirmed with other options.
            NothingToConfirmError: if it was rejected.
            UploadWithdrawnError, CommandIdReusedError
        """
        options = check_options(command.options, self._formats)

        def decide() -> Decision:
            upload = load_upload(self._archive, context, command.upload_id)
            upload.confirm({**upload.options, **options})
            return [upload], {}

        about = {"upload_id": str(command.upload_id), "options": options}
        return settle(self._archive, context, "ConfirmUpload", decide, about)
