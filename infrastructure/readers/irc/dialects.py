"""Which of the many forms of IRC logs a file has: chosen once, from its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple, cast

from infrastructure.readers.irc.codes import without_codes
from infrastructure.readers.irc.day_marks import day_mark, session_ident
from infrastructure.readers.irc.events import is_marked
from infrastructure.readers.irc.rewriting import from_dircproxy, from_psybnc
from infrastructure.readers.irc.stamps import PATTERNS, StampForm

_FORMS: tuple[StampForm, ...] = ("dated", "day_month", "clock", "epoch")
_WHO = r"<([^<>\t]{1,300})>"
# What somebody is addressed with at the beginning of a text is a group of its own.
_ADDRESSED = r"([^\s:,]{1,64})[:,][ \t]"
_TEXT = rf"((?:{_ADDRESSED})?.*)"
ADDRESSED = re.compile(_ADDRESSED)
_MARK_COLUMN = r"(?:-->|<--|--|=!=| ?\*|)\t"  # a second column that is no nick
_STAMPED = re.compile(
    r"[\[(]?(?:" + "|".join(f"(?P<{form}>{PATTERNS[form]})" for form in _FORMS) + r")[\])]?"
    r"(?=[ \t]|$)"
)
_SAID = re.compile(rf"{_WHO}(?:[ \t]|$)")
_TOLD = re.compile(
    r"(?:-!-|\*{1,3}|-->|<--|---?|===)[ \t]|-[^\s-]\S*-[ \t]|Action: \S"
    r"|\S+ \([^\s()]*@[^\s()]*\) (?:joined|left) |Nick change: \S+ -> "
)
_FLAGGED = re.compile(r"<[^<>!]+![^<>]+>[ \t][+-]")
_ENOUGH = 0.5  # share of the lines

Rewriting = Callable[[str], str | None]


class Dialect(NamedTuple):
    form: StampForm | None  # None: lines have no time
    is_tabbed: bool  # three columns, as WeeChat writes them
    is_flagged: bool  # texts begin with dircproxy's + or -
    rewritten: Rewriting | None  # into the usual order; None from it: the line is something else
    message: re.Pattern[str]  # groups: time, who, text, whom it addresses
    timed: re.Pattern[str]  # group: time; the rest of the line follows


class Choice(NamedTuple):
    dialect: Dialect
    share: float  # of the lines: those of its form
    said: int  # messages among them
    told: int  # what else happened, among them
    marks: int  # lines about days and sessions, which only clients write


class _Kind(NamedTuple):
    form: StampForm | None
    is_tabbed: bool = False
    rewritten: Rewriting | None = None


@lru_cache(maxsize=32)
def _dialect(kind: _Kind, *, is_flagged: bool) -> Dialect:
    stamp = rf"[\[(]?({PATTERNS[kind.form]})[\])]?" if kind.form else "()"
    if kind.is_tabbed:
        message = rf"{stamp}\t(?!{_MARK_COLUMN})([^\t]{{1,300}})\t{_TEXT}"
        timed = rf"{stamp}\t"
    else:
        between = r"[ \t]+" if kind.form else ""
        message = rf"{stamp}{between}{_WHO}(?:[ \t]|$){_TEXT}"
        timed = rf"{stamp}(?:[ \t]+|$)" if kind.form else "()"
    patterns = re.compile(message, re.DOTALL), re.compile(timed)
    return Dialect(kind.form, kind.is_tabbed, is_flagged, kind.rewritten, *patterns)


def choose(lines: Iterable[str]) -> Choice | None:
    """None: too few of the lines are those of an IRC log."""
    counts: Counter[_Kind] = Counter()
    said: Counter[_Kind] = Counter()
    total = flagged = marks = 0
    for raw in lines:
        line = raw if raw.isprintable() else without_codes(raw)
        if not line.strip():
            continue
        if day_mark(line) is not None or session_ident(line) is not None:
            marks += 1
        elif (found := _kind_of(line)) is not None:
            total += 1
            kind, is_said = found
            counts[kind] += 1
            said[kind] += is_said
            flagged += is_said and _FLAGGED.search(line) is not None
        elif not is_marked(line):
            total += 1
    if not counts:
        return None
    kind, count = counts.most_common(1)[0]
    if count < total * _ENOUGH or (kind.form is None and not marks):
        return None
    is_flagged = 0 < said[kind] == flagged
    dialect = _dialect(kind, is_flagged=is_flagged)
    return Choice(dialect, count / total, said[kind], count - said[kind], marks)


def _kind_of(line: str) -> tuple[_Kind, bool] | None:
    """The form of one line, and whether it is a message; None: it is no line of an IRC log."""
    match = _STAMPED.match(line)
    if match is None:
        for rewriting in (from_psybnc, from_dircproxy):
            rewritten = rewriting(line)
            if rewritten is not None and (found := _kind_of(rewritten)) is not None:
                return found[0]._replace(rewritten=rewriting), found[1]
        return (_Kind(None), True) if _SAID.match(line) else None
    form = cast("StampForm", match.lastgroup)  # the groups are named after the forms
    rest = line[match.end() :]
    if rest.startswith("\t") and "\t" in rest[1:302]:
        return _Kind(form, is_tabbed=True), re.match(_MARK_COLUMN, rest[1:]) is None
    body = rest.lstrip(" \t")
    is_said = _SAID.match(body) is not None
    return (_Kind(form), is_said) if is_said or _TOLD.match(body) else None
