"""When an upload shows that conversations are one, ask for what brought them to be read again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobRequest
from domain.upload import Upload


def join_conversations(event: Any) -> Iterable[JobRequest]:
    match event:
        case Upload.Read(joins=[_, *_]):
            yield JobRequest(
                task="uploads:join",
                queue="reading",
                arguments={"upload_id": str(event.originator_id)},
            )
