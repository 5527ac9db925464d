"""What stands below a message of a plain text file: files, embeds, stickers, reactions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from domain.message import Attachment, Reaction
from infrastructure.readers.discord.contents import file_of

_HEADINGS = frozenset({"{Attachments}", "{Embed}", "{Stickers}", "{Reactions}"})
_COUNT = re.compile(r"\(([0-9]{1,9})\)")
_LONGEST_EMOJI = 100  # characters


@dataclass(frozen=True, slots=True)
class Body:
    text: str
    addresses: tuple[str, ...]  # of files and stickers, in this order
    embeds: tuple[str, ...]  # the text of each
    reactions: tuple[Reaction, ...]

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        return tuple(map(file_of, self.addresses))


def parse_body(raw: str) -> Body:
    """All lines of a message; a heading counts only after an empty line, or as the first one."""
    lines = raw.strip("\n").split("\n")
    starts = [
        index
        for index, line in enumerate(lines)
        if line in _HEADINGS and (index == 0 or not lines[index - 1])
    ]
    if not starts:
        return Body("\n".join(lines), (), (), ())
    found: dict[str, list[list[str]]] = {heading: [] for heading in _HEADINGS}
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        found[lines[start]].append(lines[start + 1 : end])
    files = [*found["{Attachments}"], *found["{Stickers}"]]
    addresses = [line for block in files for line in block if line.strip()]
    embeds = ("\n".join(block).strip("\n") for block in found["{Embed}"])
    return Body(
        "\n".join(lines[: starts[0]]).strip("\n"),
        tuple(addresses),
        tuple(filter(None, embeds)),
        tuple(one for block in found["{Reactions}"] for line in block for one in _reactions(line)),
    )


def _reactions(line: str) -> Iterator[Reaction]:
    """`emoji (count)`, with spaces between; once alone, the count is left out."""
    words = line.split(" ")
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if word and len(word) <= _LONGEST_EMOJI and _COUNT.fullmatch(word) is None:
            count = _COUNT.fullmatch(after)
            yield Reaction(word, (), int(count[1]) if count else 1)
