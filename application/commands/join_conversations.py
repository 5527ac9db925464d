"""
Make one conversation of several that an upload has shown to be the same chat.

They came from exports of which no two overlapped until now. Each of these that brought a
conversation which is to become another is read again: it overlaps now, and is merged as if it had
come only after the upload that lay between.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from eventsourcing.persistence import IntegrityError

from application.archive import Archive
from application.context import Context
from application.ports.known_messages import KnownMessages
from application.uploads import ATTEMPTS, standing_upload, system_context
from domain.upload import Upload

MOST_READINGS = 20  # of the same bytes: whatever is found then, it is not found by reading again


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinConversations:
    upload_id: UUID


class JoinConversationsHandler:
    def __init__(self, archive: Archive, known: KnownMessages) -> None:
        self._archive = archive
        self._known = known

    def __call__(self, command: JoinConversations) -> None:
        """Harmless to repeat: what was asked to be read again is not withdrawn twice."""
        upload = self._archive.load(Upload, command.upload_id)
        if upload.stage == "withdrawn" or not upload.joins:
            return
        context = system_context(self._archive, upload)
        for id in self._known.uploads(upload.workspace_id, upload.joins):
            if id != upload.id:
                self._read_again(id, context)

    def _read_again(self, id: UUID, context: Context) -> None:
        """Its bytes as a new upload, in the very moment in which the old one is withdrawn."""
        for attempts_left in reversed(range(ATTEMPTS)):
            old = self._archive.load(Upload, id)
            withdrawals, standing = standing_upload(self._archive, old.workspace_id, old.blob)
            if standing is None or standing.id != id or withdrawals >= MOST_READINGS:
                return
            old.withdraw()
            new = Upload.receive(
                workspace_id=old.workspace_id,
                blob=old.blob,
                size=old.size,
                sha256=old.sha256,
                filename=old.filename,
                options=old.options,
                withdrawals=withdrawals + 1,
            )
            try:
                self._archive.record(context, old, new)
            except IntegrityError:
                if not attempts_left:
                    raise
            else:
                return
