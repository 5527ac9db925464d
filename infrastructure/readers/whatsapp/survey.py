"""The first pass over a chat: what can only be known of the file as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from application.ports.chat_reader import ExportFile
from domain.message import ConversationKind
from infrastructure.readers.date_order import DateOrderVotes
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines
from infrastructure.readers.whatsapp.headers import (
    MARKS,
    Header,
    HeaderParser,
    Shape,
    is_plausible,
)
from infrastructure.readers.whatsapp.notices import split_author

_QUOTED = re.compile(r"[\"“„«](.{1,200})[\"”“»]")
_TITLE = re.compile(
    r"(?:WhatsApp[ _-]*Chat|Chat[ _](?:de|do|di)?[ _]?WhatsApp|Discussion[ _]WhatsApp|"
    r"Conversa[ _]do[ _]WhatsApp|Chat[ _]WhatsApp)[ _]*"
    r"(?:-[ _]|with[ _]|mit[ _]|con[ _]|avec[ _]|com[ _]|met[ _]|med[ _])(.+)",
    re.IGNORECASE,
)
_NOTICES_ASKED = 50  # headers at the top in which the group's name is looked for
_OTHER_SHAPE_SHARE = 20  # one in so many headers makes a second shape believable


@dataclass(slots=True)
class Survey:
    """What the first pass found."""

    shapes: dict[Shape, int] = field(default_factory=dict)
    votes: dict[Shape, DateOrderVotes] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)  # names of groups in the first notices
    names: set[str] = field(default_factory=set)  # of people, the first few
    headers: int = 0

    @property
    def main_shape(self) -> Shape | None:
        return max(self.shapes, key=lambda s: self.shapes[s]) if self.shapes else None

    @property
    def main_votes(self) -> DateOrderVotes:
        shape = self.main_shape
        return DateOrderVotes() if shape is None else self.votes[shape]

    @property
    def accepted(self) -> frozenset[Shape]:
        """The shapes that begin a message: the usual one, and others that are not rare."""
        return frozenset(
            shape
            for shape, count in self.shapes.items()
            if shape == self.main_shape or (count > 1 and count * _OTHER_SHAPE_SHARE > self.headers)
        )

    def title(self, fallback: str) -> str:
        """The name in the notices if the file's name is made from it, else the file's."""
        wanted = _letters(fallback)
        return next((title for title in self.titles if _letters(title) == wanted), fallback)

    def kind(self, title: str) -> ConversationKind:
        return "group" if title in self.titles or len(self.names) > 2 else "direct"


def survey(file: ExportFile) -> Survey:
    """Read the whole file once; memory stays small."""
    found = Survey()
    parser = HeaderParser()
    last: Header | None = None
    for line in read_lines(file, Repairs()):
        header = parser.parse(line)
        if header is None or not is_plausible(header.shape):
            continue
        found.headers += 1
        shape = header.shape
        found.shapes[shape] = found.shapes.get(shape, 0) + 1
        if header is not last:
            found.votes.setdefault(shape, DateOrderVotes()).add(header.date, header.clock)
            last = header
        if found.headers <= _NOTICES_ASKED or len(found.names) < 3:
            _look_for_names(line[header.end :], shape, found)
    return found


def _look_for_names(rest: str, shape: Shape, found: Survey) -> None:
    name, text = split_author(rest, is_bracketed=shape.is_bracketed)
    is_notice = name is None or text.startswith(tuple(MARKS))
    if name is None:
        found.titles += _QUOTED.findall(rest)[:1]
    elif is_notice:
        found.titles.append(name)
    if found.titles:
        del found.titles[_NOTICES_ASKED:]
    if not is_notice and name is not None and len(found.names) < 3:
        found.names.add(name)


def title_from_name(name: str) -> str:
    """The chat's name in the name of a file or of the folder around `_chat.txt`."""
    path = PurePosixPath(name)
    is_anonymous = path.name.lower() == "_chat.txt"
    stem = path.parent.name if is_anonymous and path.parent.name else path.stem
    match = _TITLE.fullmatch(stem)
    if match is None:
        return stem
    title = match[1]
    return title.replace("_", " ").strip() if " " not in stem else title.strip()


def _letters(title: str) -> str:
    return "".join(c for c in title.casefold() if c.isalnum())
