"""The operators of the query language, and what is said where one is mistyped."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches
from typing import NamedTuple, cast
from zoneinfo import ZoneInfo

from application.searching.dates import DateUnclearError, span
from application.searching.filters import FEATURES, KINDS, Feature, Filters

LANGUAGE_CODE = re.compile(r"[a-z]{2}", re.ASCII)


class QueryUnclearError(ValueError):
    """The query cannot be meant as it is written; the message says what can be."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What days mean to whoever asks."""

    now: datetime
    zone: ZoneInfo


class Value(NamedTuple):
    text: str
    is_excluded: bool  # there was a minus before the operator


Apply = Callable[[Filters, Value, Clock], Filters]


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    meaning: str
    example: str
    apply: Apply


def by_name(field: str) -> Apply:
    def apply(filters: Filters, value: Value, clock: Clock) -> Filters:
        del clock
        choice = getattr(filters, field).with_value(value.text, is_excluded=value.is_excluded)
        return replace(filters, **{field: choice})

    return apply


def by_feature(filters: Filters, value: Value, clock: Clock) -> Filters:
    del clock
    feature = cast("Feature", one_of("has", value.text, FEATURES))
    return filters.with_feature(feature, is_excluded=value.is_excluded)


def by_kind(filters: Filters, value: Value, clock: Clock) -> Filters:
    del clock
    return filters.with_kind(one_of("kind", value.text, KINDS), is_excluded=value.is_excluded)


def by_language(filters: Filters, value: Value, clock: Clock) -> Filters:
    del clock
    code = value.text.lower()
    if not LANGUAGE_CODE.fullmatch(code):
        raise QueryUnclearError(
            f"lang: takes the two letters of a language, for example lang:de, not {value.text!r}"
        )
    choice = filters.languages.with_value(code, is_excluded=value.is_excluded)
    return replace(filters, languages=choice)


def by_time(name: str) -> Apply:
    def apply(filters: Filters, value: Value, clock: Clock) -> Filters:
        if value.is_excluded:
            raise QueryUnclearError(f"{name}: cannot be excluded: use before: and after: instead")
        try:
            since, before = span(value.text, now=clock.now, zone=clock.zone)
        except DateUnclearError as error:
            raise QueryUnclearError(f"{name}: {error}") from None
        match name:
            case "before":
                return filters.between(None, since)
            case "after":
                return filters.between(before, None)
        return filters.between(since, before)

    return apply


OPERATORS = {
    operator.name: operator
    for operator in (
        Operator("from", "who wrote it", 'from:"Ada Lovelace"', by_name("authors")),
        Operator("in", "the conversation", 'in:"Boat trip"', by_name("conversations")),
        Operator("before", "sent before that day", "before:2024-03-01", by_time("before")),
        Operator("after", "sent after that day", "after:2024-03", by_time("after")),
        Operator("on", "sent on that day, or in that month or year", "on:2024-03", by_time("on")),
        Operator("has", ", ".join(FEATURES), "has:link", by_feature),
        Operator("kind", ", ".join(KINDS), "kind:channel", by_kind),
        Operator("lang", "the language that it is in", "lang:de", by_language),
        Operator(
            "label",
            "a label that it or its conversation has",
            'label:"to check"',
            by_name("labels"),
        ),
        Operator("upload", "the uploaded file", "upload:chat.zip", by_name("uploads")),
    )
}
# What other products call them.
FOREIGN = {
    "author": "from",
    "sender": "from",
    "user": "from",
    "channel": "in",
    "chat": "in",
    "room": "in",
    "since": "after",
    "until": "before",
    "date": "on",
    "language": "lang",
    "tag": "label",
}
QUOTE = "to look for the text itself, put it in quotes"


def operator_named(name: str, token: str) -> Operator | None:
    """
    None: it is no operator, but words with a colon.

    Args:
        name: what stands before the colon.
        token: the whole of it, for the message.

    Raises:
        QueryUnclearError: it looks like an operator that was mistyped.
    """
    lowered = name.lower()
    if operator := OPERATORS.get(lowered):
        return operator
    meant = FOREIGN.get(lowered) or mistyped(lowered)
    if meant is None:
        return None
    raise QueryUnclearError(
        f"{name}: is no operator; did you mean {meant}: in {token!r}? "
        f"There are {possible(OPERATORS)}; {QUOTE}"
    )


def mistyped(name: str) -> str | None:
    """The operator that is one slip of the fingers away."""
    if len(name) < 3:
        return None
    return next((known for known in OPERATORS if len(known) > 2 and is_one_slip(name, known)), None)


def is_one_slip(one: str, other: str) -> bool:
    """Whether one letter more, less or other, or two in the wrong order, tell them apart."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    at = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), None)
    if at is None:
        return True
    if len(one) == len(other):
        is_swapped = one[at : at + 2] == other[at : at + 2][::-1]
        return one[at + 1 :] == other[at + 1 :] or (is_swapped and one[at + 2 :] == other[at + 2 :])
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer[at + 1 :] == shorter[at:]


def one_of(operator: str, value: str, allowed: Sequence[str]) -> str:
    lowered = value.lower()
    if lowered in allowed:
        return lowered
    close = get_close_matches(lowered, allowed, n=1)
    hint = f"; did you mean {operator}:{close[0]}?" if close else "."
    raise QueryUnclearError(f"{operator}: knows no {value!r}{hint} There are {', '.join(allowed)}")


def possible(operators: Sequence[str] | dict[str, Operator]) -> str:
    return ", ".join(f"{name}:" for name in operators)
