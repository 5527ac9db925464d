"""Each event in one sentence, of which the actor is the subject."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.export import Export
from domain.job import JobDiscard, JobRetry
from domain.label import LabelBook, Labelling
from domain.opening import Opening
from domain.projection import Projection
from domain.saved_search import SavedSearch, ToldHits
from domain.search import Search, SearchReplay
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from domain.workspace import Workspace
from projections.wording import counted, size_in_words, wanted

CONVERSATIONS_NAMED = 5
MESSAGES_NAMED = 5
MODES = {"hybrid": "by meaning and words", "meaning": "by meaning", "words": "by words"}


def workspace_created(event: Workspace.Created) -> str:
    return f"created the workspace «{event.name}»"


def upload_received(event: Upload.Received) -> str:
    again = ", once more after it was withdrawn" if event.after else ""
    return f"uploaded «{event.filename}» ({size_in_words(event.size)}){again}"


def upload_received_again(event: Upload.ReceivedAgain) -> str:
    return f"uploaded the same file again, as «{event.filename}»"


def upload_inspected(event: Upload.Inspected) -> str:
    return (
        f"recognised a {event.format} export: {counted(event.messages, 'message')} of "
        f"{counted(event.authors, 'person', 'people')} in "
        f"{counted(event.conversations, 'conversation')} ({of_upload(event.originator_id)})"
    )


def upload_held_back(event: Upload.HeldBack) -> str:
    return f"holds {of_upload(event.originator_id)} back until somebody says {wanted(event)}"


def upload_inspection_requested(event: Upload.InspectionRequested) -> str:
    return f"asked what {of_upload(event.originator_id)} holds"


def upload_confirmed(event: Upload.Confirmed) -> str:
    return f"confirmed {of_upload(event.originator_id)}"


def upload_rejected(event: Upload.Rejected) -> str:
    return f"rejected {of_upload(event.originator_id)}: {event.reason}"


def upload_reading_started(event: Upload.ReadingStarted) -> str:
    where = f" from batch {event.from_batch + 1}" if event.from_batch else ""
    return f"started to read {of_upload(event.originator_id)}{where}"


def upload_read(event: Upload.Read) -> str:
    read = (
        f"read {of_upload(event.originator_id)}: {counted(event.messages, 'message')} in "
        f"{counted(event.batches, 'batch', 'batches')}"
    )
    if not event.joins:
        return read
    found = counted(len(event.joins), "conversation")
    return f"{read}; it joins {found} to others, and what brought them is read again"


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


def upload_downloaded(event: Upload.Downloaded) -> str:
    where = f" from byte {event.first_byte:,} on" if event.first_byte else ""
    return f"downloaded the file of {of_upload(event.originator_id)}{where}"


def export_made(event: Export.Made) -> str:
    what = {
        "events": "the log",
        "audit_trail": "the audit trail",
        "messages": f"conversation {str(event.conversation_id)[:8]}",
        "rsmf": selected(event.selection),
        "search": hits_of(event.selection, event.limit),
    }[event.kind]
    form = event.format.upper() if event.kind == "rsmf" else event.format
    return (
        f"exported {what} as {form}, up to position {event.up_to:,}"
        f"{part_of_export(event.first_byte, event.last_byte)}"
    )


def hits_of(selection: Mapping[str, Any] | None, limit: int | None) -> str:
    what = selected(selection)
    return f"all {what.removeprefix('the ')}" if limit is None else f"{what}, at most {limit:,},"


def selected(selection: Mapping[str, Any] | None) -> str:
    """Which messages: every condition, as it was set."""
    if selection is None:
        return "all messages"
    what = "all messages"
    if (search := selection["search"]) is not None:
        what = f"the hits of the search at position {search:,}"
        if around := selection["context"]:
            what += f", {counted(around, 'message')} before and after each"
    if ids := selection["conversation_ids"]:
        named = ", ".join(id[:8] for id in ids[:CONVERSATIONS_NAMED])
        more = len(ids) - CONVERSATIONS_NAMED
        named += f" and {more:,} more" if more > 0 else ""
        what += f", of {'conversation' if len(ids) == 1 else 'conversations'} {named}"
    if (since := selection["since"]) is not None:
        what += f", sent from {since} on"
    if (until := selection["until"]) is not None:
        what += f", sent before {until}"
    return what


def part_of_export(first: int, last: int | None) -> str:
    """Nothing, if it is the whole."""
    if last is not None:
        return f", bytes {first:,} to {last:,} of it"
    return f", from byte {first:,} on" if first else ""


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


def search_replayed(event: SearchReplay.Replayed) -> str:
    hits = counted(event.hits_then, "hit")
    return (
        f"replayed the search at position {event.search_position:,}: {hits} then, "
        f"{len(event.hits_as_of_then):,} as of then, {len(event.hits_today):,} today"
    )


def search_saved(event: SavedSearch.Saved) -> str:
    return f"saved the search «{event.query}» as «{event.name}»"


def saved_search_renamed(event: SavedSearch.Renamed) -> str:
    return f"renamed saved search {str(event.originator_id)[:8]} to «{event.name}»"


def saved_search_deleted(event: SavedSearch.Deleted) -> str:
    return f"deleted saved search {str(event.originator_id)[:8]}"


def hits_told(event: ToldHits.Told) -> str:
    hits = counted(len(event.hits), "new hit")
    return f"was told of {hits} of saved search {event.saved_search_id[:8]}"


def message_opened(event: Opening.Opened) -> str:
    ids = event.message_ids
    conversations = set(event.conversation_ids)
    where = f"conversation {event.conversation_ids[0][:8]}"
    if len(conversations) > 1:
        where = counted(len(conversations), "conversation")
    if len(ids) == 1:
        return f"opened message {ids[0]} of {where}"
    named = ", ".join(map(str, ids[:MESSAGES_NAMED]))
    more = len(ids) - MESSAGES_NAMED
    named += f" and {more:,} more" if more > 0 else ""
    return f"opened {counted(len(ids), 'message')} of {where}: {named}"


def projection_registered(event: Projection.Registered) -> str:
    return f"asked something of the read model {event.name} for the first time"


def projection_rebuild_requested(event: Projection.RebuildRequested) -> str:
    return f"asked for the read model {event.name} to be built anew"


def projection_roll_back_requested(event: Projection.RollBackRequested) -> str:
    return f"asked for the read model {event.name} to be rolled back"


def projection_switched_over(event: Projection.SwitchedOver) -> str:
    return f"let readers of {event.name} see version {event.version}"


def projection_operation_failed(event: Projection.OperationFailed) -> str:
    what = "roll back" if event.operation == "roll_back" else event.operation
    return f"could not {what} the read model {event.name}: {event.reason}"


def job_retried(event: JobRetry.Retried) -> str:
    tries = counted(event.attempts, "attempt")
    return f"put job {event.job_id} ({event.task}) back into the queue after {tries}"


def job_discarded(event: JobDiscard.Discarded) -> str:
    how = ", which was running" if event.was_running else ""
    return f"discarded job {event.job_id} ({event.task}){how}"


def label_book_opened(event: LabelBook.Opened) -> str:
    del event
    return "made the first label of the workspace"


def label_created(event: LabelBook.Created) -> str:
    return f"created the label «{event.name}»"


def label_renamed(event: LabelBook.Renamed) -> str:
    return f"renamed the label «{event.before}» to «{event.name}»"


def label_deleted(event: LabelBook.Deleted) -> str:
    return f"deleted the label «{event.name}»"


def label_put_on(event: Labelling.Begun | Labelling.PutOn) -> str:
    return f"put the label «{event.name}» on {labelled(event)}"


def label_taken_off(event: Labelling.TakenOff) -> str:
    return f"took the label «{event.name}» off {labelled(event)}"


def labelled(event: Labelling.Begun | Labelling.PutOn | Labelling.TakenOff) -> str:
    conversation = f"conversation {event.conversation_id[:8]}"
    if not event.message_ids:
        return conversation
    messages = counted(len(event.message_ids), "message")
    if event.is_on_conversation:
        return f"{conversation} and {messages} of it"
    return f"{messages} of {conversation}"


WORDS: Mapping[str, Callable[[Any], str]] = {
    Workspace.Created.TOPIC: workspace_created,
    Upload.Received.TOPIC: upload_received,
    Upload.ReceivedAgain.TOPIC: upload_received_again,
    Upload.Inspected.TOPIC: upload_inspected,
    Upload.HeldBack.TOPIC: upload_held_back,
    Upload.InspectionRequested.TOPIC: upload_inspection_requested,
    Upload.Confirmed.TOPIC: upload_confirmed,
    Upload.Rejected.TOPIC: upload_rejected,
    Upload.ReadingStarted.TOPIC: upload_reading_started,
    Upload.Read.TOPIC: upload_read,
    Upload.EmbeddingFinished.TOPIC: upload_embedding_finished,
    Upload.Failed.TOPIC: upload_failed,
    Upload.RetryRequested.TOPIC: upload_retry_requested,
    Upload.Withdrawn.TOPIC: upload_withdrawn,
    Upload.Downloaded.TOPIC: upload_downloaded,
    Export.Made.TOPIC: export_made,
    RefusedUpload.Refused.TOPIC: upload_refused,
    Transcript.Recorded.TOPIC: transcript_recorded,
    TranscriptEmbedding.Recorded.TOPIC: transcript_embedding_recorded,
    Search.Performed.TOPIC: search_performed,
    SearchReplay.Replayed.TOPIC: search_replayed,
    SavedSearch.Saved.TOPIC: search_saved,
    SavedSearch.Renamed.TOPIC: saved_search_renamed,
    SavedSearch.Deleted.TOPIC: saved_search_deleted,
    ToldHits.Told.TOPIC: hits_told,
    Opening.Opened.TOPIC: message_opened,
    Projection.Registered.TOPIC: projection_registered,
    Projection.RebuildRequested.TOPIC: projection_rebuild_requested,
    Projection.RollBackRequested.TOPIC: projection_roll_back_requested,
    Projection.SwitchedOver.TOPIC: projection_switched_over,
    Projection.OperationFailed.TOPIC: projection_operation_failed,
    JobRetry.Retried.TOPIC: job_retried,
    JobDiscard.Discarded.TOPIC: job_discarded,
    LabelBook.Opened.TOPIC: label_book_opened,
    LabelBook.Created.TOPIC: label_created,
    LabelBook.Renamed.TOPIC: label_renamed,
    LabelBook.Deleted.TOPIC: label_deleted,
    Labelling.Begun.TOPIC: label_put_on,
    Labelling.PutOn.TOPIC: label_put_on,
    Labelling.TakenOff.TOPIC: label_taken_off,
}


def of_upload(upload_id: Any) -> str:
    """Long enough to tell uploads apart, short enough to read."""
    return f"upload {str(upload_id)[:8]}"
