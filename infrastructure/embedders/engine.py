"""What computes vectors from tokens. Which one is chosen changes the speed, not the meaning."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from infrastructure.embedders.batches import Batch


class EngineUnavailableError(Exception):
    """This engine cannot run here; the message says why. Another one may."""

    is_quotable = True


class Engine(Protocol):
    name: str  # e.g. "openvino bfloat16"
    workers: int  # batches that run side by side

    def infer(self, batches: Sequence[Batch]) -> Generator[NDArray[np.float32]]:
        """
        Yield the vectors of each batch, in order; every row has L2 norm 1.

        Close the generator if it is left early: until it ends, other calls wait.

        Raises:
            EngineUnavailableError: if the computation fails.
        """
        ...
