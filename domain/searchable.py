"""
Texts as full text compares them: without accents and case, and in pieces where no spaces part
words.

What is stored and what is asked go through the same function, so that they meet whatever the
database's locale is.
"""

from __future__ import annotations

import re
import unicodedata

# Marks above and below letters, of alphabets in which the letter without them is the same to a
# reader. In others (kana, Devanagari) a mark makes another letter.
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a"
    "\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff"
    "\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u2069\ufeff\u00ad]"
)
# Letters that are not a simpler one with a mark, as far as Unicode is concerned.
_SIMPLER = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
    "ħ": "h", "ŧ": "t", "ς": "σ", "ё": "е",
}  # fmt: skip
_KEPT = re.compile("[\u0400-\u052f\u3040-\u30ff\uac00-\ud7a3]")  # never taken apart
# Scripts that write words without spaces, and Korean, whose words carry their particles.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)


class _Folds(dict[int, str]):
    """What each character becomes; filled as characters come."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = self[code] = _folded(char)
        return folded


def _folded(char: str) -> str:
    lowered = char.lower()
    if _KEPT.match(lowered):
        return _SIMPLER.get(lowered, lowered)
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", lowered)).lower()
    return "".join(_SIMPLER.get(letter, letter) for letter in plain)


_FOLDS = _Folds()


def searchable(text: str) -> str:
    """The words of a text that is stored. ASCII stays as it is."""
    if text.isascii():
        return text
    folded = folded_text(text)
    return UNSPACED.sub(lambda run: f" {' '.join(_pairs(run[0]))} ", folded)


def folded_text(text: str) -> str:
    """Without accents and case, but in one piece."""
    return text if text.isascii() else unicodedata.normalize("NFC", text.translate(_FOLDS))


def places(text: str) -> list[int] | None:
    """
    For each character of `searchable(text)`, where in the text it comes from; -1 for spaces that
    are not in it. None: that cannot be told, because characters were composed.
    """
    if text.isascii():
        return list(range(len(text)))
    folded: list[str] = []
    origin: list[int] = []
    for place, char in enumerate(text):
        made = _FOLDS[ord(char)]
        folded.append(made)
        origin += [place] * len(made)
    whole = "".join(folded)
    if not unicodedata.is_normalized("NFC", whole):
        return None
    found: list[int] = []
    at = 0
    for run in UNSPACED.finditer(whole):
        found += origin[at : run.start()]
        for start, piece in enumerate(_pairs(run[0])):
            begin = run.start() + start
            found += [-1, *origin[begin : begin + len(piece)]]
        found.append(-1)
        at = run.end()
    return found + origin[at:]


def _pairs(run: str) -> list[str]:
    """
    Every two neighbours; and the last one alone, so that each begins something: a query of one
    character looks for beginnings.
    """
    return [run[start : start + 2] for start in range(len(run))]


def pairs_asked_for(run: str) -> list[str]:
    """Of a run that is looked for: what stands in a row wherever the run does."""
    return [run[start : start + 2] for start in range(max(1, len(run) - 1))]
