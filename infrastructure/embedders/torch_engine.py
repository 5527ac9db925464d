"""The model as sentence-transformers runs it: slower, and always there."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from infrastructure.embedders.batches import Batch
from infrastructure.embedders.engine import EngineUnavailableError
from infrastructure.embedders.weights import sentence_transformer

BFLOAT16_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # of x86 and of ARM, as Linux calls them


class TorchEngine:
    """
    One batch at a time, on as many threads as it is given.

    PyTorch has one number of threads a process: engines of different numbers set it in turn.
    """

    workers = 1

    def __init__(self, folder: Path, *, threads: int) -> None:
        import torch

        self._torch: Any = torch
        self._threads = threads
        kind = "bfloat16" if has_bfloat16() else "float32"
        self.name = f"torch {kind}"
        self._model = sentence_transformer(folder, dtype=getattr(torch, kind))
        self._lock = Lock()

    def infer(self, batches: Sequence[Batch]) -> Generator[NDArray[np.float32]]:
        for batch in batches:
            with self._lock:
                try:
                    answer = self._infer(batch)
                except RuntimeError as error:
                    raise EngineUnavailableError(f"{self.name} failed: {error}") from error
            yield answer

    def _infer(self, batch: Batch) -> NDArray[np.float32]:
        torch = self._torch
        if torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)
        with torch.inference_mode():
            answer = self._model(
                {
                    "input_ids": torch.from_numpy(batch.ids),
                    "attention_mask": torch.from_numpy(batch.mask),
                }
            )["sentence_embedding"]
            # In bfloat16 the length of a vector is off by up to 0.4 %.
            unit: NDArray[np.float32] = torch.nn.functional.normalize(answer.float()).numpy()
        return unit


def has_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether the processor multiplies bfloat16 itself; emulated, it is slower than float32."""
    try:
        text = cpuinfo.read_text(encoding="utf-8")
    except OSError:
        return False  # not Linux: float32 is right everywhere
    flags = (line for line in text.splitlines() if line.startswith(("flags", "Features")))
    return not BFLOAT16_FLAGS.isdisjoint(next(flags, "").split())
