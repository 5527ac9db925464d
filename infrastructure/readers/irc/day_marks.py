"""Lines that say which day it is, and that a log was opened or closed."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal, NamedTuple

from infrastructure.readers.irc.months import NAME, month_of

MarkKind = Literal["opened", "closed", "day"]

_TIME = r"(?:\d{1,2}:\d{2}(?::\d{2})?)"
_DATE = re.compile(
    rf"(?:[^\W\d_]{{1,9}}\.?,? +)?"
    rf"(?:(?P<month>{NAME}) +(?P<day>\d{{1,2}}),?(?: +{_TIME})?(?: +[A-Z]{{3,5}})?"
    rf" +(?P<year>\d{{4}})"
    rf"|(?P<day2>\d{{1,2}})\.? +(?P<month2>{NAME}),? +(?P<year2>\d{{4}})(?: +{_TIME})?"
    rf"|(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})(?:[ T]+{_TIME})?)"
    r"(?: *-+)?\s*"
)
# irssi; mIRC; xchat and HexChat; eggdrop, whose line has a time in front; others.
_MARK = re.compile(
    r"(?:\[00:00(?::00)?\] +)?(?:"
    r"--- (?P<irssi>Log opened|Log closed|Day changed(?: to)?) "
    r"|Session (?P<mirc>Start|Close|Time): "
    r"|\*{4} (?P<xchat>BEGIN|ENDING) LOGGING AT "
    r"|(?:---|===|\*\*\*|-!-)? ?(?P<other>Day changed(?: to)?) "
    r"|(?P<eggdrop>---) )"
)
_KINDS: dict[str, MarkKind] = {
    **dict.fromkeys(("Log opened", "Start", "BEGIN"), "opened"),
    **dict.fromkeys(("Log closed", "Close", "ENDING"), "closed"),
}
_BEGINNINGS = frozenset(("--- ", "Sess", "****", "Day "))
_IDENT = re.compile(r"Session Ident: (\S+)")
_YEARS = range(1980, 2200)
_LENGTH = 200  # characters


class DayMark(NamedTuple):
    kind: MarkKind
    day: date


def day_mark(line: str) -> DayMark | None:
    """None: the line is something else."""
    may_be = line[:4] in _BEGINNINGS or line[4:7] == "Day" or "---" in line[8:14]
    match = _MARK.match(line) if may_be and len(line) <= _LENGTH else None
    if match is None:
        return None
    day = date_of(line[match.end() :])
    kind = next(filter(None, match.groups()))
    return None if day is None else DayMark(_KINDS.get(kind, "day"), day)


def date_of(text: str) -> date | None:
    """A day as clients write it into such lines: `Sat Sep 06 18:28:43 2014`, `2014-09-06` …"""
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    try:
        if match["iso"]:
            found = date.fromisoformat(match["iso"])
        else:
            year = int(match["year"] or match["year2"])
            month = month_of(match["month"] or match["month2"]) or 0
            found = date(year, month, int(match["day"] or match["day2"]))
    except ValueError:
        return None
    return found if found.year in _YEARS else None


def session_ident(line: str) -> str | None:
    """The channel or person that mIRC names below the beginning of a session."""
    match = _IDENT.match(line) if line.startswith("Session ") else None
    return match[1] if match else None
