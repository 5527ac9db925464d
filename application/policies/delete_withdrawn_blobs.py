"""When an upload was withdrawn, ask for its bytes to be deleted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobRequest
from domain.upload import Upload


def delete_withdrawn_blobs(event: Any) -> Iterable[JobRequest]:
    match event:
        case Upload.Withdrawn():
            yield JobRequest(
                task="uploads:delete_blob",
                queue="maintenance",
                arguments={"upload_id": str(event.originator_id)},
                priority=1,  # before housekeeping: somebody wants it gone
            )
