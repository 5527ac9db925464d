"""
HTML, as chat systems write it, becomes plain text.

One pass over the source, without recursion, in time proportional to its length whatever stands in
it. Nothing is left of markup but what people see of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from infrastructure.readers.html_tokens import attributes, tokens, unescape

_SPACES = re.compile(r"[ \t\n\r\f]+")
_SCHEME = re.compile(r"(?:https?://)?(?:www\.)?", re.IGNORECASE)
_PREFIXES_SHOWN = 8  # quotes and lists nested deeper are not set in further

_BLOCKS = (
    *("address", "article", "aside", "body", "center", "dd", "details", "div", "dl", "dt"),
    *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("header", "hr", "html", "main", "nav", "p", "section", "summary", "table", "tr"),
)
_UNSEEN = ("head", "script", "style", "template", "title")


class Image(NamedTuple):
    alt: str
    source: str  # its address


@dataclass(slots=True)
class _Level:
    """A quote, a list, or one of a list's items."""

    name: str
    first: str = ""  # before its first line
    rest: str = ""  # before the others
    items: int = 0


class HtmlText:
    """
    The text of one piece of HTML: mentions as “@name”, emoji by their alternative text, links as
    “label (address)”, lists with their marks, quotes behind “> ”, code as it stands.

    Subclasses know further elements: they add to `starts` and `ends`.
    """

    def __init__(
        self, source: str, *, keeps_space: bool = False, people: Mapping[str, str] | None = None
    ) -> None:
        """
        Args:
            keeps_space: whether white space means what it is, as in chat text with some markup.
            people: who is meant by the ids of mentions. One person's mentions in a row are one.
        """
        self.images: list[Image] = []  # those that stand for no character
        self._people = people or {}
        self._keeps_space = keeps_space
        self._parts: list[str] = []
        self._levels: list[_Level] = []
        self._is_line_start = True
        self._is_broken = False  # a line must begin before the next text
        self._ends_in_space = False
        self._preformatted = 0
        self._muted = ""  # the element whose text is left out
        self._muted_depth = 0
        self._link: tuple[int, str] | None = None
        self._mention: str | None = None  # whose mention has begun, but has no text yet
        self._mentioned: str | None = None  # whose mention came last, with nothing after it
        self._read(source)

    @property
    def text(self) -> str:
        text = "".join(self._parts)
        if self._keeps_space:
            return text
        text = text.replace("\xa0", " ")
        if "\n" in text:
            text = "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")
        return text.rstrip()

    def _read(self, source: str) -> None:
        starts, ends = self.starts, self.ends
        for name, is_end, rest in tokens(source):
            if not name:
                if not self._muted:
                    self._data(rest)
            elif is_end:
                if end := ends.get(name):
                    end(self, name)
            else:
                if start := starts.get(name):
                    start(self, name, rest)
                # The slash of <a href=example.org/> belongs to the address.
                if rest.endswith("/") and name != "a" and (end := ends.get(name)):
                    end(self, name)

    def _data(self, text: str) -> None:
        if self._keeps_space or self._preformatted:
            lines = unescape(text).replace("\r\n", "\n").split("\n")
            for number, line in enumerate(lines):
                if number:
                    self._line_break("", "")
                self.write(line)
            return
        text = _SPACES.sub(" ", text)
        if self._is_line_start or self._is_broken or self._ends_in_space:
            text = text.removeprefix(" ")
        self.write(unescape(text))

    def write(self, text: str) -> None:
        """Text within a line."""
        if self._muted or not text:
            return
        if self._is_broken:
            self._is_broken = False
            self._end_line()
        if self._is_line_start:
            self._parts.append(self._prefix())
            self._is_line_start = False
        if self._mention is not None:
            if not text.startswith("@"):
                self._parts.append("@")
            self._mention = None
        elif self._mentioned is not None and not text.isspace():
            self._mentioned = None
        self._parts.append(text)
        self._ends_in_space = text[-1] == " "

    def block(self, _name: str = "", _rest: str = "") -> None:
        """What comes next begins a line."""
        self._is_broken = not self._is_line_start

    def _line_break(self, _name: str, _rest: str) -> None:
        if self._muted:
            return
        if self._is_broken:
            self._is_broken = False
            self._end_line()
        if self._is_line_start and self._levels:
            self._parts.append(self._prefix().rstrip())
        self._end_line()

    def _end_line(self) -> None:
        self._parts.append("\n")
        self._is_line_start = True
        self._ends_in_space = False

    def _prefix(self) -> str:
        if not self._levels:
            return ""
        shown: list[str] = []
        for level in self._levels[: 2 * _PREFIXES_SHOWN]:
            if level.first:
                shown.append(level.first)
                level.first = level.rest
        return "".join(shown[:_PREFIXES_SHOWN])

    def open_level(self, name: str, _rest: str = "") -> None:
        self.block()
        self._levels.append(_Level(name, "> ", "> ") if name in self.quotes else _Level(name))

    def close_level(self, name: str) -> None:
        """Ends that fit to nothing are passed over."""
        self.block()
        if self._levels and self._levels[-1].name == "li" and name != "li":
            self._levels.pop()
        if self._levels and self._levels[-1].name == name:
            self._levels.pop()

    def _item(self, _name: str, _rest: str) -> None:
        self.close_level("li")
        mark = "- "
        if self._levels and self._levels[-1].name == "ol":
            self._levels[-1].items += 1
            mark = f"{self._levels[-1].items}. "
        self._levels.append(_Level("li", mark, " " * len(mark)))

    def _cell(self, _name: str, _rest: str) -> None:
        if not self._is_line_start and not self._is_broken:
            self.write(" | ")

    def _begin_code(self, _name: str, _rest: str) -> None:
        self.block()
        self._preformatted += 1

    def _end_code(self, _name: str) -> None:
        self.block()
        self._preformatted = max(0, self._preformatted - 1)

    def mute(self, name: str, _rest: str = "") -> None:
        """Leave out what follows, until the element ends."""
        if not self._muted:
            self._muted = name
        self._muted_depth += name == self._muted

    def unmute(self, name: str) -> None:
        if name == self._muted:
            self._muted_depth -= 1
            if not self._muted_depth:
                self._muted = ""

    def _begin_link(self, _name: str, rest: str) -> None:
        self._link = (len(self._parts), attributes(rest).get("href", "").strip())

    def _end_link(self, _name: str) -> None:
        if self._link is None or self._muted:
            return
        begin, address = self._link
        self._link = None
        if not address or address.lower().startswith(("#", "javascript:", "data:")):
            return
        label = "".join(self._parts[begin:]).strip()
        if not label:
            self.write(address)
        elif not _is_same(label, address):
            self.write(f" ({address})")

    def _begin_mention(self, _name: str, rest: str) -> None:
        known = attributes(rest).get("id", "")
        who = self._people.get(known, known)
        self._mention = None if who and who == self._mentioned else who
        self._mentioned = who

    def _end_mention(self, _name: str) -> None:
        self._mention = None

    def _emoji(self, name: str, rest: str) -> None:
        known = attributes(rest)
        alt = known.get("alt") or known.get("title") or ""
        self.write(f":{alt.strip(':')}:" if alt and name == "customemoji" else alt)

    def _image(self, _name: str, rest: str) -> None:
        known = attributes(rest)
        alt, kind = known.get("alt", ""), f"{known.get('itemtype')} {known.get('class')}".lower()
        if alt and "emoji" in kind:
            self.write(alt)
        elif not self._muted:
            self.images.append(Image(alt, known.get("src", "")))

    quotes = frozenset({"blockquote"})
    starts: Mapping[str, Callable[[Any, str, str], None]] = {
        **dict.fromkeys(_BLOCKS, block),
        **dict.fromkeys(_UNSEEN, mute),
        **dict.fromkeys(("ul", "ol", "menu", "blockquote"), open_level),
        **dict.fromkeys(("pre", "codeblock"), _begin_code),
        **dict.fromkeys(("td", "th"), _cell),
        **dict.fromkeys(("emoji", "customemoji"), _emoji),
        "br": _line_break,
        "li": _item,
        "a": _begin_link,
        "at": _begin_mention,
        "img": _image,
    }
    ends: Mapping[str, Callable[[Any, str], None]] = {
        **dict.fromkeys(_BLOCKS, block),
        **dict.fromkeys(_UNSEEN, unmute),
        **dict.fromkeys(("ul", "ol", "menu", "blockquote", "li"), close_level),
        **dict.fromkeys(("pre", "codeblock"), _end_code),
        "a": _end_link,
        "at": _end_mention,
    }


def _is_same(label: str, address: str) -> bool:
    """Whether a link is called as it is addressed, or the beginning of it."""
    if label == address:
        return True
    plain = address.removeprefix("mailto:").removeprefix("tel:")
    written = [_SCHEME.sub("", one, count=1).rstrip("/") for one in (label, plain)]
    return written[0] == written[1]


def plain_text(source: str) -> str:
    """The text of a piece of HTML."""
    if "<" not in source:
        return unescape(_SPACES.sub(" ", source)).replace("\xa0", " ").strip()
    return HtmlText(source).text
