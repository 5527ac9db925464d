"""When an upload has been read, or is to be tried again, ask for its texts to be embedded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobRequest
from domain.upload import Upload


def embed_read_uploads(event: Any) -> Iterable[JobRequest]:
    match event:
        case Upload.Read() | Upload.RetryRequested():
            upload_id = str(event.originator_id)
            # Not one lock for all uploads: a job that waits for its next attempt would hold up
            # every other one.
            yield JobRequest(
                task="uploads:embed",
                queue="embedding",
                arguments={"upload_id": upload_id},
                lock=f"embed:{upload_id}",
            )
