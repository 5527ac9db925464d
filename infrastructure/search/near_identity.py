"""
Which texts say the same, so that one of them can stand for all: docs/search.md has the rules.

Rather too few than too many: a name, a number or a `not` decides what a short text says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import Indel

SIMILARITY = 0.95  # of the letters of two long texts that are the same, in order
LONG = 120  # letters: from here on a handful of words may differ
TELLING = 60  # letters: from here on numbers, dates and links are details
MOST_COMPARED = 300  # long texts, with each one that is new
LEAST_WORDS = 2  # of four letters or more, beside the number in a short notice

_FORWARDED = re.compile(
    r"\A\s*(?:(?:re|aw|fwd?|wg|tr|rv)\s*:\s*|-{2,}.*forwarded.*-{2,}\s*"
    r"|begin forwarded message:\s*|\[?forwarded(?: message| from [^\n\]]*)?\]?:?[ \t]*\n)+",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^[ \t]*(?:>[ \t]*)+", re.MULTILINE)
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
# Vowels of many scripts are marks, which Python does not take for parts of words.
_MARKS = "".join(
    chr(code)
    for code in (*range(0x300, 0x1D00), *range(0xA800, 0xAC00))
    if unicodedata.category(chr(code)).startswith("M")
)
_WORD = rf"(?:[^\W\d_]|[{_MARKS}])+"
# Words, numbers with what is inside them, and the signs that decide what a short text says.
_TOKEN = re.compile(
    rf"[+-]?\d[\d.,:/-]*\w*|{_WORD}(?:['’]{_WORD})*(?:\d\w*|[+#]+)?|\?|[👎❌🚫✖❎]|[$€£¥%]"
)
_DETAIL = re.compile(r"\d|https?://|www\.", re.IGNORECASE)
_IDENTIFIER = re.compile(r"\d{4,}|\d+[.:/-]\d+[.:/-]\d+|[0-9a-f]*\d[0-9a-f]{6,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
# What turns a text into its opposite, in the languages of most chats.
_DENIALS = """
not no never none nobody nothing cannot without nicht kein keine keinen keinem keiner nie niemals
nichts ohne ne pas jamais rien sans non nunca nada sin não nem sem mai niente senza niet geen nooit
inte ikke ingen aldrig bez не нет ни никогда без ei yok değil 👎 ❌ 🚫 ✖ ❎
"""
DENIALS = frozenset(_DENIALS.split())
MASK = "#"
ASKED = "?"


class Form(NamedTuple):
    """A text without what makes no difference. Texts of one form say the same."""

    words: str  # in lower case, without punctuation, emoji, and marks of quoting and forwarding
    quoted: str  # of another's text that this one answers; "" if it quotes none, or nothing else
    masked: str  # with `#` for each number, date and link
    notice: str  # with `#` for what numbers a notice; "" if the text is none
    letters: int  # beside numbers and links
    denials: tuple[str, ...]  # of a long one: what turns it into its opposite, question marks


class Text(NamedTuple):
    text: str
    author: object  # notices of the same author only differ by their numbers


def form_of(text: str) -> Form:
    own, quoted = parted(_FORWARDED.sub("", text))
    tokens = tokens_of(own if own.isascii() else unicodedata.normalize("NFKC", own))
    words = " ".join(tokens)
    if not any(map(str.isalnum, words)):  # of emoji and signs alone: as they are
        bare = "".join(own.split())
        return Form(bare, quoted, bare, "", 0, ())
    masked, notice = words, ""
    if _DETAIL.search(words):
        masked = " ".join(MASK if _DETAIL.search(token) else token for token in tokens)
        notice = notice_of(tokens)
    letters = len(masked) - masked.count(MASK) - masked.count(" ")
    denials = tuple(token for token in tokens if is_denial(token)) if letters >= LONG else ()
    return Form(words, quoted, masked, notice, letters, denials)


def parted(text: str) -> tuple[str, str]:
    """What it says itself, and what it quotes. Who quotes and says nothing says what is quoted."""
    if ">" not in text:
        return text, ""
    lines = text.splitlines()
    own = [line for line in lines if not _QUOTED.match(line)]
    quoted = "\n".join(_QUOTED.sub("", line) for line in lines if _QUOTED.match(line))
    if not any(line.strip() for line in own):
        return quoted, ""
    return "\n".join(own), " ".join(tokens_of(unicodedata.normalize("NFKC", quoted)))


def tokens_of(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    for link in _LINK.finditer(text):
        found += _TOKEN.findall(text[at : link.start()].casefold())
        found.append(link[0].rstrip(".,;:!?)>]\"'"))  # a link's case decides where it leads
        at = link.end()
    found += _TOKEN.findall(text[at:].casefold())
    return [token.rstrip(".,:/-").replace("’", "'") for token in found]


def is_denial(token: str) -> bool:
    return token in DENIALS or token == ASKED or token.endswith("n't")


def notice_of(tokens: Sequence[str]) -> str:
    """As in `Build 1234 failed`: words enough to be told by, and a number as of a ticket."""
    telling = sum(1 for token in tokens if len(token) >= 4 and token.isalpha())
    if telling < LEAST_WORDS or any(map(_LINK.match, tokens)):
        return ""
    masked = [MASK if is_identifier(token) else token for token in tokens]
    return " ".join(masked) if MASK in masked else ""


def is_identifier(token: str) -> bool:
    return bool(_IDENTIFIER.fullmatch(token)) and not _YEAR.fullmatch(token)


def gathered(texts: Sequence[Text]) -> list[int]:
    """
    For each text the place of the one that stands for it: of the first that says the same, or its
    own. No text stands for another that is itself stood for.
    """
    stands: list[int] = []
    by_form: dict[tuple[object, ...], int] = {}
    long: list[tuple[int, Form]] = []
    for place, text in enumerate(texts):
        form = form_of(text.text)
        keys = list(keys_of(form, text))
        found = min((by_form[key] for key in keys if key in by_form), default=None)
        if found is None and form.letters >= LONG:
            found = nearly(form, long)
        if found is None:
            found = place
            if form.letters >= LONG:
                long.append((place, form))
        if found == place:
            for key in keys:
                by_form.setdefault(key, place)
        stands.append(found)
    return stands


def keys_of(form: Form, text: Text) -> Iterable[tuple[object, ...]]:
    yield "words", form.words, form.quoted
    if form.letters >= TELLING:
        yield "masked", form.masked, form.quoted
    if form.notice:
        yield "notice", form.notice, form.quoted, text.author


def nearly(form: Form, others: Sequence[tuple[int, Form]]) -> int | None:
    """The first of them that differs by a handful of words only."""
    alike = [
        (place, other.masked)
        for place, other in others[:MOST_COMPARED]
        if other.denials == form.denials and other.quoted == form.quoted
    ]
    found = process.extract_iter(
        form.masked,
        [masked for _, masked in alike],
        scorer=Indel.normalized_similarity,
        processor=None,
        score_cutoff=SIMILARITY,
    )
    return next((alike[number][0] for _, _, number in found), None)
