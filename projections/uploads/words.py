"""The line that an event adds to its upload's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from domain.message import READING_ENDED
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from projections.contract import storable

Level = Literal["info", "warning", "error"]
KIB = 1024


class Line(NamedTuple):
    level: Level
    text: str


def line(event: Any) -> Line | None:
    """None: batches show in the upload's counts; thousands of lines would hide the others."""
    if isinstance(event, Transcript.Recorded | TranscriptEmbedding.Recorded):
        return None
    level, text = LINES[event.TOPIC](event)
    return Line(level, storable(text))


def received(event: Any) -> Line:
    return Line("info", f"Received «{event.filename}», {size_in_words(event.size)}.")


def received_again(event: Any) -> Line:
    return Line("info", f"The same file came once more, as «{event.filename}».")


def refused(event: Any) -> Line:
    got = size_in_words(event.received)
    return Line("error", f"Refused «{event.filename}» after {got}: {event.reason}")


def inspected(event: Any) -> Line:
    text = (
        f"Recognised as {event.format}: {counted(event.messages, 'message')} of "
        f"{counted(event.authors, 'person', 'people')} in "
        f"{counted(event.conversations, 'conversation')}."
    )
    warnings = [] if isinstance(event.warnings, str) else event.warnings  # a word if erased
    if warnings:
        text += f" {counted(len(warnings), 'warning')}."
    if not event.is_complete:
        text += " The end of the file is broken and was left out."
    for end in warnings:
        if end["reason"].endswith(READING_ENDED):
            text += f" {place(end)}: {end['reason']}."
    return Line("warning" if warnings or not event.is_complete else "info", text)


def place(warning: Mapping[str, Any]) -> str:
    line = warning["line"]
    return str(warning["file"]) if line is None else f"{warning['file']}, line {line}"


def rejected(event: Any) -> Line:
    return Line("error", f"Not readable: {event.reason}")


def reading_started(event: Any) -> Line:
    if event.from_batch == 0:
        return Line("info", "Reading started.")
    return Line("info", f"Reading goes on with batch {event.from_batch + 1}.")


def read(event: Any) -> Line:
    messages = counted(event.messages, "message")
    return Line("info", f"Read: {messages} in {counted(event.batches, 'batch', 'batches')}.")


def embedding_finished(event: Any) -> Line:
    embedded = counted(event.embedded, "text")
    known = f"{event.reused:,} known already"
    return Line("info", f"Searchable by meaning: {embedded} embedded, {known}.")


def failed(event: Any) -> Line:
    what = f"{event.stage.capitalize()} failed (attempt {event.attempt}): {event.reason}"
    if event.is_final:
        return Line("error", f"{what} Given up.")
    return Line("warning", f"{what} It will be tried again.")


def retry_requested(event: Any) -> Line:
    del event
    return Line("info", "Another attempt was asked for.")


def withdrawn(event: Any) -> Line:
    del event
    return Line("info", "Withdrawn.")


LINES: Mapping[str, Callable[[Any], Line]] = {
    Upload.Received.TOPIC: received,
    Upload.ReceivedAgain.TOPIC: received_again,
    Upload.Inspected.TOPIC: inspected,
    Upload.Rejected.TOPIC: rejected,
    Upload.ReadingStarted.TOPIC: reading_started,
    Upload.Read.TOPIC: read,
    Upload.EmbeddingFinished.TOPIC: embedding_finished,
    Upload.Failed.TOPIC: failed,
    Upload.RetryRequested.TOPIC: retry_requested,
    Upload.Withdrawn.TOPIC: withdrawn,
    RefusedUpload.Refused.TOPIC: refused,
}


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
