"""Headers line after line: all lines of a phone begin alike."""

from __future__ import annotations

import re
from typing import NamedTuple

from infrastructure.readers.date_order import Triple
from infrastructure.readers.whatsapp.headers import Header, Shape, of_24, parse_header
from infrastructure.readers.whatsapp.marks import MARKS

_OPENERS = frozenset(MARKS + "[")
_TEMPLATES_KEPT = 6
_TIMES_KEPT = 20_000  # days and times of day


class _Template(NamedTuple):
    """A header with the digits taken out: others of the file differ from it in these alone."""

    pattern: re.Pattern[str]  # groups: the date, the time of day
    shape: Shape
    is_pm: bool | None
    clocks: dict[str, Triple]  # times of day, by how they are written


class HeaderParser:
    """Remembers the last header, and how the headers of this file are written."""

    def __init__(self) -> None:
        self.beginning = "\0"  # of the line with the last header; no line begins so
        self.header: Header | None = None  # the last one
        self._templates: list[_Template] = []  # the last used first
        self._dates: dict[str, Triple] = {}

    def parse(self, line: str) -> Header | None:
        """As parse_header; the very same object for the same beginning."""
        if line.startswith(self.beginning):
            return self.header
        first = line[:1]
        if not first.isdecimal() and first not in _OPENERS:
            return None
        for template in self._templates:
            if match := template.pattern.match(line):
                return self._from_template(template, match)
        found = parse_header(line)
        # Without a space at its end, a longer header could begin with the same characters.
        if found is not None and line[found.end - 1 : found.end].isspace():
            self.beginning, self.header = line[: found.end], found
            learned = _template(self.beginning, found)
            if learned is not None:
                self._templates.insert(0, learned)
                del self._templates[_TEMPLATES_KEPT:]
        return found

    def _from_template(self, template: _Template, match: re.Match[str]) -> Header:
        if template is not self._templates[0]:
            self._templates.remove(template)
            self._templates.insert(0, template)
        written, at = match.groups()
        date = self._dates.get(written)
        if date is None:
            date = _kept(self._dates, written, _numbers(written))
        clock = template.clocks.get(at)
        if clock is None:
            hour, minute, second = _numbers(at)
            if template.is_pm is not None:
                hour = of_24(hour, is_pm=template.is_pm)
            clock = _kept(template.clocks, at, (hour, minute, second))
        header = Header(template.shape, date, clock, match.end())
        self.beginning, self.header = match[0], header
        return header


def _template(written: str, header: Header) -> _Template | None:
    """None for headers that are read in full each time, because they are rare."""
    if header.shape.is_time_first or not header.shape.ending:
        return None
    before, *parts = re.split(r"(\d+)", written)
    numbers, literals = parts[::2], [re.escape(literal) for literal in parts[1::2]]
    if len(numbers) != 5 + header.shape.has_seconds:
        return None
    fields = [rf"\d{{{len(n)}}}" if len(n) > 2 else r"\d{1,2}" for n in numbers[:4]]
    fields += [r"\d{2}"] * (len(numbers) - 4)
    date = literals[0].join(fields[:2]) + literals[1] + fields[2]
    clock = "".join(f + c for f, c in zip(fields[3:-1], literals[3:-1], strict=True)) + fields[-1]
    pattern = f"{re.escape(before)}({date}){literals[2]}({clock}){literals[-1]}"
    is_pm = header.clock[0] >= 12 if header.shape.has_period else None
    return _Template(re.compile(pattern), header.shape, is_pm, {})


def _numbers(written: str) -> Triple:
    """The numbers of a date, or of a time of day with or without seconds."""
    a, b, *c = map(int, re.findall(r"\d+", written))
    return (a, b, c[0] if c else 0)


def _kept(known: dict[str, Triple], key: str, numbers: Triple) -> Triple:
    if len(known) >= _TIMES_KEPT:
        known.clear()
    known[key] = numbers
    return numbers
