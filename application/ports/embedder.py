"""Port: texts become vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class EmbedderUnavailableError(Exception):
    """The model cannot be loaded or did not answer; the message says why."""

    is_quotable = True


class ModelLoadingError(Exception):
    """It takes some seconds more; nothing is wrong."""

    is_quotable = True

    def __init__(self) -> None:
        super().__init__("The search model is being loaded: try again in a few seconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddingModel:
    """What a vector depends on. Two vectors compare only if all of it is equal."""

    name: str  # e.g. "all-MiniLM-L6-v2"
    revision: str  # SHA-256 of the weights, 64 hex digits
    preprocessing: int  # version of the steps from text to tokens
    dimensions: int
    max_tokens: int  # longer texts are cut here

    @property
    def id(self) -> str:
        """Short and stable; stored beside every vector."""
        return f"{self.name}@{self.revision[:12]}/p{self.preprocessing}"


class Embedder(Protocol):
    @property
    def model(self) -> EmbeddingModel: ...

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """
        Embed texts; the answer is in their order.

        Blocks while it computes: call it off the event loop. Safe to call from several threads.

        Args:
            texts: any number, each of any length; what is beyond max_tokens does not count.
            on_progress: called with the number of texts done since the last call; what it raises
                ends the embedding and is raised here.

        Returns:
            Array of shape (len(texts), dimensions), C-contiguous; every row has L2 norm 1.

        Raises:
            EmbedderUnavailableError: if the model cannot be loaded.
        """
        ...
