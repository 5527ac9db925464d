"""The text of cards, which bots and connectors send in place of a message's text."""

from __future__ import annotations

from typing import Any

from infrastructure.readers.html_text import plain_text

_LINES = 500
_TITLES = ("title", "activityTitle", "subtitle", "activitySubtitle", "text", "activityText")
_INSTEAD = ("summary", "fallbackText", "speak", "altText")
_INSIDE = frozenset(
    {
        *("attachments", "body", "card", "cells", "columns", "content", "elements", "facts"),
        *("inlines", "items", "rows", "sections"),
    }
)


def card_text(card: Any) -> str:
    """
    All texts of a card, one a line, in their order: of an adaptive, hero, thumbnail or connector
    card. Cards that have none are told by their summary.
    """
    lines: list[str] = []
    waiting = [card]
    while waiting and len(lines) < _LINES:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += reversed(one)
        elif isinstance(one, dict):
            lines += _own_lines(one)
            waiting += reversed([value for key, value in one.items() if key in _INSIDE])
    if not lines and isinstance(card, dict):
        lines = [plain_text(card[key]) for key in _INSTEAD if isinstance(card.get(key), str)][:1]
    return "\n".join(line for line in lines if line)


def _own_lines(one: dict[str, Any]) -> list[str]:
    value = one.get("value")
    name = one.get("title", one.get("name"))
    if isinstance(value, str) and isinstance(name, str):
        return [f"{plain_text(name).rstrip(':')}: {plain_text(value)}"]
    return [plain_text(one[key]) for key in _TITLES if isinstance(one.get(key), str)]
