"""When somebody retried or discarded a job, do it: in the transaction that records it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobChange
from domain.job import JobDiscard, JobRetry


def change_jobs(event: Any) -> Iterable[JobChange]:
    match event:
        case JobRetry.Retried():
            yield JobChange(action="retry", job_id=event.job_id)
        case JobDiscard.Discarded():
            yield JobChange(action="abort" if event.was_running else "remove", job_id=event.job_id)
