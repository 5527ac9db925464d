"""Names of months: clients write them in the language of the machine they ran on."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Three letters, as strftime's %b has them, and four where three would be two months.
_BEGINNINGS = (
    ("jan", "ene", "gen", "sty", "led"),
    ("feb", "fev", "lut", "uno", "helm"),
    ("mar", "mrt", "mrz", "maa", "bre"),
    ("apr", "avr", "abr", "kwi", "dub", "huh"),
    ("may", "mai", "mei", "maj", "mag", "kve", "tou"),
    ("jun", "juin", "giu", "cze", "kes"),
    ("jul", "juil", "lug", "lip", "hei"),
    ("aug", "aou", "ago", "sie", "srp", "elo"),
    ("sep", "set", "wrz", "zar", "syy"),
    ("oct", "okt", "ott", "out", "paz", "rij", "lok"),
    ("nov", "lis", "marr"),
    ("dec", "dez", "dic", "des", "gru", "pro", "joul"),
)
_NUMBERS = {name: month for month, names in enumerate(_BEGINNINGS, 1) for name in names}
_MARKS = re.compile(r"[^a-z]")  # accents, dots
NAME = r"[^\W\d_]{3,9}\.?"


@lru_cache(maxsize=256)
def month_of(name: str) -> int | None:
    """1 to 12, from the beginning of its name in one of several languages."""
    letters = _MARKS.sub("", unicodedata.normalize("NFKD", name.lower()))
    return _NUMBERS.get(letters[:4]) or _NUMBERS.get(letters[:3])
