"""When an upload has been read, ask for the labels on what it told before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobRequest
from domain.upload import Upload


def carry_labels(event: Any) -> Iterable[JobRequest]:
    match event:
        case Upload.Read():
            yield JobRequest(
                task="labels:carry",
                queue="reading",
                arguments={"upload_id": str(event.originator_id)},
                priority=1,  # before the next file: until then labels seem to be gone
            )
