"""Embedding an upload: each text once, as a fact, whatever stops it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from application.commands import embed_upload
from application.commands.embed_upload import EmbedUpload, EmbedUploadHandler, pack
from application.ports.embedder import EmbedderUnavailableError
from application.ports.jobs import Stopped
from application.ports.vectors import VectorsLaggingError
from domain.message import Message
from domain.transcript import TranscriptEmbedding, vector_row
from domain.upload import Upload
from projections.vectors.binary import unpack
from tests.support.archive import Ledger
from tests.support.chats import History, message
from tests.support.fake_embedder import DIMENSIONS, HashEmbedder
from tests.support.shared_ledger import own_ledger, recorded_in, shared_ledger

__all__ = ["own_ledger", "shared_ledger"]

MODEL = HashEmbedder().model.id


def never() -> bool:
    return False


def stopping_after(questions: int) -> Callable[[], bool]:
    asked = itertools.count()
    return lambda: next(asked) >= questions


@dataclass
class LogCatalogue:
    """Knows what the log says: what the vectors read model knows once it has caught up."""

    ledger: Ledger
    keys: set[UUID] = field(default_factory=set)
    is_lagging: bool = False

    def catch_up(self, position: int, *, should_stop: Callable[[], bool]) -> None:
        if self.is_lagging:
            raise VectorsLaggingError("not within a minute")
        assert position == self.ledger.head()
        self.keys = {key for fact in facts(self.ledger) for key in vectors_of(fact)}

    def known(self, workspace_id: UUID, model: str, text_keys: Collection[UUID]) -> set[UUID]:
        assert (workspace_id, model) == (self.ledger.workspace_id, MODEL)
        return self.keys & set(text_keys)


@dataclass
class Desk:
    ledger: Ledger
    embedder: HashEmbedder = field(default_factory=HashEmbedder)

    def __post_init__(self) -> None:
        self.catalogue = LogCatalogue(self.ledger)
        self.history = History(self.ledger)

    def upload(self, *messages: Message, parts: int = 1) -> UUID:
        return self.history.upload(*messages, parts=parts)

    def embed(self, upload_id: UUID, should_stop: Callable[[], bool] = never) -> None:
        handler = EmbedUploadHandler(self.ledger.archive, self.embedder, self.catalogue)
        handler(EmbedUpload(upload_id=upload_id), should_stop=should_stop)

    def finished(self) -> list[tuple[str, int, int]]:
        found = recorded_in(self.ledger, self.ledger.workspace_id, Upload.EmbeddingFinished)
        return [(r.event.model, r.event.embedded, r.event.reused) for r in found]

    def text_key(self, text: str) -> UUID:
        return self.ledger.pseudonyms.text(self.ledger.workspace_id, text)


def facts(ledger: Ledger) -> list[Any]:
    found = recorded_in(ledger, ledger.workspace_id, TranscriptEmbedding.Recorded)
    return [recorded.event for recorded in found]


def vectors_of(fact: Any) -> dict[UUID, NDArray[np.float16]]:
    return {
        UUID(bytes=row["text_key"].tobytes()): row["vector"]
        for packed in fact.vectors.values()
        for row in unpack(packed, fact.dimensions)
    }


def content(ledger: Ledger) -> list[tuple[Any, ...]]:
    return [
        (f.originator_id, f.batch, f.embedded, f.reused, f.counts, f.vectors) for f in facts(ledger)
    ]


def talk(count: int) -> list[Message]:
    """Every third text is one that was said before."""
    return [message(n, f"text {n % 3 and n}", author=f"P{n % 4}") for n in range(count)]


def test_every_text_gets_its_vector_under_the_person_who_said_it_first(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    upload = desk.upload(message(0, "ship"), message(1, "rain", author="Bob"), message(2, "ship"))
    desk.embed(upload)
    [fact] = facts(own_ledger)
    ada, bob = str(desk.history.author("Ada")), str(desk.history.author("Bob"))

    assert set(vectors_of(fact)) == {desk.text_key("ship"), desk.text_key("rain")}
    assert fact.counts == {ada: 1, bob: 1}
    assert (fact.embedded, fact.reused, fact.model) == (2, 1, MODEL)
    assert desk.finished() == [(MODEL, 2, 1)]
    assert own_ledger.archive.load(Upload, upload).stage == "searchable"


def test_vectors_are_recorded_as_float16_and_hardly_differ(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    texts = [f"word{n} and word{n * 7}" for n in range(50)]
    desk.embed(desk.upload(*(message(n, text) for n, text in enumerate(texts))))
    stored = vectors_of(facts(own_ledger)[0])
    original = HashEmbedder().embed(texts)
    kept = np.stack([stored[desk.text_key(text)] for text in texts])

    assert kept.dtype == np.dtype("<f2")
    wide = kept.astype(np.float64)
    cosines = np.sum(wide * original, axis=1) / np.linalg.norm(wide, axis=1)
    assert cosines.min() > 0.9999


def test_a_text_is_embedded_once_within_an_upload(own_ledger: Ledger) -> None:
    """Also where its messages are in transcripts of the same window."""
    desk = Desk(own_ledger)
    desk.embed(desk.upload(*(message(n, "ok") for n in range(9)), parts=3))

    assert desk.embedder.calls == [1]
    assert [(f.embedded, f.reused) for f in facts(own_ledger)] == [(1, 2), (0, 3), (0, 3)]
    assert desk.finished() == [(MODEL, 1, 8)]


def test_a_text_is_embedded_once_across_uploads(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    desk.embed(desk.upload(message(0, "ok"), message(1, "fine")))
    desk.embed(desk.upload(message(5, "ok"), message(6, "new"), message(7, "fine")))

    assert desk.embedder.calls == [2, 1]
    assert desk.finished() == [(MODEL, 2, 0), (MODEL, 1, 2)]


def test_a_repeated_job_changes_nothing(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    upload = desk.upload(message(0))
    desk.embed(upload)
    head = own_ledger.head()
    desk.embed(upload)

    assert own_ledger.head() == head
    assert desk.embedder.calls == [1]


def test_an_upload_without_texts_is_finished_without_the_model(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    desk.embed(desk.upload(message(0, "joined", author=None, kind="system")))

    assert desk.embedder.calls == []
    assert desk.finished() == [(MODEL, 0, 0)]
    assert [(f.embedded, f.counts) for f in facts(own_ledger)] == [(0, {})]


@pytest.mark.parametrize("recorded", range(5))
def test_going_on_after_a_kill_between_two_batches_ends_in_the_same_log(
    own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch, recorded: int
) -> None:
    """With windows of one transcript and of many."""
    desk = Desk(own_ledger)
    upload = desk.upload(*talk(60), parts=5)
    archive = own_ledger.archive
    record, left = archive.record, itertools.count()

    def record_until_killed(*args: Any, **kwargs: Any) -> int:
        if next(left) == recorded:
            raise KeyboardInterrupt
        return record(*args, **kwargs)

    monkeypatch.setattr(archive, "record", record_until_killed)
    with pytest.raises(KeyboardInterrupt):
        desk.embed(upload)
    monkeypatch.undo()
    assert len(facts(own_ledger)) == recorded
    monkeypatch.setattr(embed_upload, "WINDOW", 1)
    desk.embed(upload)

    texts = {m.text for m in talk(60)}
    assert sum(len(vectors_of(f)) for f in facts(own_ledger)) == len(texts)
    assert {key for f in facts(own_ledger) for key in vectors_of(f)} == set(
        map(desk.text_key, texts)
    )
    assert [f.batch for f in facts(own_ledger)] == [0, 1, 2, 3, 4]
    assert desk.finished() == [(MODEL, len(texts), 60 - len(texts))]
    # The same in one run of large windows: 40 texts are new, "text 0" in the first batch only.
    assert [(f.embedded, f.reused) for f in facts(own_ledger)] == [(9, 3), *[(8, 4)] * 4]


def test_a_stop_is_heeded_before_the_first_batch(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    with pytest.raises(Stopped):
        desk.embed(desk.upload(message(0)), stopping_after(0))

    assert (desk.embedder.calls, facts(own_ledger)) == ([], [])


def test_a_stop_is_heeded_while_the_model_works(own_ledger: Ledger) -> None:
    """The model reports after each small batch, and what that raises ends the embedding."""

    class SlowEmbedder(HashEmbedder):
        done = 0

        def embed(
            self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
        ) -> NDArray[np.float32]:
            assert on_progress is not None
            for _ in texts:
                self.done += 1
                on_progress(1)
            return super().embed(texts)

    desk = Desk(own_ledger, SlowEmbedder())
    with pytest.raises(Stopped):
        desk.embed(desk.upload(*talk(30)), stopping_after(5))

    assert isinstance(desk.embedder, SlowEmbedder)
    assert desk.embedder.done == 5  # one question came before the first transcript
    assert facts(own_ledger) == []


def test_a_stop_is_heeded_where_all_texts_are_known(
    own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such batches never fill a window with texts: many of them are recorded all the same."""
    monkeypatch.setattr(embed_upload, "WINDOW_BATCHES", 2)
    desk = Desk(own_ledger)
    desk.embed(desk.upload(message(0, "ok")))
    again = desk.upload(*(message(n, "ok") for n in range(1, 7)), parts=6)
    with pytest.raises(Stopped):
        desk.embed(again, stopping_after(5))

    assert [f.batch for f in facts(own_ledger)] == [0, 0, 1, 2, 3]
    assert desk.embedder.calls == [1]


def test_a_fact_that_another_worker_recorded_counts_as_it_is(own_ledger: Ledger) -> None:
    """One that was thought dead records the same batch while we embed it."""

    class InterruptedEmbedder(HashEmbedder):
        def embed(
            self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
        ) -> NDArray[np.float32]:
            own_ledger.record(
                TranscriptEmbedding.record(
                    upload_id=upload,
                    batch=0,
                    model=MODEL,
                    dimensions=DIMENSIONS,
                    embedded=0,
                    reused=2,
                    counts={},
                    vectors={},
                )
            )
            return super().embed(texts, on_progress=on_progress)

    desk = Desk(own_ledger, InterruptedEmbedder())
    upload = desk.upload(message(0, "a"), message(1, "b"))
    desk.embed(upload)

    assert desk.finished() == [(MODEL, 0, 2)]
    assert len(facts(own_ledger)) == 1


def test_a_model_that_cannot_be_loaded_leaves_the_upload_as_it_was(own_ledger: Ledger) -> None:
    class NoEmbedder(HashEmbedder):
        def embed(self, texts: Sequence[str], **_: Any) -> NDArray[np.float32]:
            raise EmbedderUnavailableError("no such file")

    desk = Desk(own_ledger, NoEmbedder())
    upload = desk.upload(message(0))
    with pytest.raises(EmbedderUnavailableError):
        desk.embed(upload)

    assert own_ledger.archive.load(Upload, upload).stage == "read"
    assert facts(own_ledger) == []


def test_nothing_is_embedded_before_the_vectors_of_earlier_uploads_are_known(
    own_ledger: Ledger,
) -> None:
    desk = Desk(own_ledger)
    desk.catalogue.is_lagging = True
    with pytest.raises(VectorsLaggingError):
        desk.embed(desk.upload(message(0)))

    assert desk.embedder.calls == []


def test_a_row_is_the_key_and_little_endian_float16() -> None:
    keys = [UUID(int=1), UUID(int=2**100)]
    rows = pack(keys, np.array([[1.0, -0.5], [0.25, 2.0]], dtype=np.float32))

    assert rows[0] == keys[0].bytes + bytes.fromhex("003c00b8")
    assert rows[1] == keys[1].bytes + bytes.fromhex("00340040")
    assert np.dtype(vector_row(2)).itemsize == 20


@pytest.mark.parametrize("is_withdrawn", [False, True])
def test_what_happens_to_an_upload_while_it_is_embedded_does_not_make_the_job_fail(
    own_ledger: Ledger, *, is_withdrawn: bool
) -> None:
    desk = Desk(own_ledger)
    upload_id = desk.upload(*talk(3))

    def interfere() -> bool:
        upload = own_ledger.archive.load(Upload, upload_id)
        if is_withdrawn and upload.stage != "withdrawn":
            upload.withdraw()
        elif not is_withdrawn:
            upload.receive_again("copy.txt")
        own_ledger.record(upload)
        return False

    desk.embed(upload_id, interfere)
    stage = own_ledger.archive.load(Upload, upload_id).stage
    assert stage == ("withdrawn" if is_withdrawn else "searchable")


def test_vectors_belong_to_the_request_that_brought_the_texts(own_ledger: Ledger) -> None:
    desk = Desk(own_ledger)
    desk.embed(desk.upload(*talk(3)))
    kinds = (Upload.Read, TranscriptEmbedding.Recorded, Upload.EmbeddingFinished)
    read, vectors, finished = recorded_in(own_ledger, own_ledger.workspace_id, *kinds)
    assert vectors.correlation_id == finished.correlation_id == read.correlation_id
    assert vectors.causation_position == finished.causation_position == read.position


def test_a_job_that_is_discarded_while_it_runs_does_not_make_the_upload_searchable(
    own_ledger: Ledger,
) -> None:
    desk = Desk(own_ledger)
    upload_id = desk.upload(*talk(5))
    embed = desk.embedder.embed

    def discarded(*args: Any, **options: Any) -> Any:
        upload = own_ledger.archive.load(Upload, upload_id)
        upload.fail(stage="embedding", reason="discarded", attempt=1, is_final=True)
        own_ledger.record(upload)
        return embed(*args, **options)

    desk.embedder.embed = discarded  # type: ignore[method-assign]
    desk.embed(upload_id)
    assert desk.finished() == []
    assert own_ledger.archive.load(Upload, upload_id).has_failed
    desk.embed(upload_id)  # its job is tried again
    assert len(desk.finished()) == 1
