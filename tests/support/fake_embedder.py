"""An embedder without a model: texts that share words are near each other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from application.ports.embedder import EmbeddingModel

DIMENSIONS = 384
WORDS = re.compile(r"\w+")


class HashEmbedder:
    """The normalised sum of one random vector a word; instant, and the same in every process."""

    def __init__(self, *, threads: int | None = None) -> None:
        self.calls: list[int] = []  # how many texts each call had

    @property
    def model(self) -> EmbeddingModel:
        return EmbeddingModel(
            name="hashed-words",
            revision="0" * 64,
            preprocessing=1,
            dimensions=DIMENSIONS,
            max_tokens=256,
        )

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        self.calls.append(len(texts))
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        for row, text in enumerate(texts):
            words = WORDS.findall(text.lower())[: self.model.max_tokens] or [""]
            total = np.sum([vector_of(word) for word in words], axis=0)
            vectors[row] = total / np.linalg.norm(total)
        if texts and on_progress is not None:
            on_progress(len(texts))
        return vectors


@lru_cache(maxsize=50_000)
def vector_of(word: str) -> NDArray[np.float64]:
    digest = blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
    return np.random.default_rng(int.from_bytes(digest)).normal(size=DIMENSIONS)
