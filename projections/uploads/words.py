"""The line that an event adds to its upload's log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

from domain.message import READING_ENDED
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from projections.contract import storable
from projections.wording import counted, size_in_words, wanted

Level = Literal["info", "warning", "error"]


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
    again = " It had been withdrawn before." if event.after else ""
    return Line("info", f"Received «{event.filename}», {size_in_words(event.size)}.{again}")


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


def held_back(event: Any) -> Line:
    return Line("info", f"Held back: it is read once somebody says {wanted(event)}.")


def inspection_requested(event: Any) -> Line:
    return Line("info", f"To be inspected{said(event)}.")


def confirmed(event: Any) -> Line:
    return Line("info", f"Confirmed{said(event)}.")


def said(event: Any) -> str:
    """What the person decided."""
    told = [
        f"{name.replace('_', ' ')} {', '.join(value) if name == 'columns' else value}"
        for name, value in event.options.items()
    ]
    return f", with {', '.join(told)}" if told else ""


def rejected(event: Any) -> Line:
    return Line("error", f"Not readable: {event.reason}")


def reading_started(event: Any) -> Line:
    if event.from_batch == 0:
        merged = [match["rule"] for match in event.matches if match["own"] != match["into"]]
        if len(merged) > 1:
            more = counted(len(merged), "conversation")
            return Line("info", f"Reading started. {more} merged into conversations of before.")
        told = f" Merged into a conversation of before: {merged[0]}." if merged else ""
        return Line("info", f"Reading started.{told}")
    return Line("info", f"Reading goes on with batch {event.from_batch + 1}.")


def read(event: Any) -> Line:
    messages = counted(event.messages, "message")
    return Line("info", f"Read: {messages} in {counted(event.batches, 'batch', 'batches')}.")


def embedding_finished(event: Any) -> Line:
    embedded = counted(event.embedded, "text")
    known = f"{event.reused:,} known already"
    return Line("info", f"Searchable by meaning: {embedded} embedded, {known}.")


def failed(event: Any) -> Line:
    what = (
        f"{event.stage.capitalize()} failed (attempt {event.attempt}): {event.reason.rstrip('.')}."
    )
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
    Upload.HeldBack.TOPIC: held_back,
    Upload.InspectionRequested.TOPIC: inspection_requested,
    Upload.Confirmed.TOPIC: confirmed,
    Upload.Rejected.TOPIC: rejected,
    Upload.ReadingStarted.TOPIC: reading_started,
    Upload.Read.TOPIC: read,
    Upload.EmbeddingFinished.TOPIC: embedding_finished,
    Upload.Failed.TOPIC: failed,
    Upload.RetryRequested.TOPIC: retry_requested,
    Upload.Withdrawn.TOPIC: withdrawn,
    RefusedUpload.Refused.TOPIC: refused,
}
