"""When an upload has been read, ask for its texts to be embedded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobRequest
from domain.upload import Upload


def embed_read_uploads(event: Any) -> Iterable[JobRequest]:
    match event:
        case Upload.Read():
            # One lock for all: the model takes every core, and a text that two uploads share is
            # then embedded once.
            yield JobRequest(
                task="uploads:embed",
                queue="embedding",
                arguments={"upload_id": str(event.originator_id)},
                lock="embedding",
            )
