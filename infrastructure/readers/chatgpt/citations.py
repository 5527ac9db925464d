"""
The marks of sources inside ChatGPT's answers become links.

Since 2024 an answer holds marks between characters of the private use area: U+E200 opens one,
U+E202 separates its parts, U+E201 closes it. `metadata.content_references` lists what each
`matched_text` is shown as.
"""

from __future__ import annotations

import json
import re
from typing import Any

_MARK = re.compile("\ue200([^\ue200\ue201]{0,2000})\ue201")
_OPENS = "\ue200"
_SEPARATOR = "\ue202"
_REFERENCES_USED = 10_000


def resolved(text: str, references: Any) -> str:
    """The text with links in place of its marks; marks that nothing explains are taken out."""
    if _OPENS not in text:
        return text
    shown: dict[str, str] = {}
    for one in references[:_REFERENCES_USED] if isinstance(references, list) else ():
        if isinstance(one, dict) and isinstance(mark := one.get("matched_text"), str):
            shown.setdefault(mark, _shown(one))

    def replacement(match: re.Match[str]) -> str:
        return shown.get(match[0]) or _named(match[1])

    return _MARK.sub(replacement, text)


def _shown(reference: dict[str, Any]) -> str:
    links = [
        linked(item.get("title"), item.get("url"))
        for item in [reference, *_objects(reference.get("items"))]
    ]
    links = list(dict.fromkeys(link for link in links if link))
    if links:
        return f"[{'; '.join(links)}]"
    alt = reference.get("alt")
    return alt if isinstance(alt, str) else ""


def _objects(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def linked(label: Any, url: Any) -> str:
    """`label (url)`, or whichever there is."""
    name = label.strip() if isinstance(label, str) else ""
    address = url.strip() if isinstance(url, str) else ""
    if not address or not name or name == address:
        return address or name
    return f"{name} ({address})"


def _named(mark: str) -> str:
    """What an unexplained mark says itself: an entity carries its name."""
    kind, _, rest = mark.partition(_SEPARATOR)
    if kind != "entity":
        return ""
    try:
        value = json.loads(rest)
    except (ValueError, RecursionError):
        return ""
    if isinstance(value, list) and len(value) > 1 and isinstance(value[1], str):
        return str(value[1])
    return ""
