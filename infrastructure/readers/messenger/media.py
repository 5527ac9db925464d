"""Files, links and reactions of a message."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from domain.message import Attachment, Reaction
from infrastructure.readers.percent import unescaped

Repair = Callable[[str], str]

# Lists of files in a message, and what a file is called that was not exported.
LISTS = {
    "photos": "photo",
    "videos": "video",
    "audio_files": "audio",
    "files": "file",
    "gifs": "gif",
    "media": "media",
}
STICKER = "sticker"


def attachments(raw: dict[str, Any], repair: Repair) -> tuple[Attachment, ...]:
    """
    By the names of the files; the export says neither their types nor their sizes.

    Raises:
        TypeError, AttributeError: if the values are not lists of objects.
    """
    found: list[Attachment] = []
    for key, fallback in LISTS.items():
        found += [
            Attachment(_name(one, fallback, repair), None, None) for one in raw.get(key) or ()
        ]
    if (sticker := raw.get(STICKER)) is not None:
        found.append(Attachment(_name(sticker, STICKER, repair), None, None))
    return tuple(found)


def _name(file: dict[str, Any], fallback: str, repair: Repair) -> str:
    """The end of its path or address; a sentence in its place says why it is missing."""
    uri = file.get("uri")
    if not isinstance(uri, str):
        return fallback
    uri = repair(uri)
    if is_remote(uri):
        try:
            uri = unescaped(urlsplit(uri).path)
        except ValueError:
            return fallback
    if "/" not in uri and "." not in uri:
        return fallback
    name = uri.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return fallback if name in {"", ".", ".."} else name


def is_remote(uri: Any) -> bool:
    """Whether the file is somewhere on the web, not in the export."""
    return isinstance(uri, str) and uri.startswith(("https://", "http://"))


def with_share(text: str, share: Any, repair: Repair) -> str:
    """
    The text, the text of what was shared, and its link, each where it is not said already.

    Raises:
        TypeError: if the share is no object, or its parts are no texts.
    """
    if not isinstance(share, dict):
        raise TypeError(f"share is {type(share).__name__}")
    lines = [text] if text else []
    for key in ("share_text", "link"):
        part = share.get(key)
        if part is None:
            continue
        if not isinstance(part, str):
            raise TypeError(f"share.{key} is {type(part).__name__}")
        part = repair(part)
        if part and not any(part in line for line in lines):
            lines.append(part)
    return "\n".join(lines)


def reactions(raw: Any, repair: Repair) -> tuple[Reaction, ...]:
    """
    One for each emoji, in the order in which they first occur.

    Raises:
        TypeError, AttributeError: if the value is not a list of objects with texts.
    """
    actors: dict[str, list[str]] = {}
    for one in raw:
        value, actor = one.get("reaction"), one.get("actor")
        found = actors.setdefault(repair(value) if value else "?", [])
        found.append(repair(actor) if actor else "")
    return tuple(
        Reaction(value, tuple(name for name in names if name), len(names))
        for value, names in actors.items()
    )


def left_over(key: str, value: Any) -> Any:
    """
    What of a share, reactions or files a Message has no place for; None if nothing.

    Such are who owns a shared post, when somebody reacted, and where a file is on the web.
    """
    if key == "share":
        return {k: v for k, v in value.items() if k not in {"link", "share_text"}} or None
    if key == "reactions":
        return value if any(one.keys() - {"reaction", "actor"} for one in value) else None
    files = [value] if key == STICKER else value
    return value if any(is_remote(file.get("uri")) for file in files) else None
