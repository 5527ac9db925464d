"""Jobs about uploads. Each runs where the last one stopped, and may run twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol
from uuid import UUID

from procrastinate import App, JobContext

from application.commands.delete_withdrawn_blob import DeleteWithdrawnBlob
from application.commands.discard_job import STEPS
from application.commands.embed_upload import EmbedUpload
from application.commands.join_conversations import JoinConversations
from application.commands.read_upload import ReadUpload
from application.commands.record_upload_failure import RecordUploadFailure
from application.ports.jobs import Stopped
from infrastructure.discretion import describe
from infrastructure.explaining import explain
from infrastructure.jobs.retry import BackOff
from infrastructure.jobs.sweeper import SWEEP_BLOBS
from interfaces.jobs.stopping import should_stop

PATIENT = BackOff(max_attempts=5)
READ, EMBED = "uploads:read", "uploads:embed"


class ReadUploads(Protocol):
    def __call__(self, command: ReadUpload, *, should_stop: Callable[[], bool]) -> None: ...


class EmbedUploads(Protocol):
    def __call__(self, command: EmbedUpload, *, should_stop: Callable[[], bool]) -> None: ...


class RecordFailures(Protocol):
    def __call__(self, command: RecordUploadFailure) -> None: ...


class JoinConversationsOf(Protocol):
    def __call__(self, command: JoinConversations) -> None: ...


class DeleteBlobs(Protocol):
    def __call__(self, command: DeleteWithdrawnBlob) -> None: ...


class SweepBlobs(Protocol):
    def __call__(self, *, should_stop: Callable[[], bool]) -> None: ...


class UploadHandlers(Protocol):
    """Asked for when a job runs, not before: to make them may load a model."""

    @property
    def read_upload(self) -> ReadUploads: ...

    @property
    def embed_upload(self) -> EmbedUploads: ...

    @property
    def record_upload_failure(self) -> RecordFailures: ...

    @property
    def join_conversations(self) -> JoinConversationsOf: ...

    @property
    def delete_withdrawn_blob(self) -> DeleteBlobs: ...

    @property
    def sweep_withdrawn_blobs(self) -> SweepBlobs: ...


def add_upload_jobs(app: App, handlers: UploadHandlers) -> None:
    @app.task(name=READ, queue="reading", retry=PATIENT, pass_context=True)
    def read_upload(context: JobContext, /, *, upload_id: str, **_newer: object) -> None:
        with reported(handlers, context, UUID(upload_id), STEPS[READ]):
            command = ReadUpload(upload_id=UUID(upload_id))
            handlers.read_upload(command, should_stop=should_stop(context))

    @app.task(name=EMBED, queue="embedding", retry=PATIENT, pass_context=True)
    def embed_upload(context: JobContext, /, *, upload_id: str, **_newer: object) -> None:
        with reported(handlers, context, UUID(upload_id), STEPS[EMBED]):
            command = EmbedUpload(upload_id=UUID(upload_id))
            handlers.embed_upload(command, should_stop=should_stop(context))

    @app.task(name="uploads:join", queue="reading", retry=PATIENT)
    def join(*, upload_id: str, **_newer: object) -> None:
        handlers.join_conversations(JoinConversations(upload_id=UUID(upload_id)))

    @app.task(name="uploads:delete_blob", queue="maintenance", retry=PATIENT)
    def delete_blob(*, upload_id: str, **_newer: object) -> None:
        handlers.delete_withdrawn_blob(DeleteWithdrawnBlob(upload_id=UUID(upload_id)))

    # Without a retry: the next one is asked for anyway.
    @app.task(name=SWEEP_BLOBS, queue="maintenance", retry=False, pass_context=True)
    def sweep_blobs(context: JobContext, /, **_newer: object) -> None:
        handlers.sweep_withdrawn_blobs(should_stop=should_stop(context))


@contextmanager
def reported(
    handlers: UploadHandlers, context: JobContext, upload_id: UUID, stage: str
) -> Iterator[None]:
    """What breaks is a fact of the upload too, not only of the queue."""
    try:
        PATIENT.require_attempt_left(context.job)
        yield
    except Stopped:
        raise
    except Exception as error:
        failure = RecordUploadFailure(
            upload_id=upload_id,
            stage=stage,
            reason=explain(error, f"job {context.job.id}"),
            attempt=context.job.attempts + 1,
            is_final=PATIENT.is_last_attempt(context.job),
        )
        try:
            handlers.record_upload_failure(failure)
        except Exception as second:  # noqa: BLE001 - the first error is the one to report
            error.add_note(f"and the failure could not be recorded: {describe(second)}")
        raise
