"""What signal-export puts around a text in `chat.md`, and into `data.json`."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.message import Attachment, Reaction

STICKER = Attachment("sticker", None, None)
DELETED = "(This message was deleted)"
_FILE_LINKS = ("](./media/", "](media/")
_STICKER = re.compile(
    r"(?:\n?\(\( ([^\n]{1,100}) \)\)"
    r"|\[([^\[\]\n]{0,100})\]\(\.\./exported_stickers/[^\s()]{1,300}\))\s*\Z"
)
_STICKER_LENGTH = 600
_NAME_LENGTH = 300
_LINK_LENGTH = 1000
_EMOJI_LENGTH = 40
_QUOTE_START = "\n\n> "
_REACTIONS_START = "\n(- "
_REACTIONS_END = " -)"


class Parts(NamedTuple):
    text: str
    quote: str = ""
    sticker: str = ""  # its emoji
    reactions: tuple[Reaction, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    is_deleted: bool = False


def parts_of(text: str) -> Parts:
    """A message of `chat.md`: quotation, text, reactions, sticker and files, in this order."""
    if text.strip() == DELETED:
        return Parts("", is_deleted=True)
    text, attachments = _without_files(text)
    sticker = ""
    if match := _STICKER.search(text, max(0, len(text) - _STICKER_LENGTH)):
        sticker = match[1] or match[2] or ""
        attachments = (*attachments, STICKER)
        text = text[: match.start()]
    text, reactions = _without_reactions(text)
    quote = ""
    if text.startswith(_QUOTE_START):
        quoted, _, text = text[2:].partition("\n\n")
        quote = unquoted(quoted)
    return Parts(without_padding(text), quote, sticker, reactions, attachments)


def _without_files(text: str) -> tuple[str, tuple[Attachment, ...]]:
    """Without the links to files at its end: `![name](./media/name)  [name](./media/name)`."""
    found: list[Attachment] = []
    rest = end = len(text)
    while (end := _trimmed(text, end)) and text[end - 1] == ")":
        floor = max(0, end - _LINK_LENGTH)
        at, link = max((text.rfind(link, floor, end), link) for link in _FILE_LINKS)
        path = text[at + len(link) : end - 1]
        if at < 0 or any(c.isspace() for c in path):
            break
        # A link is called like its file; any other name has no brackets.
        start = at - len(path) - 1
        if start < 0 or text[start:at] != f"[{path}":
            start = text.rfind("[", floor, at)
            if start < 0:
                break
        found.append(Attachment(text[start + 1 : at] or "file", None, None))
        rest = end = start - 1 if text[start - 1 : start] == "!" else start
    return text[:rest], tuple(reversed(found))


def _trimmed(text: str, end: int) -> int:
    while end and text[end - 1].isspace():
        end -= 1
    return end


def _without_reactions(text: str) -> tuple[str, tuple[Reaction, ...]]:
    """Without a last line such as `(- Ann: 👍, Bob: ❤️ -)`."""
    start = text.rfind(_REACTIONS_START)
    line = text[start:].rstrip()
    if start < 0 or not line.endswith(_REACTIONS_END) or "\n" in line[1:]:
        return text, ()
    found: list[tuple[str, str]] = []
    pending = ""
    for part in line[len(_REACTIONS_START) : -len(_REACTIONS_END)].split(", "):
        pending += part
        name, colon, emoji = pending.rpartition(": ")
        if colon and name and emoji and " " not in emoji and len(emoji) <= _EMOJI_LENGTH:
            found.append((name, emoji))
            pending = ""
            continue
        pending += ", "  # it belongs to the name
        if len(pending) > _NAME_LENGTH:
            break
    if pending:
        return text, ()
    return text[:start], grouped(found)


def without_padding(text: str) -> str:
    """Two spaces end each text, so that Markdown breaks the line."""
    return text.removesuffix("  ")


def unquoted(quote: str) -> str:
    """The lines of a quotation without what marks them."""
    lines = quote.strip("\n").split("\n")
    return "\n".join(line.removeprefix(">").removeprefix(" ") for line in lines).strip()


def grouped(found: list[tuple[str, str]]) -> tuple[Reaction, ...]:
    """From pairs of a name and an emoji."""
    by_emoji: dict[str, list[str]] = {}
    for name, emoji in found:
        by_emoji.setdefault(emoji, []).append(name)
    return tuple(Reaction(emoji, tuple(who), len(who)) for emoji, who in by_emoji.items())
