"""Every event by topic. What is not listed here cannot be stored or read."""

from __future__ import annotations

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

AGGREGATES = (
    Workspace,
    Upload,
    RefusedUpload,
    Transcript,
    TranscriptEmbedding,
    Search,
    SearchReplay,
    SavedSearch,
    ToldHits,
    Opening,
    Export,
    Projection,
    JobRetry,
    JobDiscard,
    LabelBook,
    Labelling,
)

EVENTS = {
    event.TOPIC: event
    for event in (
        Workspace.Created,
        Upload.Received,
        Upload.ReceivedAgain,
        Upload.Inspected,
        Upload.HeldBack,
        Upload.InspectionRequested,
        Upload.Confirmed,
        Upload.Rejected,
        Upload.ReadingStarted,
        Upload.Read,
        Upload.EmbeddingFinished,
        Upload.Failed,
        Upload.RetryRequested,
        Upload.Withdrawn,
        Upload.Downloaded,
        RefusedUpload.Refused,
        Transcript.Recorded,
        TranscriptEmbedding.Recorded,
        Search.Performed,
        SearchReplay.Replayed,
        SavedSearch.Saved,
        SavedSearch.Renamed,
        SavedSearch.Deleted,
        ToldHits.Told,
        Opening.Opened,
        Export.Made,
        Projection.Registered,
        Projection.RebuildRequested,
        Projection.RollBackRequested,
        Projection.SwitchedOver,
        Projection.OperationFailed,
        JobRetry.Retried,
        JobDiscard.Discarded,
        LabelBook.Opened,
        LabelBook.Created,
        LabelBook.Renamed,
        LabelBook.Deleted,
        Labelling.Begun,
        Labelling.PutOn,
        Labelling.TakenOff,
    )
}
