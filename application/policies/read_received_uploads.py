"""When an upload is received, or is to be inspected, read or tried again, ask for that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobRequest
from domain.upload import Upload


def read_received_uploads(event: Any) -> Iterable[JobRequest]:
    match event:
        case (
            Upload.Received()
            | Upload.InspectionRequested()
            | Upload.Confirmed()
            | Upload.RetryRequested()
        ):
            upload_id = str(event.originator_id)
            # Never twice at the same time: the second would read the file for nothing.
            yield JobRequest(
                task="uploads:read",
                queue="reading",
                arguments={"upload_id": upload_id},
                lock=f"read:{upload_id}",
            )
