"""JSON that stands as text in JSON: cards, files and lists of people come so."""

from __future__ import annotations

from typing import Any

from infrastructure.readers.json_values import UnparsableJsonError, parse
from infrastructure.readers.repairs import Repairs


def parsed(text: Any) -> Any:
    """The value; None if the text is no JSON object or list."""
    if not isinstance(text, str) or not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return parse(text.encode("utf-8", "replace"), Repairs(), None)
    except UnparsableJsonError:
        return None
