"""Each event in one sentence, of which the actor is the subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.search import Search
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from domain.workspace import Workspace

KIB = 1024
MODES = {"hybrid": "by meaning and words", "meaning": "by meaning", "words": "by words"}


def workspace_created(event: Workspace.Created) -> str:
    return f"created the workspace «{event.name}»"


def upload_received(event: Upload.Received) -> str:
    return f"uploaded «{event.filename}» ({size_in_words(event.size)})"


def upload_received_again(event: Upload.ReceivedAgain) -> str:
    return f"uploaded the same file again, as «{event.filename}»"


def upload_inspected(event: Upload.Inspected) -> str:
    return (
        f"recognised a {event.format} export: {counted(event.messages, 'message')} of "
        f"{counted(event.authors, 'person', 'people')} in "
        f"{counted(event.conversations, 'conversation')} ({of_upload(event.originator_id)})"
    )


def upload_rejected(event: Upload.Rejected) -> str:
    return f"rejected {of_upload(event.originator_id)}: {event.reason}"


def upload_reading_started(event: Upload.ReadingStarted) -> str:
    where = f" from batch {event.from_batch + 1}" if event.from_batch else ""
    return f"started to read {of_upload(event.originator_id)}{where}"


def upload_read(event: Upload.Read) -> str:
    return (
        f"read {of_upload(event.originator_id)}: {counted(event.messages, 'message')} in "
        f"{counted(event.batches, 'batch', 'batches')}"
    )


def upload_embedding_finished(event: Upload.EmbeddingFinished) -> str:
    return (
        f"made {of_upload(event.originator_id)} searchable by meaning: "
        f"{counted(event.embedded, 'text')} embedded, {event.reused:,} known already"
    )


def upload_failed(event: Upload.Failed) -> str:
    end = "gave up" if event.is_final else "will try again"
    return (
        f"failed at {event.stage} of {of_upload(event.originator_id)}, attempt {event.attempt}, "
        f"and {end}: {event.reason}"
    )


def upload_retry_requested(event: Upload.RetryRequested) -> str:
    return f"asked to try {of_upload(event.originator_id)} again"


def upload_withdrawn(event: Upload.Withdrawn) -> str:
    return f"withdrew {of_upload(event.originator_id)}"


def upload_refused(event: RefusedUpload.Refused) -> str:
    got = size_in_words(event.received)
    return f"was refused the upload of «{event.filename}» after {got}: {event.reason}"


def transcript_recorded(event: Transcript.Recorded) -> str:
    verb = "was" if len(event.slots) == 1 else "were"
    return (
        f"{counted(len(event.slots), 'message')} of "
        f"{counted(len(event.authors), 'person', 'people')} {verb} recorded "
        f"(batch {event.batch + 1} of {of_upload(event.upload_id)})"
    )


def transcript_embedding_recorded(event: TranscriptEmbedding.Recorded) -> str:
    verb = "was" if event.embedded == 1 else "were"
    return (
        f"{counted(event.embedded, 'text')} {verb} embedded and {event.reused:,} known already "
        f"(batch {event.batch + 1} of {of_upload(event.upload_id)}, {event.model})"
    )


def search_performed(event: Search.Performed) -> str:
    how = MODES.get(event.mode, event.mode)
    hits = counted(len(event.hits), "hit")
    return f"searched for «{event.query}» {how}: {hits} in {event.milliseconds:.0f} ms"


WORDS: Mapping[str, Callable[[Any], str]] = {
    Workspace.Created.TOPIC: workspace_created,
    Upload.Received.TOPIC: upload_received,
    Upload.ReceivedAgain.TOPIC: upload_received_again,
    Upload.Inspected.TOPIC: upload_inspected,
    Upload.Rejected.TOPIC: upload_rejected,
    Upload.ReadingStarted.TOPIC: upload_reading_started,
    Upload.Read.TOPIC: upload_read,
    Upload.EmbeddingFinished.TOPIC: upload_embedding_finished,
    Upload.Failed.TOPIC: upload_failed,
    Upload.RetryRequested.TOPIC: upload_retry_requested,
    Upload.Withdrawn.TOPIC: upload_withdrawn,
    RefusedUpload.Refused.TOPIC: upload_refused,
    Transcript.Recorded.TOPIC: transcript_recorded,
    TranscriptEmbedding.Recorded.TOPIC: transcript_embedding_recorded,
    Search.Performed.TOPIC: search_performed,
}


def of_upload(upload_id: Any) -> str:
    """Long enough to tell uploads apart, short enough to read."""
    return f"upload {str(upload_id)[:8]}"


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size_in_words(size: int) -> str:
    """
    Args:
        size: bytes.
    """
    if size < KIB:
        return counted(size, "byte")
    amount = size / KIB
    for unit in ("KB", "MB", "GB"):
        if amount < KIB:
            return f"{amount:.1f} {unit}"
        amount /= KIB
    return f"{amount:.1f} TB"
