"""Skype's markup: a small dialect of HTML, with quotes, mentions, files and marks of edits."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any

from domain.message import Attachment
from infrastructure.readers.html_text import HtmlText
from infrastructure.readers.html_tokens import attributes
from infrastructure.readers.microsoft.cards import card_text
from infrastructure.readers.microsoft.inner_json import parsed
from infrastructure.readers.microsoft.words import base_name

# What a file is called whose name is not written.
_NAMES = {"picture": "photo", "video": "video", "audio": "audio", "file": "file"}
_REPLY = "http://schema.skype.com/Reply"


class SkypeText(HtmlText):
    """One message's content: its text, and what else is in it."""

    def __init__(self, content: str, *, conversation: str = "", keeps_space: bool = True) -> None:
        """
        Args:
            conversation: the id of the message's own; answers to messages elsewhere are none.
            keeps_space: False for what Teams writes, which is ordinary HTML.
        """
        self.attachments: list[Attachment] = []
        self.reply_to: str | None = None
        self.edited: str | None = None  # seconds since 1970, as written
        self._conversation = conversation
        self._file: dict[str, str] = {}
        super().__init__(content, keeps_space=keeps_space)

    def _quote(self, name: str, rest: str) -> None:
        known = attributes(rest)
        place = known.get("conversation") or self._conversation
        self._answer(known.get("messageid"), is_here=place == self._conversation)
        self.open_level(name)
        if author := known.get("authorname") or known.get("author"):
            self.write(f"{author}: ")

    def _blockquote(self, name: str, rest: str) -> None:
        known = attributes(rest)
        if known.get("itemtype") == _REPLY:
            self._answer(known.get("itemid"), is_here=True)
        self.open_level(name)

    def _answer(self, key: str | None, *, is_here: bool) -> None:
        if self.reply_to is None and is_here and key and key != "0":
            self.reply_to = key

    def _edit_mark(self, _name: str, rest: str) -> None:
        self.edited = attributes(rest).get("ts")

    def _smiley(self, name: str, rest: str) -> None:
        """`alt` is the emoji, and the text between the tags its name in brackets."""
        if alt := attributes(rest).get("alt"):
            self.write(alt)
            self.mute(name)

    def _begin_file(self, name: str, rest: str) -> None:
        self._file = attributes(rest)
        self.mute(name)

    def _file_name(self, _name: str, rest: str) -> None:
        self._file["name"] = attributes(rest).get("v", "")

    def _file_size(self, _name: str, rest: str) -> None:
        self._file["size"] = attributes(rest).get("v", "")

    def _card(self, _name: str, rest: str) -> None:
        try:
            raw = base64.b64decode(attributes(rest).get("b64", ""), validate=True)
        except (binascii.Error, ValueError):
            return
        self._file["card"] = card_text(parsed(raw.decode("utf-8", "replace")))

    def _end_file(self, name: str) -> None:
        self.unmute(name)
        file, self._file = self._file, {}
        kind = file.get("type", "").partition(".")[0].lower()
        if kind == "poll":
            options = [f"- {one}" for one in file.get("optionsencoded", "").split("|") if one]
            self.write("\n".join([file.get("title", ""), *options]))
        elif kind == "swift" or "card" in file:
            self.write(file.get("card", ""))
        elif file:
            name = base_name(file.get("name", "")) or _NAMES.get(kind, "file")
            size = file.get("size", "")
            bytes = int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None
            self.attachments.append(Attachment(name, None, bytes))

    quotes = HtmlText.quotes | {"quote"}
    starts: Mapping[str, Callable[[Any, str, str], None]] = {
        **HtmlText.starts,
        "quote": _quote,
        "blockquote": _blockquote,
        "e_m": _edit_mark,
        "ss": _smiley,
        "legacyquote": HtmlText.mute,
        "context": HtmlText.mute,
        "uriobject": _begin_file,
        "originalname": _file_name,
        "filesize": _file_size,
        "swift": _card,
    }
    ends: Mapping[str, Callable[[Any, str], None]] = {
        **HtmlText.ends,
        "quote": HtmlText.close_level,
        "ss": HtmlText.unmute,
        "uriobject": _end_file,
        "legacyquote": HtmlText.unmute,
        "context": HtmlText.unmute,
    }
