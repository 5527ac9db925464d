"""What hangs on a message: files, quoted and forwarded messages, cards, pictures in its text."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from domain.message import Attachment
from infrastructure.readers.html_text import HtmlText, Image, plain_text
from infrastructure.readers.microsoft.cards import card_text
from infrastructure.readers.microsoft.inner_json import parsed
from infrastructure.readers.microsoft.words import base_name
from infrastructure.readers.percent import unescaped
from infrastructure.readers.teams.people import People
from infrastructure.readers.teams.spelling import flat

_CARDS = ("application/vnd.microsoft.card.", "application/vnd.microsoft.teams.card.")
_NO_FILE_TYPE = frozenset({"reference", "messageReference", "forwardedMessageReference"})
_PLAIN_KEYS = frozenset({"id", "contentType", "name"})
# Of messages that are answered or forwarded.
_TOLD = frozenset(
    {
        *("messageId", "messagePreview", "messageSender"),
        *("originalMessageContent", "originalMessageSender"),
    }
)


@dataclass(slots=True)
class Attached:
    files: list[Attachment] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # text of cards and forwarded messages
    reply_to: str | None = None


def attached(raw: Any, people: People) -> Attached:
    """
    Raises:
        TypeError: if the value is not a list of objects.
    """
    found = Attached()
    for one in raw or ():
        given = flat(one)
        kind = given.get("contentType")
        kind = kind if isinstance(kind, str) else ""
        content = parsed(given.get("content"))
        content = content if isinstance(content, dict) else {}
        if kind == "messageReference":
            _quote(found, given, content)
        elif kind == "forwardedMessageReference":
            _forward(found, content, people)
        elif kind.startswith(_CARDS) and (text := card_text(content or given.get("content"))):
            found.lines.append(text)
        else:
            found.files.append(_file(given, kind, content))
    return found


def _quote(found: Attached, given: dict[str, Any], content: dict[str, Any]) -> None:
    known = content.get("messageId") or given.get("id")
    if isinstance(known, str | int) and found.reply_to is None:
        found.reply_to = str(known)


def _forward(found: Attached, content: dict[str, Any], people: People) -> None:
    text = content.get("originalMessageContent")
    if not isinstance(text, str):
        return
    sender = content.get("originalMessageSender")
    author = people.author(sender) if isinstance(sender, dict) else None
    quote = HtmlText(text)
    lines = quote.text.split("\n") if quote.text else []
    if author is not None:
        lines.insert(0, f"{author.name}:")
    found.lines += [f"> {line}".rstrip() for line in lines]
    found.files += pictures(quote.images)


def _file(given: dict[str, Any], kind: str, content: dict[str, Any]) -> Attachment:
    name = next(
        (text for key in ("name", "title") if isinstance(text := given.get(key), str) and text),
        content.get("name") or content.get("title"),
    )
    if not isinstance(name, str) or not name:
        name = _end_of(given.get("contentUrl"))
    is_type = "/" in kind and kind not in _NO_FILE_TYPE
    return Attachment(base_name(name) or kind or "file", kind if is_type else None, None)


def _end_of(address: Any) -> str:
    if not isinstance(address, str):
        return ""
    try:
        return unescaped(urlsplit(address).path)
    except ValueError:
        return ""


def pictures(images: list[Image]) -> list[Attachment]:
    """By what they show; those that say nothing are called “image”."""
    return [Attachment(plain_text(image.alt)[:200] or "image", None, None) for image in images]


def hosted(raw: Any) -> list[Attachment]:
    """
    Contents that came with the message, with their types.

    Raises:
        TypeError: if the value is not a list of objects.
    """
    found: list[Attachment] = []
    for one in raw or ():
        kind = flat(one).get("contentType")
        found.append(Attachment("image", kind if isinstance(kind, str) and kind else None, None))
    return found


def unplaced(raw: Any) -> list[Any]:
    """
    What these attachments say beyond what a Message keeps of them; empty if that is nothing.

    Of a message that is answered or forwarded only ids and times are left: `reply_to` and the
    text have the rest, and its author is somebody else.
    """
    found = [_without_message(one) for one in raw]
    return [] if all(map(_is_plain, found)) else found


def _without_message(one: dict[str, Any]) -> dict[str, Any]:
    given = flat(one)
    if given.get("contentType") not in ("messageReference", "forwardedMessageReference"):
        return one
    content = parsed(given.get("content"))
    left = content if isinstance(content, dict) else {}
    return {**given, "content": {k: v for k, v in left.items() if k not in _TOLD} or None}


def _is_plain(one: dict[str, Any]) -> bool:
    return all(key in _PLAIN_KEYS or value is None for key, value in flat(one).items())
