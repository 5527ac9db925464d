"""Files of a Slack message, and those that lie in the archive itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, NamedTuple

from application.ports.chat_reader import ExportFile
from domain.message import Attachment

# As slackdump lays them: for Mattermost, beside the days of their channel, and beside its dump.
_UPLOAD = re.compile(
    r"(?:.*/)?(?:__uploads/([A-Z0-9]{6,})/|"
    r"(?:[^/]+/attachments|[CDG][A-Z0-9]{7,}(?:-\d+\.\d+)?)/(F[A-Z0-9]{6,})-)([^/]+)"
)
_UPLOADS_KEPT = 500_000


class Upload(NamedTuple):
    """A file that is in the archive."""

    name: str
    size: int


def is_upload(file: ExportFile) -> bool:
    return _UPLOAD.fullmatch(file.name) is not None


def uploads_of(files: Iterable[ExportFile]) -> dict[str, Upload]:
    """The uploaded files of an archive, by their ids."""
    found: dict[str, Upload] = {}
    for file in files:
        match = _UPLOAD.fullmatch(file.name)
        if match is not None and len(found) < _UPLOADS_KEPT:
            found[match[1] or match[2]] = Upload(match[3], file.size)
    return found


def attachments(raw: dict[str, Any], uploads: dict[str, Upload]) -> tuple[Attachment, ...]:
    """The files of a message; one that its exporter might not see has only an id."""
    files, single = raw.get("files"), raw.get("file")
    listed = files if isinstance(files, list) else [single] if single else []
    return tuple([_attachment(file, uploads) for file in listed if isinstance(file, dict)])


def _attachment(file: dict[str, Any], uploads: dict[str, Upload]) -> Attachment:
    known = file.get("id")
    upload = uploads.get(known) if isinstance(known, str) else None
    name = file.get("name") or file.get("title") or (upload.name if upload else known) or "file"
    mime, size = file.get("mimetype"), file.get("size")
    if not isinstance(size, int) or isinstance(size, bool):
        size = None if upload is None else upload.size
    return Attachment(str(name), mime if isinstance(mime, str) and mime else None, size)
