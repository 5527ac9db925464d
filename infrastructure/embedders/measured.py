"""Any embedder, with what it does counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from application.ports.embedder import Embedder, EmbeddingModel
from infrastructure.observability.metrics import metrics


class MeasuredEmbedder:
    """
    Args:
        purpose: what its texts are: "uploads" or "queries".
    """

    def __init__(self, embedder: Embedder, purpose: str) -> None:
        self.embedder = embedder
        self._purpose = purpose

    @property
    def model(self) -> EmbeddingModel:
        return self.embedder.model

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        began_at = time.perf_counter()
        vectors = self.embedder.embed(texts, on_progress=on_progress)
        own = metrics()
        own.embedded_texts.labels(self._purpose).inc(len(texts))
        own.embedding_seconds.labels(self._purpose).inc(time.perf_counter() - began_at)
        return vectors
