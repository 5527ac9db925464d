"""
Stored events, one for each topic and version, kept for ever: `tests/samples/events`.

`python -m tests.support.event_samples` writes those that are missing. It never changes one that
is there: what was stored once must stay readable.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.context import LOCAL_OWNER, Context
from domain.export import Export
from domain.job import JobDiscard, JobRetry
from domain.label import LabelBook, Labelling
from domain.opening import Opening
from domain.projection import Projection
from domain.saved_search import SavedSearch, ToldHits
from domain.search import Search, SearchReplay
from domain.topics import EVENTS
from domain.transcript import Transcript, TranscriptEmbedding
from domain.upload import RefusedUpload, Upload
from domain.workspace import Workspace
from infrastructure.keys.keyring import KeyRing
from infrastructure.log.mapper import SealingMapper

FOLDER = Path(__file__).parents[1] / "samples" / "events"
AT = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
ALICE, ROOM = str(UUID(int=0xA11CE)), str(UUID(int=0x400))
STREAM, UPLOAD = UUID(int=1), str(UUID(int=2))

LABEL = str(UUID(int=6))
LABELLED: dict[str, Any] = {
    "label_id": LABEL,
    "name": "to check",
    "conversation_id": ROOM,
    "is_on_conversation": True,
    "message_ids": [1_024, 1_025],
    "keys": {ALICE: [[1_024, "k1"]], ROOM: [[1_025, "k2"]]},
}

# topic -> the fields of today's version
EXAMPLES: dict[str, dict[str, Any]] = {
    Workspace.Created.TOPIC: {"originator_topic": "workspace", "name": "Team"},
    Upload.Received.TOPIC: {
        "originator_topic": "upload",
        "workspace_id": str(UUID(int=3)),
        "blob": "ab" * 32,
        "size": 1_234,
        "sha256": "cd" * 32,
        "filename": "chat.txt",
        "options": {"timezone": "Europe/Berlin"},
        "after": None,
        "is_confirmed": False,
    },
    Upload.ReceivedAgain.TOPIC: {"filename": "chat (1).txt"},
    Upload.Inspected.TOPIC: {
        "format": "whatsapp",
        "reader_version": 1,
        "reason": "lines start with a date and a name",
        "timezone": "Europe/Berlin",
        "date_order": "dmy",
        "conversations": 1,
        "messages": 2,
        "system": 1,
        "authors": 1,
        "first_at": "2026-01-02T10:00:00+00:00",
        "last_at": "2026-01-02T10:05:00+00:00",
        "unknown_keys": {"extra.key": 2},
        "is_complete": False,
        "warnings": [{"file": "chat.txt", "line": 3, "reason": "no date"}],
    },
    Upload.HeldBack.TOPIC: {"questions": ["confirmation", "date_order"]},
    Upload.InspectionRequested.TOPIC: {"options": {"format": "whatsapp"}},
    Upload.Confirmed.TOPIC: {"options": {"date_order": "dmy"}},
    Upload.Rejected.TOPIC: {"reason": "chat.txt: the file is empty"},
    Upload.ReadingStarted.TOPIC: {
        "from_batch": 1,
        "matches": [
            {
                "own": str(UUID(int=0x401)),
                "into": ROOM,
                "authors": {str(UUID(int=0xA11CF)): ALICE},
                "shifts": [[0, 1_700_000_000_000_000, 60]],
                "slack": 0,
                "rule": "9 of 10 longer texts in the common time are the same, 1 hour apart",
            }
        ],
    },
    Upload.Read.TOPIC: {"batches": 2, "messages": 3, "joins": [ROOM]},
    Upload.EmbeddingFinished.TOPIC: {"model": "m@1/p1", "embedded": 2, "reused": 1},
    Upload.Failed.TOPIC: {"stage": "reading", "reason": "gone", "attempt": 1, "is_final": False},
    Upload.RetryRequested.TOPIC: {"options": {"date_order": "mdy"}},
    Upload.Withdrawn.TOPIC: {},
    Upload.Downloaded.TOPIC: {"first_byte": 0, "last_byte": 1_233},
    Export.Made.TOPIC: {
        "originator_topic": "export",
        "kind": "rsmf",
        "format": "rsmf",
        "conversation_id": None,
        "topics": [],
        "after": 0,
        "up_to": 41,
        "first_byte": 0,
        "last_byte": None,
        "selection": {
            "conversation_ids": [ROOM],
            "since": "2026-01-01T00:00:00+00:00",
            "until": "2026-02-01T00:00:00+00:00",
            "search": 40,
            "context": 2,
        },
        "limit": None,
    },
    RefusedUpload.Refused.TOPIC: {
        "originator_topic": "refused_upload",
        "filename": "big.zip",
        "received": 10,
        "reason": "more than 10 bytes",
    },
    Transcript.Recorded.TOPIC: {
        "originator_topic": "transcript",
        "upload_id": UPLOAD,
        "batch": 0,
        "format": "whatsapp",
        "texts": 1,
        "conversations": [ROOM],
        "authors": [ALICE],
        "slots": [
            [0, 0, 1_700_000_000_000_000, "message"],
            [0, -1, 1_700_000_001_000_000, "system"],
        ],
        "blocks": {
            ROOM: {
                "source": "Plans",
                "title": "Plans",
                "kind": "group",
                "messages": [
                    [1, {"key": "k2", "text": "joined", "precision": "minute", "zone": "assumed"}]
                ],
            },
            ALICE: {
                "source": "Alice",
                "name": "Alice",
                "messages": [
                    [
                        0,
                        {
                            "key": "k1",
                            "text": "Hello",
                            "text_key": str(UUID(int=5)),
                            "precision": "minute",
                            "zone": "assumed",
                            "reactions": [["👍", [ALICE], 1]],
                            "attachments": [["a.jpg", "image/jpeg", 10]],
                        },
                    ]
                ],
            },
        },
    },
    TranscriptEmbedding.Recorded.TOPIC: {
        "originator_topic": "transcript_embedding",
        "upload_id": UPLOAD,
        "batch": 0,
        "model": "m@1/p1",
        "dimensions": 2,
        "embedded": 1,
        "reused": 0,
        "counts": {ALICE: 1},
        "vectors": {ALICE: UUID(int=5).bytes + b"\x00\x3c\x00\x00"},
    },
    Search.Performed.TOPIC: {
        "originator_topic": "search",
        "searcher_id": str(LOCAL_OWNER),
        "query": "hello",
        "mode": "hybrid",
        "filters": {},
        "model": "m@1/p1",
        "position": 7,
        "hits": [1_024],
        "is_partial": False,
        "milliseconds": 1.5,
        "sort": "relevance",
        "time_zone": "Europe/Berlin",
        "limit": 10,
        "after": [7, 6, 0, 0.5, 2_048],
        "alone": None,
        "like": None,
        "messages_position": 7,
        "vectors_position": 6,
        "engine": "faiss",
        "has_words_in_memory": True,
        "saved_search_id": None,
    },
    SearchReplay.Replayed.TOPIC: {
        "originator_topic": "search_replay",
        "search_position": 8,
        "hits_then": 1,
        "hits_as_of_then": [1_024],
        "hits_today": [2_048, 1_024],
        "position": 9,
        "model": "m@1/p1",
        "notes": ["edited"],
        "milliseconds": 1.5,
    },
    SavedSearch.Saved.TOPIC: {
        "originator_topic": "saved_search",
        "workspace_id": str(UUID(int=3)),
        "owner_id": str(LOCAL_OWNER),
        "name": "Jackets",
        "query": "life jackets after:7d",
        "mode": "hybrid",
        "filters": {"authors": ["Ada"]},
        "sort": "newest",
        "time_zone": "Europe/Berlin",
    },
    SavedSearch.Renamed.TOPIC: {"owner_id": str(LOCAL_OWNER), "name": "Life jackets"},
    SavedSearch.Deleted.TOPIC: {},
    ToldHits.Told.TOPIC: {
        "originator_topic": "told_hits",
        "saved_search_id": str(UUID(int=6)),
        "hits": [1_024, 2_048],
    },
    Opening.Opened.TOPIC: {
        "originator_topic": "opening",
        "message_ids": [1_024, 2_048],
        "conversation_ids": [ROOM, ROOM],
    },
    Projection.Registered.TOPIC: {"originator_topic": "projection", "name": "messages"},
    Projection.RebuildRequested.TOPIC: {
        "name": "messages",
        "wish": 1,
        "version": 2,
        "replaces": 1,
    },
    Projection.RollBackRequested.TOPIC: {
        "name": "messages",
        "wish": 2,
        "version": 1,
        "replaces": 2,
    },
    Projection.SwitchedOver.TOPIC: {"name": "messages", "wish": 1, "version": 2},
    Projection.OperationFailed.TOPIC: {
        "name": "messages",
        "wish": 3,
        "operation": "rebuild",
        "reason": "the disk is full",
    },
    JobRetry.Retried.TOPIC: {
        "originator_topic": "job_retry",
        "job_id": 7,
        "task": "uploads:read",
        "attempts": 5,
    },
    JobDiscard.Discarded.TOPIC: {
        "originator_topic": "job_discard",
        "job_id": 7,
        "task": "uploads:read",
        "was_running": True,
    },
    LabelBook.Opened.TOPIC: {"originator_topic": "label_book", "workspace_id": str(UUID(int=3))},
    LabelBook.Created.TOPIC: {
        "label_id": LABEL,
        "name": "to check",
        "colour": "#3366cc",
        "description": "Somebody has to look at it",
    },
    LabelBook.Renamed.TOPIC: {"label_id": LABEL, "name": "checked", "before": "to check"},
    LabelBook.Deleted.TOPIC: {"label_id": LABEL, "name": "checked"},
    Labelling.Begun.TOPIC: {"originator_topic": "labelling", **LABELLED},
    Labelling.PutOn.TOPIC: LABELLED,
    Labelling.TakenOff.TOPIC: LABELLED,
}


class SampleKeys:
    """A key ring with keys that the samples carry along."""

    def __init__(self, keys: dict[str, str] | None = None) -> None:
        self.keys = dict(keys or {})

    def ensure(self, subjects: Iterable[UUID]) -> dict[UUID, AESGCM]:
        wanted = set(subjects)
        for subject in wanted:
            if str(subject) not in self.keys:
                self.keys[str(subject)] = base64.b64encode(AESGCM.generate_key(256)).decode()
        return self.get(wanted)

    def get(self, subjects: Iterable[UUID]) -> dict[UUID, AESGCM]:
        return {
            subject: AESGCM(base64.b64decode(self.keys[str(subject)]))
            for subject in subjects
            if str(subject) in self.keys
        }


def mapper(keys: SampleKeys) -> SealingMapper:
    return SealingMapper(cast("KeyRing", keys))


def path_of(topic: str, version: int) -> Path:
    return FOLDER / f"{topic}.v{version}.json"


def write_missing() -> list[Path]:
    written = []
    for topic, cls in EVENTS.items():
        path = path_of(topic, cls.class_version)
        if not path.exists():
            path.write_text(json.dumps(sample(topic), indent=1, ensure_ascii=False) + "\n", "utf-8")
            written.append(path)
    return written


def sample(topic: str) -> dict[str, Any]:
    keys = SampleKeys()
    event = object.__new__(EVENTS[topic])
    fields = EXAMPLES[topic]
    vars(event).update(fields, originator_id=STREAM, originator_version=1, timestamp=AT)
    context = Context(actor_id=LOCAL_OWNER, workspace_id=None, origin={"channel": "cli"})
    stored = mapper(keys).to_recordable(event, context)
    return {
        "topic": topic,
        "originator_id": str(stored.originator_id),
        "originator_version": stored.originator_version,
        "state": stored.state.decode(),
        "keys": keys.keys,
        "opened": {name: readable(value) for name, value in fields.items()},
    }


def readable(value: Any) -> Any:
    """JSON has no bytes."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: readable(inner) for key, inner in value.items()}
    return value


if __name__ == "__main__":
    for path in write_missing():
        print(path)  # noqa: T201
