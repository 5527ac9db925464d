"""Text that its sender's program has broken into lines, as paragraphs again (RFC 3676)."""

from __future__ import annotations

import re

_QUOTES = re.compile(r">*")
_SIGNATURE = "-- "


def unflowed(text: str, *, deletes_space: bool) -> str:
    """
    A line that ends with a space goes on in the next one of the same depth of quotation.

    Args:
        deletes_space: whether that space is no part of the text, as in scripts without spaces.
    """
    found: list[str] = []
    open_depth: int | None = None  # of a line that goes on
    for raw in text.split("\n"):
        match = _QUOTES.match(raw)
        depth = match.end() if match else 0
        line = raw[depth:].removeprefix(" ")
        is_signature = line == _SIGNATURE
        if open_depth == depth and not is_signature:
            found[-1] += line
        else:
            found.append(f"{'>' * depth} {line}" if depth else line)
        open_depth = None
        if line.endswith(" ") and not is_signature:
            open_depth = depth
            if deletes_space:
                found[-1] = found[-1][:-1]
    return "\n".join(found)
