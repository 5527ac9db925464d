"""Jobs about uploads. Each runs where the last one stopped, and may run twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol
from uuid import UUID

from procrastinate import App, JobContext

from application.commands.embed_upload import EmbedUpload
from application.commands.read_upload import ReadUpload
from infrastructure.jobs.retry import BackOff
from interfaces.jobs.stopping import should_stop

PATIENT = BackOff(max_attempts=5)


class ReadUploads(Protocol):
    def __call__(self, command: ReadUpload, *, should_stop: Callable[[], bool]) -> None: ...


class EmbedUploads(Protocol):
    def __call__(self, command: EmbedUpload, *, should_stop: Callable[[], bool]) -> None: ...


class UploadHandlers(Protocol):
    """Asked for when a job runs, not before: to make them may load a model."""

    @property
    def read_upload(self) -> ReadUploads: ...

    @property
    def embed_upload(self) -> EmbedUploads: ...


def add_upload_jobs(app: App, handlers: UploadHandlers) -> None:
    @app.task(name="uploads:read", queue="reading", retry=PATIENT, pass_context=True)
    def read_upload(context: JobContext, /, *, upload_id: str, **_newer: object) -> None:
        PATIENT.require_attempt_left(context.job)
        command = ReadUpload(upload_id=UUID(upload_id))
        handlers.read_upload(command, should_stop=should_stop(context))

    @app.task(name="uploads:embed", queue="embedding", retry=PATIENT, pass_context=True)
    def embed_upload(context: JobContext, /, *, upload_id: str, **_newer: object) -> None:
        PATIENT.require_attempt_left(context.job)
        command = EmbedUpload(upload_id=UUID(upload_id))
        handlers.embed_upload(command, should_stop=should_stop(context))
