"""What can happen to an upload."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.aggregate import Aggregate, Creation


class UploadEvents:
    """Known as `Upload.Received`, and so on."""

    class Received(Creation):
        TOPIC = "upload.received"
        class_version = 3
        workspace_id: str
        blob: str  # address in the blob store: a keyed hash, 64 hex digits
        size: int  # bytes
        sha256: str  # of the file's bytes, 64 hex digits
        filename: str
        options: dict[
            str, Any
        ]  # what the person said: timezone, date_order, columns, format, merge
        after: str | None  # id of the withdrawn upload that had the same bytes
        is_confirmed: bool  # may be read without asking again, as far as the file decides how
        personal: ClassVar[dict[str, str]] = {
            "filename": "originator_id",
            "sha256": "originator_id",
        }

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["after"] = None

        @staticmethod
        def upcast_v2_v3(state: dict[str, Any]) -> None:
            state["is_confirmed"] = True

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

    class HeldBack(Aggregate.Event):
        """What it holds is known, as far as the file tells. A person has to answer first."""

        TOPIC = "upload.held_back"
        questions: list[str]  # confirmation, date_order, format

    class InspectionRequested(Aggregate.Event):
        """Somebody wants to see what it holds, perhaps read otherwise, before it is confirmed."""

        TOPIC = "upload.inspection_requested"
        options: dict[str, Any]  # what the person says now, instead of what was said before

    class Confirmed(Aggregate.Event):
        """Its messages are to be recorded."""

        TOPIC = "upload.confirmed"
        options: dict[str, Any]  # with which they are to be read

    class Rejected(Aggregate.Event):
        """The file cannot be read as a chat export. Trying again needs another decision."""

        TOPIC = "upload.rejected"
        reason: str
        personal: ClassVar[dict[str, str]] = {"reason": "originator_id"}

    class ReadingStarted(Aggregate.Event):
        TOPIC = "upload.reading_started"
        class_version = 2
        from_batch: int  # 0, or where a killed worker stopped
        # Which conversations of the export are which of the archive: own, into (pseudonymous ids),
        # authors (own id -> the archive's), shifts ([earliest, since, minutes]), slack
        # (microseconds), rule (in words). What the transcripts say follows from it.
        matches: list[dict[str, Any]]

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["matches"] = []

    class Read(Aggregate.Event):
        TOPIC = "upload.read"
        class_version = 2
        batches: int
        messages: int  # system notices included
        # Conversations of the archive that have turned out to be one with another of its own: what
        # brought them is to be read again, so that they become it.
        joins: list[str]

        @staticmethod
        def upcast_v1_v2(state: dict[str, Any]) -> None:
            state["joins"] = []

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
        """Somebody took it back. Readers no longer see what only this upload had."""

        TOPIC = "upload.withdrawn"

    class Downloaded(Aggregate.Event):
        """Somebody was given the bytes back, or a part of them."""

        TOPIC = "upload.downloaded"
        first_byte: int
        last_byte: int
