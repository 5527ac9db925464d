"""
Which texts say the same, so that one of them can stand for all: docs/search.md has the rules.

Rather too few than too many: a name, a number or a `not` decides what a short text says.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from rapidfuzz.distance import Indel

SIMILARITY = 0.95  # of the letters of two long texts that are the same, in order
LONG = 120  # letters: from here on a handful of words may differ
TELLING = 60  # letters: from here on numbers, dates and links are details
MOST_COMPARED = 300  # with each long text that has too few words for that
LEAST_WORDS = 2  # of four letters or more, beside the number in a short notice

_FORWARDED = re.compile(
    r"\A\s*(?:(?:re|aw|fwd?|wg|tr|rv)\s*:\s*|-{2,20}[^\n]{0,40}forwarded[^\n]{0,40}-{2,20}\s*"
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
# Words, numbers with what is inside them, and the signs that decide what a short text says.
_TOKEN = re.compile(
    rf"[^\W\d_]+(?:[{_MARKS}'’]+[^\W\d_]*)*(?:\d\w*|[+#]+)?|[+-]?\d[\d.,:/-]*\w*"
    r"|\?|[👎❌🚫✖❎]|[$€£¥%]"
)
_SPECIAL = re.compile(r"[\d+#$€£¥%👎❌🚫✖❎]")
_NUMBER = re.compile(r"\d")
_IDENTIFIER = re.compile(r"\d{4,}|\d+[.:/-]\d+[.:/-]\d+|[0-9a-f]*\d[0-9a-f]{6,}")
_YEAR = re.compile(r"(?:19|20)\d\d")
# What turns a text into its opposite, in the languages of most chats.
_DENIALS = """
not no never none nobody nothing cannot without nicht kein keine keinen keinem keiner nie niemals
nichts ohne ne pas jamais rien sans non nunca nada sin não nem sem mai niente senza niet geen nooit
inte ikke ingen aldrig bez не нет ни никогда без ei yok değil 👎 ❌ 🚫 ✖ ❎ ?
"""
DENIALS = frozenset(_DENIALS.split())
LONGEST_IDENTIFIER = 64
MASK = "#"
SKETCH = 24  # words by which long texts are told apart before their letters are compared
IN_COMMON = 12  # of them


class _Spaces(dict[int, str]):
    """What stands for each character that is no part of a word; filled as characters come."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        is_part = char.isalnum() or char == "'" or char in _MARKS
        self[code] = " ? " if char == "?" else char if is_part else " "
        return self[code]


_SPACES = _Spaces()


class Form(NamedTuple):
    """A text without what makes no difference. Texts of one form say the same."""

    words: str  # in lower case, without punctuation, emoji, and marks of quoting and forwarding
    quoted: str  # of another's text that this one answers; "" if it quotes none, or nothing else
    masked: str  # with `#` for each number, date and link
    notice: str  # with `#` for what numbers a notice; "" if the text is none
    letters: int  # beside numbers and links
    denials: tuple[str, ...]  # of a long one: what turns it into its opposite, question marks
    sketch: frozenset[int]  # of a long one: words that stand for all of them


class Text(NamedTuple):
    text: str
    author: object  # notices of the same author only differ by their numbers


def form_of(text: str) -> Form:
    forwarded = _FORWARDED.match(text)
    own, quoted = parted(text[forwarded.end() :] if forwarded else text)
    tokens, links = tokens_of(own)
    words = " ".join(tokens)
    if not any(map(str.isalnum, words)):  # of emoji and signs alone: as they are
        bare = "".join(own.split())
        return Form(bare, quoted, bare, "", 0, (), frozenset())
    masked, notice = words, ""
    if links or _NUMBER.search(words):
        is_detail = [token in links or bool(_NUMBER.search(token)) for token in tokens]
        masked = " ".join(
            MASK if is_one else token for token, is_one in zip(tokens, is_detail, strict=True)
        )
        notice = "" if links else notice_of(tokens)
    letters = len(masked) - masked.count(MASK) - masked.count(" ")
    if letters < LONG:
        return Form(words, quoted, masked, notice, letters, (), frozenset())
    denials = tuple(token for token in tokens if token in DENIALS or token.endswith("n't"))
    return Form(words, quoted, masked, notice, letters, denials, sketch_of(masked))


def parted(text: str) -> tuple[str, str]:
    """What it says itself, and what it quotes. Who quotes and says nothing says what is quoted."""
    if ">" not in text:
        return text, ""
    lines = text.splitlines()
    own = [line for line in lines if not _QUOTED.match(line)]
    quoted = "\n".join(_QUOTED.sub("", line) for line in lines if _QUOTED.match(line))
    if not any(line.strip() for line in own):
        return quoted, ""
    return "\n".join(own), " ".join(tokens_of(quoted)[0])


def tokens_of(text: str) -> tuple[list[str], set[str]]:
    """All of them in order, and those of them that are links."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("’", "'")
    lowered = text.casefold()
    if "://" not in lowered and "www." not in lowered:
        return words_of(lowered), set()
    found: list[str] = []
    links: set[str] = set()
    at = 0
    for link in _LINK.finditer(text):
        named = link[0].rstrip(".,;:!?)>]\"'")  # its case decides where it leads
        found += [*words_of(text[at : link.start()].casefold()), named]
        links.add(named)
        at = link.end()
    return found + words_of(text[at:].casefold()), links


def words_of(lowered: str) -> list[str]:
    if _SPECIAL.search(lowered):
        return [token.rstrip(".,:/-'") for token in _TOKEN.findall(lowered)]
    # The same for most texts, several times as fast.
    parts = lowered.translate(_SPACES).split()
    return [word for part in parts if (word := part.strip("'"))] if "'" in lowered else parts


def sketch_of(masked: str) -> frozenset[int]:
    """The same words in any process. Empty: there are too few to tell texts apart by."""
    hashes = {crc32(word.encode()) for word in masked.split(" ")}
    return frozenset() if len(hashes) < SKETCH else frozenset(sorted(hashes)[:SKETCH])


def notice_of(tokens: Sequence[str]) -> str:
    """As in `Build 1234 failed`: words enough to be told by, and a number as of a ticket."""
    telling = sum(1 for token in tokens if len(token) >= 4 and token.isalpha())
    if telling < LEAST_WORDS:
        return ""
    masked = [MASK if is_identifier(token) else token for token in tokens]
    return " ".join(masked) if MASK in masked else ""


def is_identifier(token: str) -> bool:
    if len(token) > LONGEST_IDENTIFIER:
        return False
    return bool(_IDENTIFIER.fullmatch(token)) and not _YEAR.fullmatch(token)


def gathered(texts: Sequence[Text]) -> list[int]:
    """
    For each text the place of the one that stands for it: of the first that says the same, or its
    own. No text stands for another that is itself stood for.
    """
    stands: list[int] = []
    by_form: dict[tuple[object, ...], int] = {}
    long = LongTexts()
    for place, text in enumerate(texts):
        form = form_of(text.text)
        keys = list(keys_of(form, text))
        found = min((by_form[key] for key in keys if key in by_form), default=None)
        if found is None and form.letters >= LONG:
            found = long.nearly(form)
        if found is None:
            found = place
            for key in keys:
                by_form.setdefault(key, place)
            if form.letters >= LONG:
                long.add(place, form)
        stands.append(found)
    return stands


def keys_of(form: Form, text: Text) -> Iterable[tuple[object, ...]]:
    yield "words", form.words, form.quoted
    if form.letters >= TELLING:
        yield "masked", form.masked, form.quoted
    if form.notice:
        yield "notice", form.notice, form.quoted, text.author


class LongTexts:
    """Those that stand for others, by the words that tell them apart."""

    def __init__(self) -> None:
        self._forms: dict[int, Form] = {}  # by place, ascending
        self._holding: dict[int, list[int]] = {}  # places by a word of their sketch
        self._plain: list[int] = []  # places of those without one

    def add(self, place: int, form: Form) -> None:
        self._forms[place] = form
        if not form.sketch:
            self._plain.append(place)
        for word in form.sketch:
            self._holding.setdefault(word, []).append(place)

    def nearly(self, form: Form) -> int | None:
        """The first of them that differs by a handful of words only."""
        shared = Counter(place for word in form.sketch for place in self._holding.get(word, ()))
        # Comparing letters takes a hundred times as long as counting words.
        likely = sorted(place for place, count in shared.items() if count >= IN_COMMON)
        for place in likely or self._plain[:MOST_COMPARED]:
            other = self._forms[place]
            if (other.denials, other.quoted) == (form.denials, form.quoted):
                alike = Indel.normalized_similarity(
                    form.masked, other.masked, score_cutoff=SIMILARITY
                )
                if alike:
                    return place
        return None
