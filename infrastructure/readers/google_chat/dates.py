"""
Dates in words, as Takeout writes them: “Tuesday, March 4, 2025 at 3:04:05 PM UTC”.

Newer exports put a narrow space (U+202F) before AM and PM; British ones have the day first and 24
hours; accounts in other languages have their own names of months. What is not understood to the
last word is refused: a wrong date is worse than none.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from domain.message import Precision, Zone
from infrastructure.readers.local_time import LocalClock

_LANGUAGES = (
    "january february march april may june july august september october november december",
    "januar februar märz april mai juni juli august september oktober november dezember",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "januari februari maart april mei juni juli augustus september oktober november december",
    "januari februari mars april maj juni juli augusti september oktober november december",
    "januar februar marts april maj juni juli august september oktober november december",
)
_MONTHS = {
    name: number for language in _LANGUAGES for number, name in enumerate(language.split(), start=1)
}
_SHORT = {name[:3]: number for number, name in enumerate(_LANGUAGES[0].split(), start=1)}

# Everyday English, also with the narrow space.
_USUAL = re.compile(
    r"(?:[A-Z][a-z]+, )?([A-Z][a-z]+) (\d{1,2}), (\d{4}) at (\d{1,2}):(\d{2}):(\d{2})\s?([AP])M UTC"
)
_CLOCK = re.compile(
    r"(?<![\d+-])(?:(?P<before>午前|午後|上午|下午|오전|오후)\s?)?(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?!\d))?"
    r"(?:[.,]\d{1,9})?(?:\s?(?P<after>[AaPp])\.?\s?[Mm]\b\.?)?"
)
_ZONE = re.compile(r"(?:(UTC|GMT|Z)\s?)?(?:([+-]\d{1,2})(?::?(\d{2}))?)?")
_EAST_ASIAN = re.compile(r"(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})\s?[日일]")
_SHORT_ENGLISH = re.compile(r"\b([a-z]{3})\.? (\d{1,2}), (\d{4})\b")
_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d+")
_AFTERNOON = frozenset({"p", "午後", "下午", "오후"})
_LONGEST = 120


def parse_date(text: str, clock: LocalClock) -> tuple[datetime, Precision, Zone]:
    """
    Args:
        clock: for a date without a zone; Takeout has always been seen to write UTC.

    Raises:
        ValueError, OverflowError: if it is no date that can be understood.
        TypeError: if it is no text.
    """
    if usual := _USUAL.fullmatch(text):
        month = _MONTHS.get(usual[1].lower())
        if month is not None:
            hour = _hour(int(usual[4]), is_afternoon=usual[7] == "P")
            day, year, minute, second = int(usual[2]), int(usual[3]), int(usual[5]), int(usual[6])
            return datetime(year, month, day, hour, minute, second, 0, UTC), "second", "stated"
    if len(text) > _LONGEST:
        raise ValueError(f"{text[:40]!r}… is no date")
    plain = " ".join(text.split())
    if re.match(r"\d{4}-\d{2}-\d{2}", plain):
        return _from_iso(plain, clock)
    return _from_words(plain, clock)


def _from_iso(text: str, clock: LocalClock) -> tuple[datetime, Precision, Zone]:
    local = datetime.fromisoformat(re.sub(r"\s?UTC$", "Z", text))
    precision: Precision = "microsecond" if local.microsecond else "second"
    if local.tzinfo is None:
        return clock.utc(local), precision, clock.zone
    return local.astimezone(UTC), precision, "stated"


def _from_words(text: str, clock: LocalClock) -> tuple[datetime, Precision, Zone]:
    times = list(_CLOCK.finditer(text))
    if len(times) != 1:
        raise ValueError(f"{text!r} has no time of day that is understood")
    (time,) = times
    hour, minute, second = int(time[2]), int(time[3]), int(time[4] or 0)
    half = time["before"] or time["after"]
    if half is not None:
        hour = _hour(hour, is_afternoon=half.lower() in _AFTERNOON)
    local = datetime(*_day(text[: time.start()].lower()), hour, minute, second)  # noqa: DTZ001
    precision: Precision = "minute" if time[4] is None else "second"
    rest = re.sub(r"^\s?(?:Uhr|h)\b", "", text[time.end() :]).strip()
    zone = _ZONE.fullmatch(rest)
    if zone is None:
        raise ValueError(f"the time zone of {text!r} is not known")
    if not rest:
        return clock.utc(local), precision, clock.zone
    hours, minutes = int(zone[2] or 0), int(zone[3] or 0)
    away = timedelta(hours=hours, minutes=-minutes if (zone[2] or "").startswith("-") else minutes)
    return (local - away).replace(tzinfo=UTC), precision, "stated"


def _hour(hour: int, *, is_afternoon: bool) -> int:
    if not 1 <= hour <= 12:
        raise ValueError(f"{hour} o'clock is no hour of half a day")
    return hour % 12 + (12 if is_afternoon else 0)


def _day(text: str) -> tuple[int, int, int]:
    """Year, month, day."""
    if east := _EAST_ASIAN.search(text):
        return int(east[1]), int(east[2]), int(east[3])
    months = {_MONTHS[word] for word in _WORD.findall(text) if word in _MONTHS}
    short = _SHORT_ENGLISH.search(text)
    if not months and short is not None and short[1] in _SHORT:
        return int(short[3]), _SHORT[short[1]], int(short[2])
    numbers = _NUMBER.findall(text)
    years = [int(number) for number in numbers if len(number) == 4]
    days = [int(number) for number in numbers if len(number) <= 2]
    if not len(months) == len(years) == len(days) == 1 or len(numbers) != 2:
        raise ValueError(f"{text!r} is no date in a language that is understood")
    return years[0], months.pop(), days[0]
