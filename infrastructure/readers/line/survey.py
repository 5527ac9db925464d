"""The first pass over a LINE file: its title, and which number of its dates is the day."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from application.ports.chat_reader import DateOrder, ExportFile
from domain.message import ConversationKind
from infrastructure.readers.date_order import DateOrderVotes, Triple, place
from infrastructure.readers.line.headings import Day, day_of, saved_on, title_of
from infrastructure.readers.repairs import Repairs
from infrastructure.readers.text_stream import read_lines

_HEADING_LENGTH = 300  # characters
_YEAR_LAST: tuple[DateOrder, ...] = ("dmy", "mdy")


@dataclass(slots=True)
class Survey:
    """What the file says as a whole."""

    title: str | None = None
    kind: ConversationKind = "unknown"
    days: int = 0
    _saved: Triple | None = None
    _is_year_first: bool = False
    _votes: DateOrderVotes = field(default_factory=DateOrderVotes)
    _agreeing: dict[DateOrder, int] = field(default_factory=lambda: dict.fromkeys(_YEAR_LAST, 0))

    def add(self, line: str, *, is_first: bool) -> None:
        if is_first and (found := title_of(line)) is not None:
            self.title, self.kind = found
        if (day := day_of(line)) is not None:
            self.days += 1
            self._add_day(day)
        elif not self.days and self._saved is None:
            self._saved = saved_on(line)

    def _add_day(self, day: Day) -> None:
        if day.is_year_first:
            self._is_year_first = True
            return
        self._votes.add(day.fields)
        if day.weekday is None:
            return
        agreeing = [o for o in _YEAR_LAST if _weekday(day.fields, o) == day.weekday]
        if len(agreeing) == 1:
            self._agreeing[agreeing[0]] += 1

    def order(self) -> tuple[DateOrder, str | None]:
        """The order of day and month, and in words why it is not certain (None: it is)."""
        if not self._votes:
            return "ymd", None
        dmy, mdy = self._agreeing["dmy"], self._agreeing["mdy"]
        if dmy != mdy:
            return ("dmy" if dmy > mdy else "mdy"), None
        if self._saved is not None and self._saved[0] < 32:
            self._votes.add(self._saved, (23, 59, 59))  # nothing in the file is later
            self._saved = None
        order, doubt = self._votes.decide()
        return ("dmy" if order == "ymd" else order), doubt

    def possible(self, chosen: DateOrder) -> tuple[DateOrder, ...]:
        """Days of the week and numbers above 12 decide; what is left is open."""
        dmy, mdy = self._agreeing["dmy"], self._agreeing["mdy"]
        if chosen == "ymd" or dmy != mdy:
            return (chosen,)
        return self._votes.possible(chosen)


def _weekday(fields: Triple, order: DateOrder) -> int | None:
    try:
        return date(*place(fields, order)).weekday()
    except ValueError:
        return None


def survey(file: ExportFile) -> Survey:
    """Read the whole file once; memory stays small."""
    found = Survey()
    is_first = True
    for line in read_lines(file, Repairs()):
        if not line or line.isspace():
            continue
        if "\t" not in line and len(line) <= _HEADING_LENGTH:
            found.add(line, is_first=is_first)
        is_first = False
    return found
