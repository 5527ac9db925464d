"""What a WhatsApp line says besides text: media, polls, places, marks of editing and deletion."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.message import Attachment, MessageKind
from infrastructure.readers.whatsapp.marks import GENERATED, MARKS, without_marks
from infrastructure.readers.whatsapp.media_phrases import (
    OMITTED,
    comparable,
    omitted_kind,
    says_attached,
)
from infrastructure.readers.whatsapp.notice_phrases import (
    ENCRYPTED_BEGIN,
    NOTICES,
    is_deletion,
    is_encryption_notice,
    is_missed_call,
    without_edited_mark,
)

_FILE = r"[^<>:/\\\n]{1,200}\.\w{1,8}"
_IN_BRACKETS = re.compile(rf"<[{MARKS}\s]*[^<>:]{{1,30}}:\s*({_FILE})\s*>[{MARKS}]*")
_BEFORE_WORD = re.compile(rf"({_FILE}) ?[(<]([^()<>]{{1,40}})[)>]")
_OWN_NAME = re.compile(r"((?:IMG|VID|AUD|PTT|STK|DOC)-\d{8}-WA\d{4,}\.\w{1,6}) \([^()]*\)")
_NUMBER = re.compile(r"\A\d{5,}-")  # before the names of an iPhone's files
_POLL = re.compile(rf"[{MARKS}]*([^\W\d_a-zß-ÿ]{{3,14}}) ?:[ {MARKS}]*")
_OPTION = re.compile(
    rf"[{MARKS}]*([^\W\d_a-zß-ÿ]{{3,14}} ?: .*?) \([{MARKS}]*(\d{{1,7}}) [^()]{{1,20}}\)[{MARKS}]*"
)
_COORDINATES = re.compile(
    r"https://maps\.google\.com/\?q=(-?\d{1,3}(?:\.\d+)?),(-?\d{1,3}(?:\.\d+)?)"
)
_MENTION = re.compile("@\u2068([^\u2068\u2069]*)\u2069")
_VIEW_ONCE = re.compile(r"\bview once\b", re.IGNORECASE)
_ALONE = NOTICES | OMITTED  # phrases that are all that a line says
_LONGEST = 20 + max(map(len, _ALONE))  # characters, with marks
_BEGINNINGS = frozenset(  # few other lines begin so
    case(phrase[:3])
    for phrase in _ALONE | ENCRYPTED_BEGIN
    for case in (str, str.capitalize, str.upper)
)
_LONGEST_NAMED = 400  # characters, with the name of a file
_STRIPPED = frozenset(["", " ", "."])  # of what is ASCII, before a phrase is compared
_ENDINGS = frozenset([")", ">", *MARKS])  # of media and of marks of editing


class Content(NamedTuple):
    kind: MessageKind
    text: str
    attachments: tuple[Attachment, ...] = ()
    extra: Mapping[str, Any] | None = None
    is_call: bool = False  # a notice about what the person under whose name it stands did


def interpret(text: str, *, is_bracketed: bool) -> Content | None:
    """
    What a person's line holds; None if nothing but the words that it shows, as most lines do.

    Only the iPhone marks what it says itself.
    """
    if text.isascii() and not (
        text[:3] in _BEGINNINGS
        or text[-1:] in _ENDINGS
        or text[:1] in _STRIPPED
        or "/?q=" in text
        or ")\n" in text
        or ">\n" in text
        or "dmin" in text
        or "DMIN" in text
    ):
        return None  # without looking at it again
    end = text.find("\n")
    first = text if end < 0 else text[:end]
    if not (
        GENERATED in text
        or text[-1:] in _ENDINGS
        or (end >= 0 and first[-1:] in _ENDINGS)
        or "/?q=" in text
        or (len(first) <= _LONGEST and _may_be_notice(first))
        or is_encryption_notice(text)
    ):
        return None if "\u2068" not in text else Content("message", _mentioned(text))
    edited = without_edited_mark(text) if text[-1:] in _ENDINGS else None
    if edited is not None:
        content = _content(edited, is_bracketed=is_bracketed, is_edited=True)
        return content._replace(extra={**(content.extra or {}), "edited": True})
    return _content(text, is_bracketed=is_bracketed, is_edited=False)


def _may_be_notice(line: str) -> bool:
    plain = comparable(line)
    return plain in _ALONE or "admin" in plain


def _content(text: str, *, is_bracketed: bool, is_edited: bool) -> Content:
    for read in (_notice, _media_first, _media_last, _poll, _place):
        if (found := read(text)) is not None:
            return found
    if not text.startswith(GENERATED):
        return Content("message", _mentioned(text))
    bare = text.strip(MARKS)
    if not is_bracketed or is_edited:
        return Content("message", _mentioned(bare))
    if _VIEW_ONCE.search(bare):
        return Content("message", "", (Attachment("view once", None, None),))
    return Content("system", bare, is_call=is_missed_call(bare.partition(",")[0]))


def _notice(text: str) -> Content | None:
    if is_encryption_notice(text):
        return Content("system", text.strip(MARKS))
    if len(text) > _LONGEST:
        return None
    if is_deletion(text):
        return Content("deleted", "")
    if is_missed_call(text):
        return Content("system", without_marks(text), is_call=True)
    return None


def poll_without_votes(text: str) -> str:
    """What stays the same of a poll while people vote; any other text as it is."""
    if "\n" not in text or not _POLL.match(text):
        return text
    poll = _poll(text)
    return text if poll is None else poll.text


def _mentioned(text: str) -> str:
    """Mentions without the invisible brackets around the name."""
    return _MENTION.sub(r"@\1", text) if "\u2068" in text else text


def _media_first(text: str) -> Content | None:
    """A first line that stands for a file, or for what was left out; its caption follows."""
    first, _, caption = text.partition("\n")
    if len(first) > _LONGEST_NAMED:
        return None
    line = without_marks(first).strip()
    if line.endswith((")", ">")):
        name = _named_file(line) or (omitted_kind(line[1:-1]) if line[0] == "<" else None)
    else:
        name = omitted_kind(line) if len(line) <= _LONGEST else None
        if name == "media":
            return None  # Android's phrase, which stands in pointed brackets
    if name is None:
        return None
    return Content("message", _mentioned(caption), (Attachment(name, None, None),))


def _named_file(line: str) -> str | None:
    match = _IN_BRACKETS.fullmatch(line) or _OWN_NAME.fullmatch(line)
    if match is None and (match := _BEFORE_WORD.fullmatch(line)) and not says_attached(match[2]):
        return None
    return None if match is None else match[1].strip()


def _media_last(text: str) -> Content | None:
    """The iPhone puts the caption, or a document's title and length, before what it says."""
    if GENERATED not in text:
        return None
    before, _, said = text.rpartition(f"{GENERATED}<")
    if len(said) > _LONGEST_NAMED:
        return None
    if before and (match := _IN_BRACKETS.fullmatch(f"<{said}".rstrip())):
        name = match[1].strip(MARKS + " ")
        return _captioned(before, name, name)
    before, _, said = text.rstrip(MARKS).rpartition(GENERATED)
    kind = omitted_kind(said) if before else None
    if kind is None or kind == "media":
        return None
    return _captioned(before, kind, None)


def _captioned(before: str, name: str, file: str | None) -> Content:
    caption = before.strip(MARKS + " ")
    title, dot, _ = without_marks(caption).partition(" • ")
    if "\n" in caption:
        title = ""
    if file is None and name == "document" and title:
        is_title, name = True, title
    else:
        is_title = file is not None and bool(title) and _NUMBER.sub("", file) == title
    if not is_title:
        return Content("message", _mentioned(caption), (Attachment(name, None, None),))
    extra = {"title": without_marks(caption)} if dot else None
    return Content("message", "", (Attachment(name, None, None),), extra)


def _poll(text: str) -> Content | None:
    """`POLL:`, the question, and lines such as `OPTION: Rome (2 votes)`, in any language."""
    head, *lines = text.split("\n")
    if not lines or not _POLL.fullmatch(head):
        return None
    question: list[str] = []
    options: list[dict[str, Any]] = []
    shown = [head.strip(MARKS + " ")]
    for line in lines:
        match = _OPTION.fullmatch(line)
        if match is not None:
            options.append({"text": match[1].partition(":")[2].strip(), "votes": int(match[2])})
        elif not options:
            question.append(line)
        shown.append(match[1] if match is not None else line)
    if not options:
        return None
    poll = {"question": "\n".join(question), "options": options}
    return Content("message", "\n".join(shown), extra={"poll": poll})


def _place(text: str) -> Content | None:
    """`location: https://maps.google.com/?q=52.5,13.4`, in any language."""
    match = _COORDINATES.search(text) if "/?q=" in text else None
    if match is None:
        return None
    where = {"latitude": float(match[1]), "longitude": float(match[2])}
    return Content("message", text.strip(MARKS), extra={"location": where})
