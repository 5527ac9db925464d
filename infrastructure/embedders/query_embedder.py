"""The embedder of queries: nobody waits long for a model that is still being loaded."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from application.ports.embedder import Embedder, EmbeddingModel, ModelLoadingError

PATIENCE_SECONDS = 2.0  # less than a model takes that is not in any cache
ModelState = Literal["unused", "loading", "loaded", "broken"]


class QueryEmbedder:
    """
    Whoever comes first loads the model; others who come meanwhile are told to come again, so that
    searches do not hold all threads of a server that has just begun.
    """

    def __init__(self, embedder: Embedder, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.embedder = embedder
        self.state: ModelState = "unused"
        self._patience_seconds = patience_seconds
        self._loading = threading.Lock()

    @property
    def model(self) -> EmbeddingModel:
        return self.embedder.model

    def load(self) -> None:
        """
        Load the model if that is not done yet.

        Raises:
            ModelLoadingError: if somebody else is loading it, and has not done so in time.
            EmbedderUnavailableError: if it cannot be loaded; the next one who asks tries again.
        """
        if not self._loading.acquire(timeout=self._patience_seconds):
            raise ModelLoadingError
        try:
            if self.state != "loaded":
                self.state = "loading"
                self.embedder.embed(["the first query"])
                self.state = "loaded"
        except BaseException:
            self.state = "broken"
            raise
        finally:
            self._loading.release()

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """
        As the port says.

        Raises:
            ModelLoadingError: as `load`.
        """
        if self.state != "loaded":
            self.load()
        return self.embedder.embed(texts, on_progress=on_progress)
