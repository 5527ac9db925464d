"""Every event by topic. What is not listed here cannot be stored or read."""

from __future__ import annotations

from domain.search import Search
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from domain.workspace import Workspace

AGGREGATES = (Workspace, Upload, RefusedUpload, Transcript, TranscriptEmbedding, Search)

EVENTS = {
    event.TOPIC: event
    for event in (
        Workspace.Created,
        Upload.Received,
        Upload.ReceivedAgain,
        Upload.Inspected,
        Upload.Rejected,
        Upload.ReadingStarted,
        Upload.Read,
        Upload.EmbeddingFinished,
        Upload.Failed,
        Upload.RetryRequested,
        Upload.Withdrawn,
        RefusedUpload.Refused,
        Transcript.Recorded,
        TranscriptEmbedding.Recorded,
        Search.Performed,
    )
}
