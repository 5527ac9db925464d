"""
The query language: words, "phrases", -exclusions, `or`, beginnings*, and operators such as from:.

What is no operator is text, so that links, times and code can be pasted as they are. Only what
looks like an operator and is none is refused, because it would find nothing, and say nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from application.searching.filters import NO_FILTERS, Filters
from application.searching.operators import QUOTE, Clock, QueryUnclearError, Value, operator_named

TermKind = Literal["word", "phrase", "beginning"]
TOKEN = re.compile(
    r"""
    (?P<minus>-(?=[\w"]))?
    (?:(?P<name>[^\W\d_]+):(?!//))?
    (?:"(?P<quoted>[^"]*)(?:"|\Z)|(?P<bare>[^\s]*))
    """,
    re.VERBOSE,
)
# Phones and word processors write these by themselves.
QUOTES = str.maketrans(dict.fromkeys("“”„‟«»", '"'))
OR = frozenset({"or", "OR", "|"})
MOST_TERMS = 200
MOST_BEGINNINGS = 5  # each stands for many words
LEAST_BEGINNING = 2  # characters: with less, a beginning is that of half the words


@dataclass(frozen=True, slots=True)
class Term:
    text: str
    kind: TermKind = "word"


Group = tuple[Term, ...]  # of which one is enough


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    groups: tuple[Group, ...] = ()
    excluded: tuple[Term, ...] = ()
    filters: Filters = NO_FILTERS
    text: str = ""  # what it says to a model: no operators, no quotes, nothing that is excluded

    @property
    def terms(self) -> tuple[Term, ...]:
        return tuple(term for group in self.groups for term in group)

    @property
    def required(self) -> tuple[Group, ...]:
        """Phrases: who quotes words wants them as they are, also where meaning decides."""
        return tuple(g for g in self.groups if all(term.kind == "phrase" for term in g))

    def in_words(self, phrases: Collection[Group]) -> Query:
        """
        With the words of these phrases, one by one and in any order, in their place; of very many
        words the first ones.
        """
        groups: list[Group] = []
        for group in self.groups:
            if group not in phrases:
                groups.append(group)
                continue
            words = [Term(word) for term in group for word in term.text.split()][:MOST_TERMS]
            groups += [(word,) for word in words] if len(group) == 1 else [tuple(words)]
        return replace(self, groups=tuple(groups[:MOST_TERMS]))

    @property
    def is_empty(self) -> bool:
        return not (self.groups or self.excluded or self.filters)


class Token(NamedTuple):
    text: str  # as written
    is_excluded: bool
    name: str | None  # what stands before a colon
    value: str
    is_quoted: bool


def parse(text: str, *, now: datetime | None = None, time_zone: str = "UTC") -> Query:
    """
    Args:
        now: with a zone; what `today` goes by. None: this moment.
        time_zone: in which days begin and end, for example "Europe/Berlin".

    Raises:
        QueryUnclearError: an operator or its value is mistyped.
    """
    clock = Clock(now or datetime.now(UTC), zone_named(time_zone))
    groups: list[list[Term]] = []
    excluded: list[Term] = []
    filters = NO_FILTERS
    said: list[str] = []
    joins_next = False
    for token in tokens(text.translate(QUOTES)):
        operator = None if token.name is None else operator_named(token.name, token.text)
        if operator is not None:
            if not token.value.strip():
                raise QueryUnclearError(
                    f"{operator.name}: needs a value right behind the colon, for example "
                    f"{operator.example}; {QUOTE}"
                )
            filters = operator.apply(filters, Value(token.value.strip(), token.is_excluded), clock)
            continue
        if token.value in OR and not token.is_quoted and token.name is None and groups:
            joins_next = True
            said.append(token.value)
            continue
        term = term_of(token)
        if not term.text:
            continue
        if token.is_excluded:
            excluded.append(term)
            continue
        said.append(term.text)
        if joins_next:
            groups[-1].append(term)
        else:
            groups.append([term])
        joins_next = False
    beginnings = [term for group in [*groups, excluded] for term in group if is_beginning(term)]
    if len(beginnings) > MOST_BEGINNINGS:
        raise QueryUnclearError(f"a query has at most {MOST_BEGINNINGS} beginnings*")
    if sum(map(len, groups)) + len(excluded) > MOST_TERMS:
        raise QueryUnclearError(f"a query has at most {MOST_TERMS} words")
    return Query(
        groups=tuple(map(tuple, groups)),
        excluded=tuple(excluded),
        filters=filters,
        text=" ".join(said),
    )


def tokens(text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        found = TOKEN.match(text, at)
        if found is None or found.end() == at:
            raise AssertionError(f"no token at {at}")  # the pattern takes whatever is no space
        quoted = found["quoted"]
        yield Token(
            text=found[0],
            is_excluded=found["minus"] is not None,
            name=found["name"],
            value=found["bare"] if quoted is None else quoted,
            is_quoted=quoted is not None,
        )
        at = found.end()


def term_of(token: Token) -> Term:
    text = token.value if token.name is None else f"{token.name}:{token.value}"
    text = " ".join(text.split())
    if token.is_quoted:
        return Term(text, "phrase" if any(map(str.isalnum, text)) else "word")
    beginning = text.rstrip("*")
    if text.endswith("*") and len(beginning) >= LEAST_BEGINNING and beginning[-1].isalnum():
        return Term(beginning, "beginning")
    return Term(text)


def is_beginning(term: Term) -> bool:
    return term.kind == "beginning"


def zone_named(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryUnclearError(
            f"{name!r} is no time zone: write one such as Europe/Berlin or UTC"
        ) from None
