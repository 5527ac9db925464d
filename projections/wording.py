"""Numbers and sizes as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

KIB = 1024
QUESTIONS: Mapping[str, str] = MappingProxyType(
    {
        "confirmation": "that it may be read",
        "date_order": "in which order its dates are",
        "format": "which format it has",
    }
)


def counted(number: int, one: str, many: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size_in_words(size: int) -> str:
    """
    Args:
        size: bytes.
    """
    if size < KIB:
        return counted(size, "byte")
    amount = size / KIB
    for unit in ("KB", "MB", "GB"):
        if amount < KIB:
            return f"{amount:.1f} {unit}"
        amount /= KIB
    return f"{amount:.1f} TB"


def wanted(event: Any) -> str:
    """What an upload that is held back waits for."""
    return " and ".join(QUESTIONS.get(question, question) for question in event.questions)
