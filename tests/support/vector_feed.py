"""Vectors in an archive without texts and models: recorded as facts, projected, searchable."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4

import numpy as np
from numpy.typing import NDArray

from application.commands.embed_upload import pack
from application.ports.embedder import EmbeddingModel
from domain.transcript import TranscriptEmbedding
from infrastructure.projections.runner import ProjectionRunner
from projections.vectors.projection import VectorsReadModel
from tests.support.archive import Ledger

BATCH = 500
DIMENSIONS = 16


def unit_vectors(count: int, *, seed: int = 0, dimensions: int = DIMENSIONS) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    normed: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return normed


@dataclass(slots=True)
class VectorFeed:
    """All under one model that nobody else has, so that tests may share a database."""

    ledger: Ledger
    segment_rows: int = 25_000
    model: EmbeddingModel = field(init=False)
    runner: ProjectionRunner = field(init=False)
    rows: dict[UUID, NDArray[np.float32]] = field(default_factory=dict)  # by text key

    def __post_init__(self) -> None:
        self.model = EmbeddingModel(
            name=f"feed-{uuid4().hex}",
            revision="0" * 64,
            preprocessing=1,
            dimensions=DIMENSIONS,
            max_tokens=8,
        )
        read_model = VectorsReadModel(segment_rows=self.segment_rows)
        self.runner = ProjectionRunner(self.ledger.pool, self.ledger.reader, [read_model])
        self.runner.ensure_all()

    def add(self, vectors: NDArray[np.float32], *, workspace_id: UUID | None = None) -> int:
        """Returns the position at which the read model has them."""
        keys = [uuid4() for _ in vectors]
        self.rows.update(zip(keys, vectors, strict=True))
        subject = str(uuid4())
        changes = {} if workspace_id is None else {"workspace_id": workspace_id}
        for start in range(0, len(vectors), BATCH):
            part = slice(start, start + BATCH)
            fact = TranscriptEmbedding.record(
                upload_id=uuid4(),
                batch=0,
                model=self.model.id,
                dimensions=DIMENSIONS,
                embedded=len(keys[part]),
                reused=0,
                counts={subject: len(keys[part])},
                vectors={subject: b"".join(pack(keys[part], vectors[part]))},
            )
            self.ledger.record(fact, **changes)
        self.advance()
        return self.ledger.head()

    def advance(self) -> None:
        assert not self.runner.advance("vectors")

    def text_keys(self, vector_ids: list[int]) -> list[UUID]:
        with self.ledger.pool.connection() as connection:
            rows = connection.execute(
                "SELECT vector_id, text_key FROM read.text_vector WHERE vector_id = ANY(%s)",
                (vector_ids,),
            ).fetchall()
        found = {row[0]: row[1] for row in rows}
        return [found[id_] for id_ in vector_ids]
