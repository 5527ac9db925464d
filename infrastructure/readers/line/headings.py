"""The lines of a LINE file that are no messages: its title, the day it was saved, and the days."""

from __future__ import annotations

import re
from typing import NamedTuple

from domain.message import ConversationKind
from infrastructure.readers.date_order import Triple

MARK = "[LINE]"
# With somebody, or in a group, where the words say which of the two it is.
_TITLES: tuple[tuple[str, ConversationKind], ...] = (
    (r"Chat history with (.+)", "direct"),
    (r"Chat history in (.+)", "group"),
    (r"(.+)とのトーク履歴", "direct"),
    (r"(.+)のトーク履歴", "group"),
    (r"(.+)のトーク", "unknown"),
    (r"[与與](.+)的聊天(?:记录|記錄|紀錄)", "direct"),
    (r"(.+)的聊天(?:记录|記錄|紀錄)", "group"),
    (r"(.+)님과(?:의)? 대화(?: ?기록|한 내용)?", "direct"),
    (r"(.+?)의? 대화 ?기록", "group"),
)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEKDAYS = {name[:length]: n for n, name in enumerate(_DAYS) for length in (3, len(name))}
_WEEKDAYS |= {
    name: n for n, pair in enumerate(("月월一", "火화二", "水수三", "木목四")) for name in pair
}
_WEEKDAYS |= {name: n for n, pair in enumerate(("金금五", "土토六", "日일天"), 4) for name in pair}
_AROUND = re.compile(r"^(?:周|週|星期)|(?:曜日|요일)$|[()（）.]")
_YEAR_FIRST = re.compile(
    r"(\d{4})[./-] ?(\d{1,2})[./-] ?(\d{1,2})\.?\s*([(（]?[^\W\d_]{1,20}\.?[)）]?)?\s*"
)
_YEAR_LAST = re.compile(r"([^\W\d_][^\d\t,]{0,20}?),? (\d{1,2})[./-](\d{1,2})[./-](\d{4})\s*")
_SAVED = re.compile(r"[^\d\t:：]{2,40}[:：]\s*(\d{1,4})[./-] ?(\d{1,2})[./-] ?(\d{1,4})(?!\d).*")


class Day(NamedTuple):
    fields: Triple  # in the file's order
    weekday: int | None  # 0 is Monday; None in a language that is not known here
    is_year_first: bool


def title_of(line: str) -> tuple[str, ConversationKind] | None:
    """The chat's name in the file's first line."""
    line = line.strip()
    bare = line.removeprefix(MARK).strip()
    is_marked = bare != line
    if not is_marked and not bare.startswith("Chat history"):
        return None
    for pattern, kind in _TITLES:
        if (match := re.fullmatch(pattern, bare)) is not None:
            return match[1].strip(), kind
    return (bare, "unknown") if is_marked and bare else None


def saved_on(line: str) -> Triple | None:
    """Three numbers of the day when the file was saved, in the file's order."""
    match = _SAVED.fullmatch(line)
    return None if match is None else (int(match[1]), int(match[2]), int(match[3]))


def day_of(line: str) -> Day | None:
    """`2024.01.02 Tuesday`, `2024/1/2週二`, `2024/01/02(火)`, `Tue, 01/02/2024`."""
    if line[:4].isdecimal():
        match = _YEAR_FIRST.fullmatch(line)
        if match is None:
            return None
        year, month, day, word = match.groups()
        return Day((int(year), int(month), int(day)), _weekday(word or ""), is_year_first=True)
    match = _YEAR_LAST.fullmatch(line) if len(line) < 60 else None
    if match is None:
        return None
    word, first, second, year = match.groups()
    return Day((int(first), int(second), int(year)), _weekday(word), is_year_first=False)


def _weekday(word: str) -> int | None:
    return _WEEKDAYS.get(_AROUND.sub("", _AROUND.sub("", word)).lower())
