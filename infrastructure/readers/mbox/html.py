"""HTML as plain text, in time that grows with its length whatever is in it."""

from __future__ import annotations

import re
from html import unescape

_LIMIT = 2 * 1024 * 1024  # characters; the rest is left out
_SPACE = re.compile(r"\s+")
_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9]*)")
_HREF = re.compile(r"\bhref\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})
_LINES = frozenset({"br", "div", "tr", "li", "dt", "dd", "hr", "section", "article", "option"})
_PARAGRAPHS = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl", "pre", "blockquote"}
)


def text_of_html(html: str) -> str:
    """Lines as they are shown; links as `label (address)`, quoted parts behind `> `."""
    page = _Page()
    unseen = ""  # the end for which what is not shown waits
    first, *rest = html[:_LIMIT].split("<")
    page.text(first)
    for piece in rest:
        if unseen:
            end = piece.lower().find(unseen)
            if end < 0 or (unseen != "-->" and end != 0):
                continue
            after = piece[end:].partition(">")[2]
            unseen = ""
        elif piece.startswith("!--"):
            if "-->" not in piece[1:]:
                unseen = "-->"
                continue
            after = piece[1:].partition("-->")[2]
        else:
            tag, closing, after = piece.partition(">")
            named = _NAME.match(tag)
            if named is None and piece[:1] not in ("!", "?", "/"):
                page.text(f"<{piece}")
                continue
            if not closing:
                continue
            if named is not None:
                name = named[1].lower()
                if name in _UNSEEN and not tag.startswith("/"):
                    unseen = f"/{name}"
                    continue
                page.tag(name, tag)
        page.text(after)
    return page.finished()


def _unescaped(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a number of thousands of digits
        return text


class _Page:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._depth = 0  # of quotations
        self._preformatted = 0
        self._link: tuple[str, list[str]] | None = None

    def text(self, raw: str) -> None:
        if not raw:
            return
        text = _unescaped(raw)
        if self._preformatted:
            first, *rest = text.split("\n")
            self._add(first)
            for line in rest:
                self._end_line()
                self._add(line)
            return
        self._add(_SPACE.sub(" ", text.replace("\xa0", " ")))

    def tag(self, name: str, tag: str) -> None:
        is_end = tag.startswith("/")
        if name == "a":
            self._end_link()
            match = None if is_end else _HREF.search(tag)
            if match is not None:
                self._link = (_unescaped(match[1] or match[2] or match[3] or "").strip(), [])
        elif name == "img":
            match = _ALT.search(tag)
            if match is not None:
                self._add(_unescaped(match[1] or match[2] or ""))
        elif name in ("td", "th"):
            self._add(" ")
        elif name in _LINES:
            if self._line or name == "br":
                self._end_line()
            if name == "li" and not is_end:
                self._add("- ")
        elif name in _PARAGRAPHS:
            self._end_paragraph(name, is_end=is_end)

    def finished(self) -> str:
        self._end_link()
        self._end_line()
        return "\n".join(self._lines).strip("\n")

    def _add(self, text: str) -> None:
        if not text or (text == " " and not self._line):
            return
        self._line.append(text)
        if self._link is not None:
            self._link[1].append(text)

    def _end_link(self) -> None:
        if self._link is None:
            return
        address, label = self._link
        self._link = None
        shown = "".join(label).strip()
        plain = address.removeprefix("mailto:")
        is_place = address.startswith(("http://", "https://", "mailto:"))
        if is_place and plain.rstrip("/") not in (shown, shown.rstrip("/")):
            self._add(f" ({plain})" if shown else plain)

    def _end_line(self) -> None:
        text = "".join(self._line)
        self._line = []
        if not self._preformatted:
            text = re.sub(" {2,}", " ", text).strip()
        self._lines.append(f"{'> ' * min(self._depth, 20)}{text}".rstrip())

    def _end_paragraph(self, name: str, *, is_end: bool) -> None:
        if self._line:
            self._end_line()
        is_quotation = name == "blockquote"
        # The empty line around a quotation is not a part of it.
        self._depth = max(0, self._depth - (is_quotation and is_end))
        if self._lines and self._lines[-1].strip("> "):
            self._lines.append(("> " * min(self._depth, 20)).rstrip())
        self._depth += is_quotation and not is_end
        if name == "pre":
            self._preformatted = max(0, self._preformatted + (-1 if is_end else 1))
