"""all-MiniLM-L6-v2 on this machine's processor."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from application.ports.embedder import EmbedderUnavailableError, EmbeddingModel
from infrastructure.embedders.batches import batches
from infrastructure.embedders.engine import Engine, EngineUnavailableError
from infrastructure.embedders.openvino_engine import OpenVinoEngine
from infrastructure.embedders.torch_engine import TorchEngine
from infrastructure.embedders.weights import MINILM, packaged_model, verify

log = logging.getLogger(__name__)

EngineName = Literal["auto", "openvino", "torch"]
WINDOW = 8_192  # texts tokenised, sorted and embedded together
LONE_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


class MiniLmEmbedder:
    """
    The sentence-transformers model, run by the fastest engine that the processor offers.

    Loads at the first call, or at `load`. Equal texts of a call are computed once. A text's
    vector is the same whatever else is in the call: to 1e-5 in float32, in bfloat16 to 0.9999 of
    cosine.

    One call computes at a time and others wait, so give queries an instance of their own with
    `threads=1`: a short query takes a few milliseconds there while an upload is embedded here.
    The weights are then in memory twice.
    """

    def __init__(
        self,
        *,
        threads: int | None = None,
        engine: EngineName = "auto",
        cache_dir: Path | None = None,
        model_dir: Path | None = None,
    ) -> None:
        """
        Args:
            threads: cores to use; None: all that this process may use.
            engine: "auto" takes OpenVINO, or PyTorch where OpenVINO cannot run.
            cache_dir: keeps OpenVINO's form of the model, so that the next start takes two
                seconds and not fifteen; None: it is made at every start.
            model_dir: where the model is; None: in its package.
        """
        self._threads = threads or len(os.sched_getaffinity(0))
        self._wanted = engine
        self._cache_dir = cache_dir
        self._model_dir = model_dir
        self._loading = Lock()
        self._loaded: tuple[Any, Engine] | None = None

    @property
    def model(self) -> EmbeddingModel:
        return MINILM

    @property
    def engine(self) -> str:
        """The engine at work and its number format. Loads the model."""
        return self._load()[1].name

    def load(self) -> None:
        """
        Make ready, so that the first call is as quick as the others.

        Raises:
            EmbedderUnavailableError: if the model cannot be loaded.
        """
        self._load()

    def embed(
        self, texts: Sequence[str], *, on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """As the port says. An error that on_progress raises ends the call."""
        vectors = np.empty((len(texts), MINILM.dimensions), dtype=np.float32)
        if not len(texts):
            return vectors
        tokenizer, engine = self._load()
        for start in range(0, len(texts), WINDOW):
            window = texts[start : start + WINDOW]
            self._embed(window, vectors[start : start + WINDOW], tokenizer, engine, on_progress)
        return vectors

    def _embed(
        self,
        texts: Sequence[str],
        vectors: NDArray[np.float32],
        tokenizer: Any,
        engine: Engine,
        on_progress: Callable[[int], None] | None,
    ) -> None:
        """Fill vectors, shape (len(texts), dimensions)."""
        encodings = tokenizer.encode_batch_fast([clean(text) for text in texts])
        places: dict[tuple[int, ...], list[int]] = {}
        for place, encoding in enumerate(encodings):
            places.setdefault(tuple(encoding.ids), []).append(place)
        tokens, targets = list(places), list(places.values())
        planned = batches(tokens, workers=engine.workers)
        try:
            with closing(engine.infer(planned)) as answers:
                for batch, answer in zip(planned, answers, strict=True):
                    for row, vector in zip(batch.rows, answer, strict=True):
                        vectors[targets[row]] = vector
                    if on_progress is not None:
                        on_progress(sum(len(targets[row]) for row in batch.rows))
        except EngineUnavailableError as error:
            raise EmbedderUnavailableError(str(error)) from error

    def _load(self) -> tuple[Any, Engine]:
        with self._loading:
            if self._loaded is None:
                started = time.perf_counter()
                folder = self._model_dir or packaged_model()
                verify(folder)
                self._loaded = load_tokenizer(folder), self._start(folder)
                took = time.perf_counter() - started
                log.info("%s loaded: %s, %.1f s", MINILM.id, self._loaded[1].name, took)
            return self._loaded

    def _start(self, folder: Path) -> Engine:
        reason = ""
        if self._wanted != "torch":
            try:
                return OpenVinoEngine(folder, threads=self._threads, cache_dir=self._cache_dir)
            except EngineUnavailableError as error:
                if self._wanted == "openvino":
                    raise EmbedderUnavailableError(str(error)) from error
                reason = f" ({error})"
                log.warning("embedding runs on PyTorch, at half the speed: %s", error)
        try:
            return TorchEngine(folder, threads=self._threads)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            message = f"PyTorch cannot run the model: {error}{reason}"
            raise EmbedderUnavailableError(message) from error


def load_tokenizer(folder: Path) -> Any:
    """
    The model's own tokenizer, cutting where sentence-transformers cuts.

    Raises:
        EmbedderUnavailableError: if it cannot be read.
    """
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EmbedderUnavailableError(f"the tokenizer cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(MINILM.max_tokens)
    return tokenizer


def clean(text: str) -> str:
    """Lone surrogates, which some exports hold, are no characters; the rest stays as it is."""
    return text if text.isascii() else text.translate(LONE_SURROGATES)
