"""Embed the texts of an upload that have no vector yet, and record the vectors as facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
from eventsourcing.persistence import IntegrityError

from application.archive import Archive
from application.ports.embedder import Embedder
from application.ports.jobs import Stopped
from application.ports.vectors import VectorCatalogue
from application.uploads import UntilWithdrawn, amend, system_context
from domain.transcript import Transcript, TranscriptEmbedding, vector_row
from domain.upload import Upload

# Texts that are embedded together. More of them means less padding, fewer means livelier progress
# and less work lost to a kill.
WINDOW = 4_096
# Transcripts that wait for a window to fill: where most texts are known, few batches fill none.
WINDOW_BATCHES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedUpload:
    upload_id: UUID


@dataclass(slots=True)
class PendingBatch:
    """One transcript's share of a window."""

    batch: int
    texts: int  # messages to be embedded in the transcript
    # subject -> text keys whose vectors this transcript records
    fresh: dict[str, list[UUID]] = field(default_factory=dict)

    @property
    def fresh_texts(self) -> int:
        return sum(map(len, self.fresh.values()))


class EmbedUploadHandler:
    def __init__(self, archive: Archive, embedder: Embedder, catalogue: VectorCatalogue) -> None:
        self._archive = archive
        self._embedder = embedder
        self._catalogue = catalogue

    def __call__(self, command: EmbedUpload, *, should_stop: Callable[[], bool]) -> None:
        """
        Safe to run again at any point: transcripts that have their vectors are passed over.

        One at a time for each upload: see the job's lock. Where two uploads share a text and are
        embedded at the same moment, both may embed it; the read model keeps the first.

        Raises:
            Stopped: when asked to; what was recorded stays.
        """
        upload = self._archive.load(Upload, command.upload_id)
        if upload.stage != "read":
            return
        watch = UntilWithdrawn(self._archive, upload.id, should_stop)
        try:
            self._embed(upload, watch)
        except Stopped:
            if not watch.is_withdrawn:
                raise

    def _embed(self, upload: Upload, should_stop: Callable[[], bool]) -> None:
        # The texts of earlier uploads, and of an earlier run of this one.
        self._catalogue.catch_up(self._archive.event_log.head(), should_stop=should_stop)
        run = EmbeddingRun(self._archive, self._embedder, self._catalogue, upload)
        for window in run.windows(should_stop):
            run.embed(window, should_stop)

        def finish(current: Upload) -> bool:
            # Another worker finished it, it was withdrawn meanwhile, or this job was discarded.
            if (current.stage, current.times_given_up) != ("read", upload.times_given_up):
                return False
            current.finish_embedding(
                model=self._embedder.model.id, embedded=run.embedded, reused=run.reused
            )
            return True

        amend(self._archive, run.context, upload.id, finish)


class EmbeddingRun:
    """The embedding of one upload from where it stands."""

    def __init__(
        self, archive: Archive, embedder: Embedder, catalogue: VectorCatalogue, upload: Upload
    ) -> None:
        self._archive = archive
        self._embedder = embedder
        self._catalogue = catalogue
        self._upload = upload
        self._model = embedder.model
        self._seen: set[UUID] = set()
        self._texts: dict[UUID, str] = {}  # of the current window
        self.context = system_context(archive, upload)
        self.embedded = 0
        self.reused = 0

    def windows(self, should_stop: Callable[[], bool]) -> Iterator[list[PendingBatch]]:
        window: list[PendingBatch] = []
        for batch in range(self._upload.batches):
            if should_stop():
                raise Stopped
            earlier = self._recorded(batch)
            if earlier is not None:
                self._count(earlier)
                continue
            window.append(self._pending(batch))
            if len(self._texts) >= WINDOW or len(window) == WINDOW_BATCHES:
                yield window
                window = []
        if window:
            yield window

    def embed(self, window: list[PendingBatch], should_stop: Callable[[], bool]) -> None:
        def heed(texts_done: int) -> None:
            del texts_done
            if should_stop():
                raise Stopped

        keys = list(self._texts)
        rows: dict[UUID, bytes] = {}
        if keys:
            vectors = self._embedder.embed([self._texts[key] for key in keys], on_progress=heed)
            rows = dict(zip(keys, pack(keys, vectors), strict=True))
        self._texts = {}
        for pending in window:
            self._record(pending, rows)

    def _record(self, pending: PendingBatch, rows: dict[UUID, bytes]) -> None:
        reused = pending.texts - pending.fresh_texts
        fact = TranscriptEmbedding.record(
            upload_id=self._upload.id,
            batch=pending.batch,
            model=self._model.id,
            dimensions=self._model.dimensions,
            embedded=pending.fresh_texts,
            reused=reused,
            counts={subject: len(keys) for subject, keys in pending.fresh.items()},
            vectors={
                subject: b"".join(rows[key] for key in keys)
                for subject, keys in pending.fresh.items()
            },
        )
        try:
            self._archive.record(self.context, fact)
        except IntegrityError:
            # A worker that was thought dead recorded it: what it says is what counts.
            earlier = self._recorded(pending.batch)
            if earlier is None:
                raise
            self._count(earlier)
        else:
            self.embedded += pending.fresh_texts
            self.reused += reused

    def _count(self, earlier: TranscriptEmbedding.Recorded) -> None:
        self.embedded += earlier.embedded
        self.reused += earlier.reused

    def _recorded(self, batch: int) -> TranscriptEmbedding.Recorded | None:
        stream = TranscriptEmbedding.create_id(self._upload.id, batch, self._model.id)
        for event in self._archive.events.get(stream):
            if isinstance(event, TranscriptEmbedding.Recorded):
                return event
        return None

    def _pending(self, batch: int) -> PendingBatch:
        transcript = self._transcript(batch)
        found: dict[UUID, tuple[str, str]] = {}  # text key -> subject, text
        for subject, block in transcript.blocks.items():
            for _, fields in block["messages"]:
                if "text_key" in fields:
                    found.setdefault(UUID(fields["text_key"]), (subject, fields["text"]))
        unseen = found.keys() - self._seen
        unseen -= self._catalogue.known(self._upload.workspace_id, self._model.id, unseen)
        self._seen |= found.keys()
        pending = PendingBatch(batch, transcript.texts)
        for key, (subject, text) in found.items():
            if key in unseen:
                pending.fresh.setdefault(subject, []).append(key)
                self._texts[key] = text
        return pending

    def _transcript(self, batch: int) -> Any:
        for event in self._archive.events.get(Transcript.create_id(self._upload.id, batch)):
            if isinstance(event, Transcript.Recorded):
                return event
        raise LookupError(f"upload {self._upload.id} has no transcript {batch}")


def pack(keys: list[UUID], vectors: Any) -> list[bytes]:
    """
    Args:
        vectors: shape (len(keys), dimensions).

    Returns:
        One packed row for each key.
    """
    rows = np.empty(len(keys), dtype=np.dtype(vector_row(vectors.shape[1])))
    rows["text_key"] = np.frombuffer(b"".join(key.bytes for key in keys), dtype="V16")
    rows["vector"] = vectors
    return [row.tobytes() for row in rows]
