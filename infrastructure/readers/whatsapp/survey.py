"""The first pass over a chat: what can only be known of the file as a whole."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import PurePosixPath

from application.ports.chat_reader import ExportFile
from domain.message import ConversationKind
from infrastructure.readers.date_order import DateOrderVotes
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines
from infrastructure.readers.whatsapp.header_parser import HeaderParser
from infrastructure.readers.whatsapp.headers import Header, Shape, is_plausible
from infrastructure.readers.whatsapp.marks import MARKS
from infrastructure.readers.whatsapp.names import clean_name, split_author
from infrastructure.readers.whatsapp.notice_phrases import is_encryption_notice

_QUOTED = re.compile(r"[\"“”„«「『](.{1,200})[\"”“»」』]")
_TITLE = re.compile(
    # "WhatsApp Chat with", "Chat de WhatsApp con", "WhatsApp-Chat mit", "Чат WhatsApp с контактом"
    r"(?:[\w']{1,14}[ _](?:\w{1,3}[ _])?)?WhatsApp(?:[ _-]*(?:Cha?t{1,2}|samtale|keskustelu))?[ _]*"
    r"(?:-[ _]|(?:with|mit|con|avec|com|met|med|med[ _]kontakten|s[ _]u[zž]ivate[lľ]em|"
    r"с[ _]контактом|с|z|cu|dengan|amb|με|עם|مع)[ _])(.+)",
    re.IGNORECASE,
)
_TITLE_FIRST = re.compile(r"(.+?)[ _]ile[ _]WhatsApp[ _]Sohbeti|「(.+)」.{0,3}WhatsApp.{0,8}")
_ANONYMOUS = re.compile(r"_chat(?:[ _-]*\(?\d+\)?)?", re.IGNORECASE)  # a browser may number it
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
    own_name: str | None = None  # the chat's, where the first notices tell
    opening: str = ""  # the first line that somebody said; of notices if nobody did
    tight: int = 0  # how many more lines have no space after the name's colon than have one

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

    @property
    def is_tight(self) -> bool:
        """Whether names end at a colon without a space."""
        return self.tight > 0

    def count(self, shape: Shape, lines: int) -> None:
        self.shapes[shape] = self.shapes.get(shape, 0) + lines

    def title(self, fallback: str) -> str:
        """The name in the notices if the file's name is made from it, else the file's."""
        wanted = _letters(fallback)
        return next((title for title in self.titles if _letters(title) == wanted), fallback)

    def kind(self, title: str) -> ConversationKind:
        is_named = title in self.titles and title not in self.names  # notices name people, too
        return "group" if is_named or len(self.names) > 2 else "direct"

    def name(self) -> tuple[str, str]:
        """
        A title for a chat whose file has no name, and what it was taken from.

        From what a later export of the same chat says, too, and another chat's does not.
        """
        if self.own_name is not None:
            return self.own_name, "the notices at its top"
        if len(self.names) == 2:
            return ", ".join(sorted(self.names)), "the two people in it"
        digest = sha256(self.opening.encode("utf-8", "replace")).hexdigest()
        return f"Chat {digest[:12]}", "its first message"


def survey(file: ExportFile) -> Survey:
    """Read the whole file once; memory stays small."""
    found = Survey()
    parser = HeaderParser()
    beginning, latest = parser.beginning, parser.header
    last: Header | None = None
    alike = 0  # lines with this very header
    is_looking = True  # for names, and the chat's own
    for line in read_lines(file, Repairs()):
        if line.startswith(beginning):
            header = latest
        else:
            header = parser.parse(line)
            beginning, latest = parser.beginning, parser.header
        if header is last and header is not None and not is_looking:
            alike += 1
            continue
        if header is None or not (header is last or is_plausible(header.shape)):
            continue
        if header is last:
            alike += 1
        else:
            if last is not None:
                found.count(last.shape, alike)
            alike = 1
            shape = header.shape
            votes = found.votes.get(shape)
            if votes is None:
                votes = found.votes[shape] = DateOrderVotes()
            votes.add(header.date, header.clock)
            last = header
        if is_looking:
            found.headers += 1
            _look_for_names(line, header, found)
            is_looking = found.headers <= _NOTICES_ASKED or len(found.names) < 3
    if last is not None:
        found.count(last.shape, alike)
    found.headers = sum(found.shapes.values())
    return found


def _look_for_names(line: str, header: Header, found: Survey) -> None:
    rest = line[header.end :]
    is_bracketed = header.shape.is_bracketed
    if found.headers > _NOTICES_ASKED and rest.partition(": ")[0] in found.names:
        return
    if is_bracketed and found.headers <= _NOTICES_ASKED:
        _, colon, text = rest.partition(":")
        if colon and text:
            found.tight += -1 if text[0] == " " else 1
    name, text = split_author(rest, is_bracketed=is_bracketed, is_tight=found.is_tight)
    name = None if name is None else clean_name(name)
    is_notice = name is None or text.startswith(tuple(MARKS))
    if found.headers == 1 or not (is_notice or found.names):
        found.opening = line
    if found.own_name is None and found.headers <= _NOTICES_ASKED:
        if name is None:
            found.own_name = next(iter(_QUOTED.findall(rest)), None)
        elif is_encryption_notice(text):
            found.own_name = name
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
    is_in_folder = path.name.lower() == "_chat.txt" and path.parent.name
    stem = path.parent.name if is_in_folder else path.stem
    match = _TITLE.fullmatch(stem) or _TITLE_FIRST.fullmatch(stem)
    if match is None:
        return stem
    title = next(filter(None, match.groups()), stem)
    return title.replace("_", " ").strip() if " " not in stem else title.strip()


def is_anonymous(title: str) -> bool:
    """Whether the iPhone's name for every chat is all that is known of it."""
    return _ANONYMOUS.fullmatch(title) is not None


def _letters(title: str) -> str:
    return "".join(c for c in title.casefold() if c.isalnum())
