"""
What a message in Claude says, and what else it holds.

The text is that of the blocks of type `text` (and of dictated or spoken notes), with an empty
line between two. Thinking, the use of tools and their results are no part of it: they are kept,
whole and in order, in `extra["content"]`. The field `text` beside the blocks is often empty or of
an earlier state; it is the message's text only if the blocks have no word, and else kept in
`extra["text"]` where it says something different.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

_SPOKEN = frozenset({"text", "voice_note"})
_ASIDE = frozenset(
    {
        *("thinking", "redacted_thinking", "tool_use", "tool_result", "token_budget", "flag"),
        *("server_tool_use", "web_search_tool_result", "image", "document", "knowledge"),
    }
)
# When a block was written is the only thing that is dropped.
_TEXT_KEYS = frozenset({"type", "text", "citations", "start_timestamp", "stop_timestamp", "flags"})
# What `text` holds in place of a block that old apps could not show.
_PLACEHOLDER = re.compile(
    r"\s*(?:```\s*)?This block is not supported on your current device yet\.?(?:\s*```)?\s*"
)


class Blocks(NamedTuple):
    text: str
    others: list[Any]  # as they came
    citations: list[Any]  # of all text blocks
    unknown: list[str]  # types that nobody understands, and keys of text blocks


def blocks_of(raw: dict[str, Any]) -> Blocks:
    """
    Raises:
        TypeError, AttributeError: if the content is not as Claude writes it.
    """
    content = raw.get("content")
    if isinstance(content, str):
        return Blocks(content, [], [], [])
    texts: list[str] = []
    others: list[Any] = []
    citations: list[Any] = []
    unknown: list[str] = []
    for block in content or ():
        kind = block["type"]
        if kind not in _ASIDE:
            text = block.get("text")
            if isinstance(text, str):
                if text:
                    texts.append(text)
            elif text is not None:
                raise TypeError(f"a text is {type(text).__name__}")
        if kind == "text":
            if block.get("citations"):
                citations.extend(block["citations"])
            if strange := [key for key in block if key not in _TEXT_KEYS]:
                unknown += [f"content.{key}" for key in strange]
                others.append(block)
            continue
        others.append(block)
        if kind not in _ASIDE and kind not in _SPOKEN:
            unknown.append(f"content_types.{kind[:100]}")
    return Blocks("\n\n".join(texts), others, citations, unknown)


def text_beside(raw: dict[str, Any]) -> str:
    """
    The field `text`, without what stands there for other blocks.

    Raises:
        TypeError: if it is neither a text nor missing.
    """
    text = raw.get("text")
    if text is None:
        return ""
    if not isinstance(text, str):
        raise TypeError(f"text is {type(text).__name__}")
    if "This block is not supported" in text:
        return _PLACEHOLDER.sub("\n\n", text).strip()
    return text


def says_more(beside: str, text: str) -> bool:
    """Whether the field `text` is more than the blocks' text with other spaces."""
    return beside != text and " ".join(beside.split()) not in ("", " ".join(text.split()))
