"""The text in blocks and attachments, where a message has no other; still with markup."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

_DEPTH = 12


def text_of_blocks(raw: Any, depth_left: int = _DEPTH) -> str:
    """One line per block, list item or table row."""
    if depth_left == 0:
        return ""
    if isinstance(raw, list):
        return _lines(text_of_blocks(one, depth_left - 1) for one in raw)
    if not isinstance(raw, dict):
        return ""
    kind = raw.get("type")
    special = _SPECIAL.get(kind) if isinstance(kind, str) else None
    if special is not None:
        return special(raw, depth_left - 1)
    text = raw.get("text")
    if isinstance(text, str):
        return _escaped(text) if kind == "plain_text" else text
    parts = (raw.get(key) for key in ("title", "text", "label", "fields", "elements"))
    found = _lines(text_of_blocks(part, depth_left - 1) for part in parts)
    alt = raw.get("alt_text")
    return found or (_escaped(alt) if isinstance(alt, str) else "")


def text_of_attachments(raw: Any) -> str:
    """What bots write: pretext, title, text and fields; else what is shown in place of them."""
    if not isinstance(raw, list):
        return ""
    return _lines(_attachment(one) for one in raw if isinstance(one, dict))


def _attachment(one: dict[str, Any]) -> str:
    lines = [one[key] for key in ("pretext", "title", "text") if isinstance(one.get(key), str)]
    fields = one.get("fields")
    for field in fields if isinstance(fields, list) else []:
        if isinstance(field, dict):
            pair = [field[k] for k in ("title", "value") if isinstance(field.get(k), str)]
            lines.append(": ".join(filter(None, pair)))
    found = _lines(lines) or text_of_blocks(one.get("blocks"))
    fallback = one.get("fallback")
    return found or (fallback if isinstance(fallback, str) else "")


def _lines(texts: Iterable[str]) -> str:
    return "\n".join(text for text in texts if text)


def _escaped(text: str) -> str:
    """As people's text is written outside of blocks."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _section(raw: dict[str, Any], depth_left: int) -> str:
    del depth_left
    elements = raw.get("elements")
    return "".join(_inline(one) for one in elements) if isinstance(elements, list) else ""


def _quote(raw: dict[str, Any], depth_left: int) -> str:
    text = _section(raw, depth_left)
    return "\n".join(f"&gt; {line}" for line in text.split("\n")) if text else ""


def _list(raw: dict[str, Any], depth_left: int) -> str:
    items = raw.get("elements")
    if not isinstance(items, list):
        return ""
    indent, offset = raw.get("indent"), raw.get("offset")
    space = "  " * min(indent, _DEPTH) if isinstance(indent, int) else ""
    first = offset + 1 if isinstance(offset, int) else 1
    is_ordered = raw.get("style") == "ordered"
    return "\n".join(
        f"{space}{f'{number}.' if is_ordered else '•'} {text_of_blocks(item, depth_left)}"
        for number, item in enumerate(items, start=first)
    )


def _table(raw: dict[str, Any], depth_left: int) -> str:
    rows = raw.get("rows")
    if not isinstance(rows, list):
        return ""
    return _lines(
        " | ".join(text_of_blocks(cell, depth_left) for cell in row)
        for row in rows
        if isinstance(row, list)
    )


_SPECIAL: dict[str, Callable[[dict[str, Any], int], str]] = {
    "rich_text_section": _section,
    "rich_text_preformatted": _section,
    "rich_text_quote": _quote,
    "rich_text_list": _list,
    "table": _table,
}


def _inline(element: Any) -> str:
    """One element of a line, as mrkdwn."""
    if not isinstance(element, dict):
        return ""
    match element:
        case {"type": "user", "user_id": str(user)}:
            text = f"<@{user}>"
        case {"type": "channel", "channel_id": str(channel)}:
            text = f"<#{channel}>"
        case {"type": "usergroup", "usergroup_id": str(group)}:
            text = f"<!subteam^{group}>"
        case {"type": "emoji", "name": str(name)}:
            tone = element.get("skin_tone")
            text = f":{name}::skin-tone-{tone}:" if isinstance(tone, int) else f":{name}:"
        case {"type": "link", "url": str(url)}:
            label = element.get("text")
            text = f"<{url}|{_escaped(label) if isinstance(label, str) else ''}>"
        case {"type": "broadcast", "range": str(everyone)}:
            text = f"<!{everyone}>"
        case {"type": "date", "timestamp": int(seconds)}:
            fallback = element.get("fallback")
            text = f"<!date^{seconds}^|{_escaped(fallback) if isinstance(fallback, str) else ''}>"
        case {"type": "color", "value": str(value)}:
            text = value
        case {"text": str(plain)}:
            text = _escaped(plain)
        case _:
            text = ""
    return text
