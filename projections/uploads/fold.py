"""What each event changes in the row of its upload."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from projections.contract import RecordedEvent, storable

ShownStage = Literal[
    "received",
    "inspected",
    "reading",
    "read",
    "searchable",
    "rejected",  # the file cannot be read
    "failed",  # a step broke, and is not tried again by itself
    "withdrawn",
    "refused",  # it never became an upload
]


@dataclass(slots=True, kw_only=True)
class UploadState:
    """A row of the table, field by field."""

    workspace_id: UUID
    upload_id: UUID
    filename: str
    size: int  # bytes; of a refused one those that had arrived
    received_at: datetime
    updated_at: datetime
    position: int  # of the event that last changed the row
    sha256: str | None = None  # None: refused
    reached: ShownStage = "received"  # whether or not it failed since
    has_failed: bool = False
    format: str | None = None
    conversations: int | None = None  # None, as the next ones: not inspected yet
    messages: int | None = None  # system notices excluded
    system: int | None = None
    authors: int | None = None
    first_at: datetime | None = None
    last_at: datetime | None = None
    is_complete: bool | None = None  # False: a broken tail was left out
    warnings: list[dict[str, Any]] = field(default_factory=list)  # file, line, reason
    questions: list[str] = field(default_factory=list)  # it is held back until they are answered
    batches: int | None = None  # None: not read to its end yet
    batches_recorded: int = 0
    messages_recorded: int = 0  # system notices included
    texts: int = 0  # of the recorded messages, to be embedded
    texts_embedded: int = 0  # those that have a vector, new or reused
    model: str | None = None  # under which texts_embedded counts
    attempts: int = 0  # of the step that failed last
    error: str | None = None

    def goes_on(self, reached: ShownStage | None = None) -> None:
        """Something succeeded: what failed before it was overcome."""
        self.reached = reached or self.reached
        self.questions = []
        self.has_failed = False
        self.error = None


def upload_of(event: Any) -> UUID:
    if isinstance(event, Transcript.Recorded | TranscriptEmbedding.Recorded):
        return UUID(event.upload_id)
    upload: UUID = event.originator_id
    return upload


def create(recorded: RecordedEvent, workspace_id: UUID) -> UploadState:
    event = recorded.event
    state = UploadState(
        workspace_id=workspace_id,
        upload_id=event.originator_id,
        filename=storable(event.filename),
        size=0,
        received_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
        position=recorded.position,
    )
    match event:
        case Upload.Received():
            state.size, state.sha256 = event.size, str(event.sha256)
        case RefusedUpload.Refused():
            state.size, state.reached = event.received, "refused"
            state.error = storable(event.reason)
    return state


def fold(state: UploadState, recorded: RecordedEvent) -> None:
    """
    Raises:
        TypeError: if it is not an event that follows after the first one of an upload.
    """
    event = recorded.event
    match event:
        case Upload.ReceivedAgain():
            pass
        case Upload.Inspected():
            inspect(state, event)
        case Upload.Rejected():
            state.reached, state.error = "rejected", storable(event.reason)
        case Upload.ReadingStarted():
            state.goes_on("reading")
        case Transcript.Recorded():
            state.goes_on()
            state.batches_recorded += 1
            state.messages_recorded += len(event.slots)
            state.texts += event.texts
        case Upload.Read():
            state.goes_on("read")
            state.batches = event.batches
        case TranscriptEmbedding.Recorded():
            embed(state, event)
        case Upload.EmbeddingFinished():
            state.goes_on("searchable")
        case Upload.Failed():
            state.has_failed = event.is_final and state.reached != "withdrawn"
            state.error, state.attempts = storable(event.reason), event.attempt
        case _:
            decide(state, event)
    state.updated_at, state.position = recorded.recorded_at, recorded.position


def decide(state: UploadState, event: Any) -> None:
    """What waits for people, and what they want."""
    match event:
        case Upload.HeldBack():
            state.goes_on("inspected")
            state.questions = list(event.questions)
        case Upload.InspectionRequested():
            state.goes_on("received")
        case Upload.Confirmed():
            state.goes_on()
        case Upload.RetryRequested():
            is_anew = state.reached == "rejected" or bool(state.questions)
            state.goes_on("received" if is_anew else None)
        case Upload.Withdrawn():
            state.goes_on("withdrawn")
        case other:
            raise TypeError(f"uploads cannot digest {type(other).__name__}")


def inspect(state: UploadState, event: Any) -> None:
    state.goes_on("inspected")
    state.format = event.format
    state.conversations = event.conversations
    state.messages = event.messages
    state.system = event.system
    state.authors = event.authors
    state.first_at = moment(event.first_at)
    state.last_at = moment(event.last_at)
    state.is_complete = event.is_complete
    # What an erasure leaves of them is a word, not a list.
    warnings = [] if isinstance(event.warnings, str) else event.warnings
    state.warnings = [
        {key: storable(value) if isinstance(value, str) else value for key, value in w.items()}
        for w in warnings
    ]


def embed(state: UploadState, event: Any) -> None:
    state.goes_on()
    # A later model embeds the same texts again, which makes the upload no more complete.
    state.model = state.model or event.model
    if state.model == event.model:
        state.texts_embedded += event.embedded + event.reused


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
