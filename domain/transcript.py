"""A batch of messages of one upload, and the vectors of their texts: one immutable fact each."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID, uuid5

from eventsourcing.domain import event

from domain.aggregate import CHATLEDGER_NAMESPACE, Aggregate, Creation

BATCH_SIZE = 500  # messages
# What an event brings, a message or a vector, is numbered by its position times this, and its place
# in it: never reused.
IDS_PER_POSITION = 1_024
# And the id: nobody knows any more which message of a source it was, since its author was erased.
ERASED_KEY = "erased-"


class Transcript(Aggregate):
    """
    Up to 500 messages. The id follows from upload and batch, so the store refuses a repetition.

    What a person wrote is sealed with that person's key. What stays readable after an erasure is
    the frame only: which conversation and author by pseudonym, when, and of what kind.
    """

    TOPIC = "transcript"

    class Recorded(Creation):
        TOPIC = "transcript.recorded"
        upload_id: str
        batch: int  # 0-based
        format: str
        texts: int  # messages whose text is to be embedded
        conversations: list[str]  # pseudonymous ids
        authors: list[str]  # pseudonymous ids
        # one row a message: [index in conversations, index in authors or -1, unix microseconds,
        # kind]; the row's index is the message's ordinal
        slots: list[list[Any]]
        # subject id -> {"name", "source", "messages": [[ordinal, fields]]}; the subject is an
        # author, or the conversation for its title and the system's notices
        blocks: dict[str, Any]
        personal_by_subject: ClassVar[tuple[str, ...]] = ("blocks",)

    @staticmethod
    def create_id(upload_id: UUID, batch: int) -> UUID:
        return uuid5(CHATLEDGER_NAMESPACE, f"transcript/{upload_id}/{batch}")

    @classmethod
    def record(cls, *, upload_id: UUID, batch: int, **facts: Any) -> Transcript:
        return cls._create(
            cls.Recorded,
            id=cls.create_id(upload_id, batch),
            upload_id=str(upload_id),
            batch=batch,
            **facts,
        )

    @event(Recorded)
    def __init__(
        self,
        *,
        upload_id: str,
        batch: int,
        format: str,
        texts: int,
        conversations: list[str],
        authors: list[str],
        slots: list[list[Any]],
        blocks: dict[str, Any],
    ) -> None:
        del (
            format,
            texts,
            conversations,
            authors,
            blocks,
        )  # a transcript has one fact and no next decision
        self.upload_id = UUID(upload_id)
        self.batch = batch
        self.size = len(slots)


def vector_row(dimensions: int) -> list[tuple[Any, ...]]:
    """The fields of a packed row of `TranscriptEmbedding.Recorded`, as numpy names them."""
    return [("text_key", "V16"), ("vector", "<f2", (dimensions,))]


class TranscriptEmbedding(Aggregate):
    """The vectors of one transcript's texts under one model, as far as no earlier fact has them."""

    TOPIC = "transcript_embedding"

    class Recorded(Creation):
        TOPIC = "transcript_embedding.recorded"
        upload_id: str
        batch: int
        model: str  # EmbeddingModel.id
        dimensions: int
        embedded: int  # vectors recorded here
        reused: int  # texts of this transcript whose vector an earlier fact has
        counts: dict[str, int]  # subject id -> rows; numbers them even after an erasure
        # subject id -> packed rows, see `vector_row`
        vectors: dict[str, bytes]
        personal_by_subject: ClassVar[tuple[str, ...]] = ("vectors",)

    @staticmethod
    def create_id(upload_id: UUID, batch: int, model: str) -> UUID:
        return uuid5(CHATLEDGER_NAMESPACE, f"embedding/{upload_id}/{batch}/{model}")

    @classmethod
    def record(
        cls,
        *,
        upload_id: UUID,
        batch: int,
        model: str,
        dimensions: int,
        embedded: int,
        reused: int,
        counts: dict[str, int],
        vectors: dict[str, bytes],
    ) -> TranscriptEmbedding:
        return cls._create(
            cls.Recorded,
            id=cls.create_id(upload_id, batch, model),
            upload_id=str(upload_id),
            batch=batch,
            model=model,
            dimensions=dimensions,
            embedded=embedded,
            reused=reused,
            counts=counts,
            vectors=vectors,
        )

    @event(Recorded)
    def __init__(
        self,
        *,
        upload_id: str,
        batch: int,
        model: str,
        dimensions: int,
        embedded: int,
        reused: int,
        counts: dict[str, int],
        vectors: dict[str, bytes],
    ) -> None:
        del upload_id, batch, dimensions, reused, counts, vectors
        self.model = model
        self.embedded = embedded
