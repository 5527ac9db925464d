"""Whom a message begins by naming, as a number: what is compared needs no text."""

from __future__ import annotations

import re

NAMED = 48  # characters from a text's beginning, where somebody may be addressed
ADDRESS = re.compile(r"\s*@?([^:,\n]{1,40})[:,]")


def addressed(text: str) -> int | None:
    """
    The token of the name that a text begins with, as in "Ann: …"; it may be nobody's.

    Args:
        text: its beginning is enough, see NAMED.
    """
    match = ADDRESS.match(text)
    return token(match[1].strip().casefold()) if match else None


def token(text: str) -> int:
    """A number of 64 bits that is another one for another text; of this process alone, never 0."""
    return hash(text) or 1
