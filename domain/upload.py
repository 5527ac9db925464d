"""An uploaded export: from its bytes to a searchable archive, and everything that can go wrong."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import CHATLEDGER_NAMESPACE, Aggregate, Creation

Stage = Literal["received", "inspected", "reading", "read", "searchable", "rejected", "withdrawn"]


class UploadWithdrawnError(Exception):
    """The upload was withdrawn; nothing more can happen to it."""


class NothingToRetryError(Exception):
    """An upload that is searchable has nothing left to try again."""


class OptionsSettledError(Exception):
    """Part of the upload is recorded as it was read with other options; they must not be mixed."""


class Upload(Aggregate):
    """The same bytes in the same workspace are the same upload."""

    TOPIC = "upload"

    class Received(Creation):
        TOPIC = "upload.received"
        workspace_id: str
        blob: str  # address in the blob store: a keyed hash, 64 hex digits
        size: int  # bytes
        sha256: str  # of the file's bytes, 64 hex digits
        filename: str
        options: dict[str, Any]  # what the person said: timezone, date_order, columns, format
        personal: ClassVar[dict[str, str]] = {
            "filename": "originator_id",
            "sha256": "originator_id",
        }

    class ReceivedAgain(Aggregate.Event):
        """The same bytes came once more. Nothing is stored twice."""

        TOPIC = "upload.received_again"
        filename: str
        personal: ClassVar[dict[str, str]] = {"filename": "originator_id"}

    class Inspected(Aggregate.Event):
        TOPIC = "upload.inspected"
        format: str
        reader_version: int
        reason: str  # why it is this format
        timezone: str | None
        date_order: str | None
        conversations: int
        messages: int  # system notices excluded
        system: int
        authors: int
        first_at: str | None  # ISO 8601, UTC
        last_at: str | None
        unknown_keys: dict[str, int]
        is_complete: bool  # False: a broken tail was left out, see warnings
        warnings: list[dict[str, Any]]  # file, line, reason
        personal: ClassVar[dict[str, str]] = {
            "warnings": "originator_id",
            "unknown_keys": "originator_id",
        }

    class Rejected(Aggregate.Event):
        """The file cannot be read as a chat export. Trying again needs another decision."""

        TOPIC = "upload.rejected"
        reason: str
        personal: ClassVar[dict[str, str]] = {"reason": "originator_id"}

    class ReadingStarted(Aggregate.Event):
        TOPIC = "upload.reading_started"
        from_batch: int  # 0, or where a killed worker stopped

    class Read(Aggregate.Event):
        TOPIC = "upload.read"
        batches: int
        messages: int  # system notices included

    class EmbeddingFinished(Aggregate.Event):
        TOPIC = "upload.embedding_finished"
        model: str
        embedded: int  # texts that the model saw
        reused: int  # texts that had a vector already

    class Failed(Aggregate.Event):
        """A step broke for a reason that is not the file's fault."""

        TOPIC = "upload.failed"
        stage: str
        reason: str
        attempt: int
        is_final: bool  # no further automatic attempt
        personal: ClassVar[dict[str, str]] = {"reason": "originator_id"}

    class RetryRequested(Aggregate.Event):
        TOPIC = "upload.retry_requested"
        options: dict[str, Any]  # what the person says now, instead of what was said before

    class Withdrawn(Aggregate.Event):
        TOPIC = "upload.withdrawn"

    @staticmethod
    def create_id(workspace_id: UUID, blob: str) -> UUID:
        return uuid5(CHATLEDGER_NAMESPACE, f"upload/{workspace_id}/{blob}")

    @classmethod
    def receive(
        cls,
        *,
        workspace_id: UUID,
        blob: str,
        size: int,
        sha256: str,
        filename: str,
        options: dict[str, Any],
    ) -> Upload:
        return cls._create(
            cls.Received,
            id=cls.create_id(workspace_id, blob),
            workspace_id=str(workspace_id),
            blob=blob,
            size=size,
            sha256=sha256,
            filename=filename,
            options=options,
        )

    @event(Received)
    def __init__(
        self,
        *,
        workspace_id: str,
        blob: str,
        size: int,
        sha256: str,
        filename: str,
        options: dict[str, Any],
    ) -> None:
        self.workspace_id = UUID(workspace_id)
        self.blob = blob
        self.size = size
        self.sha256 = sha256
        self.filename = filename
        self.options = options
        self.stage: Stage = "received"
        self.has_failed = False
        self.format: str | None = None
        self.reader_version = 0
        self.inspected_messages = 0  # system notices included
        self.batches = 0

    def receive_again(self, filename: str) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.ReceivedAgain, filename=filename)

    def record_inspected(self, **facts: Any) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Inspected, **facts)

    def reject(self, reason: str) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Rejected, reason=reason)

    def start_reading(self, *, from_batch: int) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.ReadingStarted, from_batch=from_batch)

    def record_read(self, *, batches: int, messages: int) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Read, batches=batches, messages=messages)

    def finish_embedding(self, *, model: str, embedded: int, reused: int) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.EmbeddingFinished, model=model, embedded=embedded, reused=reused)

    def fail(self, *, stage: str, reason: str, attempt: int, is_final: bool) -> None:
        self.trigger_event(
            self.Failed, stage=stage, reason=reason, attempt=attempt, is_final=is_final
        )

    def request_retry(self, options: dict[str, Any] | None = None) -> None:
        """
        With other options than before, or with the same where none are given.

        Also where no failure is known: a job that was discarded or lost leaves none behind.
        """
        self._require_not_withdrawn()
        if self.stage == "searchable" and not self.has_failed:
            raise NothingToRetryError(f"upload {self.id} is searchable and has not failed")
        options = options or self.options
        if options != self.options and self.stage not in {"received", "rejected"}:
            raise OptionsSettledError(
                f"upload {self.id} is {self.stage} with the options it was sent with, and goes on "
                "with them; try it again without other options"
            )
        self.trigger_event(self.RetryRequested, options=options)

    def withdraw(self) -> None:
        self._require_not_withdrawn()
        self.trigger_event(self.Withdrawn)

    def _require_not_withdrawn(self) -> None:
        if self.stage == "withdrawn":
            raise UploadWithdrawnError(str(self.id))

    @event(ReceivedAgain)
    def _apply_received_again(self, filename: str) -> None:
        """Changes nothing: the fact is what matters."""

    @event(Inspected)
    def _apply_inspected(
        self, format: str, reader_version: int, messages: int, system: int
    ) -> None:
        self.format = format
        self.reader_version = reader_version
        self.inspected_messages = messages + system
        self.stage = "inspected"

    @event(Rejected)
    def _apply_rejected(self) -> None:
        self.stage = "rejected"

    @event(ReadingStarted)
    def _apply_reading_started(self) -> None:
        self.stage = "reading"

    @event(Read)
    def _apply_read(self, batches: int) -> None:
        self.batches = batches
        self.stage = "read"

    @event(EmbeddingFinished)
    def _apply_embedding_finished(self) -> None:
        self.stage = "searchable"
        self.has_failed = False

    @event(Failed)
    def _apply_failed(self) -> None:
        self.has_failed = True

    @event(RetryRequested)
    def _apply_retry_requested(self, options: dict[str, Any]) -> None:
        self.options = options
        self.has_failed = False
        if self.stage == "rejected":
            self.stage = "received"

    @event(Withdrawn)
    def _apply_withdrawn(self) -> None:
        self.stage = "withdrawn"


class RefusedUpload(Aggregate):
    """Bytes that never became an upload: too large, cut off, no room. Nothing of them is kept."""

    TOPIC = "refused_upload"

    class Refused(Creation):
        TOPIC = "upload.refused"
        filename: str
        received: int  # bytes that had arrived
        reason: str
        personal: ClassVar[dict[str, str]] = {
            "filename": "originator_id",
            "reason": "originator_id",
        }

    @event(Refused)
    def __init__(self, *, filename: str, received: int, reason: str) -> None:
        self.filename = filename
        self.received = received
        self.reason = reason

    @classmethod
    def refuse(cls, *, id: UUID, filename: str, received: int, reason: str) -> RefusedUpload:
        return cls._create(cls.Refused, id=id, filename=filename, received=received, reason=reason)
