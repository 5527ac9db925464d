"""The converted model on disk: made once, then read without PyTorch."""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from infrastructure.embedders.engine import EngineUnavailableError
from infrastructure.embedders.weights import SHA256, sentence_transformer

log = logging.getLogger(__name__)

CONVERSION = 1  # raise when `convert` changes what it makes
LEAST_COSINE = 0.9999
MODEL, WEIGHTS, SUMS = "model.xml", "model.bin", "sha256.json"


def cached(openvino: Any, core: Any, folder: Path, cache_dir: Path | None) -> Any:
    """
    Read the converted model, or convert it and keep it for the next start.

    What is kept is verified, and made again if it is damaged. Without a cache_dir nothing is kept.
    """
    if cache_dir is None:
        return convert(core, folder)
    version = str(openvino.__version__).split("-", maxsplit=1)[0]
    kept = cache_dir / f"minilm-{SHA256[:12]}-openvino-{version}-c{CONVERSION}"
    with alone(cache_dir):
        if not is_sound(kept):
            keep(openvino, convert(core, folder), kept)
    return core.read_model(kept / MODEL)


@contextmanager
def alone(cache_dir: Path) -> Iterator[None]:
    """Converting takes long and every core: whoever comes second waits, and reads the result."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    with (cache_dir / ".lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def keep(openvino: Any, model: Any, kept: Path) -> None:
    """Write beside, then rename; if another process was faster, its model is as good."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix=".converting-") as name:
        made = Path(name) / "model"
        made.mkdir()
        openvino.save_model(model, made / MODEL, compress_to_fp16=False)
        sums = {file: digest(made / file) for file in (MODEL, WEIGHTS)}
        (made / SUMS).write_text(json.dumps(sums), encoding="utf-8")
        if kept.exists() and not is_sound(kept):
            log.warning("the converted model in %s was damaged and is made again", kept)
            shutil.rmtree(kept)
        if not kept.exists():
            try:
                made.rename(kept)
            except OSError:
                if not is_sound(kept):
                    raise


def is_sound(kept: Path) -> bool:
    try:
        sums = json.loads((kept / SUMS).read_bytes())
        return all(sums[file] == digest(kept / file) for file in (MODEL, WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def convert(core: Any, folder: Path) -> Any:
    """
    Trace the model as sentence-transformers built it, pooling and normalisation included.

    `openvino.convert_model` does the same and reports to Google Analytics; this is its core.

    Raises:
        EngineUnavailableError: if the converted model computes other vectors than the original.
    """
    import torch
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    class Traced(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            stages = sentence_transformer(folder, attn_implementation="eager")
            self.stages = torch.nn.ModuleList(stages)

        def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            features = {"input_ids": ids, "attention_mask": mask}
            for stage in self.stages:
                features = stage(features)
            return features["sentence_embedding"]

    traced = Traced().eval()
    # 16 distinct tokens in two rows, the second one padded.
    ids = torch.arange(2000, 2016).reshape(2, 8)
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    with torch.no_grad(), warnings.catch_warnings():
        # The tracer warns of every shape it meets; the comparison below is the real check.
        warnings.simplefilter("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.simplefilter("ignore", category=FutureWarning)
        warnings.simplefilter("ignore", category=DeprecationWarning)
        frontend = FrontEndManager().load_by_framework("pytorch")
        script = torch.jit.trace(traced, (ids, mask), check_trace=False)  # type: ignore[no-untyped-call]
        decoder = TorchScriptPythonDecoder(script, example_input=(ids, mask))
        model = frontend.convert(frontend.load(decoder))
        for port, name in zip(model.inputs, ("ids", "mask"), strict=True):
            port.get_tensor().set_names({name})
        # Of another size than the example: what was traced must not have grown fixed.
        ids = torch.arange(3000, 3033).reshape(3, 11)
        mask = torch.ones_like(ids)
        mask[2, 4:] = 0
        expected = traced(ids, mask).numpy()
    precise = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = precise({"ids": ids.numpy(), "mask": mask.numpy()})[0]
    least = float(np.min(np.sum(expected * found, axis=1)))
    if not least >= LEAST_COSINE:
        raise EngineUnavailableError(f"the converted model is wrong: cosine {least:.5f}")
    return model


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
