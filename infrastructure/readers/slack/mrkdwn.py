"""Slack's markup as plain text: mentions by name, links with their labels, entities decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_TOKEN = re.compile(r"<([^<>]*)>")


class Mrkdwn:
    """Resolves the markup of one workspace. Emphasis and :emoji: stay as people typed them."""

    def __init__(self, user_name: Callable[[str], str], channels: Mapping[str, str]) -> None:
        """
        Args:
            user_name: the display name for a user's id.
            channels: channel names by id.
        """
        self._user_name = user_name
        self._channels = channels

    def plain(self, text: str) -> str:
        if "<" in text:
            text = _TOKEN.sub(lambda match: self._token(match[1]), text)
        if "&" in text:
            # In this order: "&amp;lt;" is a person's "&lt;".
            text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        return text

    def _token(self, inside: str) -> str:
        target, _, label = inside.partition("|")
        rest = target[1:]
        match target[:1]:
            case "@":
                plain = f"@{self._user_name(rest) or label}"
            case "#":
                plain = f"#{self._channels.get(rest) or label or rest}"
            case "!":
                plain = label or f"@{rest.partition('^')[0]}"
            case "":
                plain = f"<{inside}>"
            case _:
                address = target.removeprefix("mailto:")
                plain = address if not label or label in address else f"{label} ({address})"
        return plain


def text_of_attachments(raw: Any) -> str:
    """What bots write: a message without text whose attachments or blocks hold it."""
    if not isinstance(raw, list):
        return ""
    lines: list[str] = []
    for one in raw:
        if not isinstance(one, dict):
            continue
        parts = [one.get(key) for key in ("pretext", "title", "text")]
        texts = [part for part in parts if isinstance(part, str) and part]
        fallback = one.get("fallback")
        if not texts and isinstance(fallback, str):
            texts = [fallback]
        lines += texts
    return "\n".join(lines)


def text_of_blocks(raw: Any, depth_left: int = 12) -> str:
    """All text in the blocks of a message, one line per block; still with markup."""
    if depth_left == 0:
        return ""
    if isinstance(raw, list):
        return "\n".join(t for t in (text_of_blocks(one, depth_left - 1) for one in raw) if t)
    if not isinstance(raw, dict):
        return ""
    if raw.get("type") == "rich_text_section":
        elements = raw.get("elements")
        return "".join(_inline(e) for e in elements) if isinstance(elements, list) else ""
    text = raw.get("text")
    if isinstance(text, str):
        return text
    parts = (raw.get(key) for key in ("text", "fields", "elements"))
    return "\n".join(t for t in (text_of_blocks(part, depth_left - 1) for part in parts) if t)


def _inline(element: Any) -> str:
    """One element of a line, as mrkdwn."""
    if not isinstance(element, dict):
        return ""
    match element:
        case {"type": "user", "user_id": str(user)}:
            text = f"<@{user}>"
        case {"type": "channel", "channel_id": str(channel)}:
            text = f"<#{channel}>"
        case {"type": "emoji", "name": str(name)}:
            text = f":{name}:"
        case {"type": "link", "url": str(url)}:
            text = f"<{url}|{element.get('text') or ''}>"
        case {"type": "broadcast", "range": str(everyone)}:
            text = f"<!{everyone}>"
        case {"text": str(plain)}:
            text = plain
        case _:
            text = ""
    return text
