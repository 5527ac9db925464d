"""Reading a table, whatever file format its rows come in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from itertools import islice

from application.ports.chat_reader import (
    DateOrder,
    DatesRead,
    ExportFile,
    ReadFacts,
    ReadItem,
    ReadOptions,
    ReadWarning,
    UnreadableExportError,
)
from domain.message import Conversation
from infrastructure.readers.date_order import DateOrderVotes
from infrastructure.readers.local_time import LocalClock
from infrastructure.readers.reading import MALFORMED
from infrastructure.readers.stamps import numeric_fields
from infrastructure.readers.tabular.columns import FIELDS, Row, guess, is_complete, value_of
from infrastructure.readers.tabular.rows import RowConverter

SAMPLE_ROWS = 200
_SAMPLE_SIZE = 500_000  # characters and values
_DEEPEST = 2  # objects inside an object whose keys are columns
_MOST_NAMES = 2000
_CONVERSATIONS = 100_000  # remembered as already told of; beyond, one may be told of again

# Yields (line, row), or a warning in place of what is no row.
Rows = Callable[[], Iterator[tuple[int, Row] | ReadWarning]]


def read_table(
    file: ExportFile, rows: Rows, options: ReadOptions, facts: ReadFacts
) -> Iterator[ReadItem]:
    """
    Args:
        rows: starts reading the file from its beginning, each time it is called.

    Raises:
        UnreadableExportError: if the columns of time and text are not found.
    """
    clock = LocalClock(options, facts, file=file.name)
    sample = _sample(rows)
    names = column_names(sample)
    facts.columns = guess(names, sample, options.columns)
    _check(file, names, sample, options, facts)
    order: DateOrder = options.date_order or "dmy"
    column = facts.columns["sent_at"]
    if any(numeric_fields(value_of(row, column)) for row in sample):
        possible: tuple[DateOrder, ...] = (order,)
        doubt = None
        if options.date_order is None:
            order, possible, doubt = _decide_order(rows, column)
            if doubt is not None:
                reason = f"dates were read as {'/'.join(order)} because {doubt}"
                yield ReadWarning(file.name, None, f"{reason}; if wrong, state the date order")
        facts.add_dates(DatesRead(file.name, order, possible, doubt))
    title = file.name.rpartition("/")[2].rpartition(".")[0] or file.name
    converter = RowConverter(
        facts.columns,
        fallback=Conversation(title, title, "unknown"),
        order=order,
        clock=clock,
        facts=facts,
    )
    yield from _messages(file, rows(), converter)


def _messages(
    file: ExportFile, rows: Iterator[tuple[int, Row] | ReadWarning], converter: RowConverter
) -> Iterator[ReadItem]:
    """One warning for a row, even if it ends too early and has lost its time, too."""
    told: OrderedDict[str, None] = OrderedDict()
    held: ReadWarning | None = None
    for one in rows:
        if isinstance(one, ReadWarning):
            if held is not None:
                yield held
            held = one
            continue
        line, row = one
        try:
            conversation, message = converter.convert(row)
        except MALFORMED as error:
            reason = f"message skipped: {error}"
            if held is not None and held.line == line:
                reason = f"{held.reason}; {reason}"
            elif held is not None:
                yield held
            held = ReadWarning(file.name, line, reason)
            continue
        if held is not None:
            yield held
            held = None
        if conversation.id not in told:
            yield conversation
            told[conversation.id] = None
            if len(told) > _CONVERSATIONS:
                told.popitem(last=False)
        yield message
    if held is not None:
        yield held


def _sample(rows: Rows) -> list[Row]:
    """The first rows, fewer if they are large."""
    sample: list[Row] = []
    size = 0
    for one in islice(rows(), SAMPLE_ROWS):
        if isinstance(one, ReadWarning):
            continue
        sample.append(one[1])
        size += len(one[1]) + sum(
            len(v) for v in one[1].values() if isinstance(v, str | list | dict)
        )
        if size > _SAMPLE_SIZE:
            break
    return sample


def column_names(rows: list[Row]) -> list[str]:
    """All columns of some rows, in order of appearance; those inside objects as "a.b.c", too."""
    names: dict[str, None] = {}
    for row in rows:
        for name, value in row.items():
            names[name] = None
            if isinstance(value, dict):
                _add_inner(names, name, value, _DEEPEST)
    return list(names)


def _add_inner(names: dict[str, None], outer: str, value: Row, depth_left: int) -> None:
    for inner, deeper in value.items():
        if len(names) >= _MOST_NAMES:
            return
        name = f"{outer}.{inner}"
        names[name] = None
        if isinstance(deeper, dict) and depth_left:
            _add_inner(names, name, deeper, depth_left - 1)


def _check(
    file: ExportFile,
    names: list[str],
    sample: list[Row],
    options: ReadOptions,
    facts: ReadFacts,
) -> None:
    top = ", ".join(name for name in names if "." not in name)[:300]
    for field, column in options.columns.items():
        if field not in FIELDS:
            reason = f"there is no field {field!r}; fields are {', '.join(FIELDS)}"
            raise UnreadableExportError(file=file.name, reason=reason)
        if sample and column not in names:
            reason = f"there is no column {column!r}; columns are {top}"
            raise UnreadableExportError(file=file.name, reason=reason)
    if sample and not is_complete(facts.columns):
        missing = " and ".join(f for f in ("sent_at", "text") if f not in facts.columns)
        reason = f"no column for {missing} was found; name it (columns are {top})"
        raise UnreadableExportError(file=file.name, reason=reason)
    if not sample:
        facts.columns = {"sent_at": "", "text": ""}


def _decide_order(rows: Rows, column: str) -> tuple[DateOrder, tuple[DateOrder, ...], str | None]:
    votes = DateOrderVotes()
    for one in rows():
        if not isinstance(one, ReadWarning) and (
            fields := numeric_fields(value_of(one[1], column))
        ):
            votes.add(*fields)
    order, doubt = votes.decide()
    return order, votes.possible(order), doubt
