"""FAISS as it is once it has patched its own classes, which mypy cannot see."""

from __future__ import annotations

from importlib import import_module
from typing import Any

faiss: Any = import_module("faiss")
