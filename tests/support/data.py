"""The optional test data folder: larger real exports that are not part of this repository."""

from __future__ import annotations

from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[2]
DATA = _REPOSITORY.parent / "shared" / "data"
SAMPLES = _REPOSITORY / "tests" / "samples" / "exports"


def data_path(*parts: str) -> Path:
    """A file or folder in the optional test data folder; the test is skipped without it."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"the optional test data folder has no {'/'.join(parts)}")
    return path
