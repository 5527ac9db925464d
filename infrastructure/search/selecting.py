"""Which messages a page of an answer shows, and which belong to the answer as a whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from psycopg import Connection

from application.ports.search import SearchRequest
from application.searching.query import Query
from infrastructure.search import words as words_side
from infrastructure.search.collapsing import collapsed
from infrastructure.search.comparing import Comparison, HeadStart
from infrastructure.search.corpus import Corpus, Ids, MeaningHit
from infrastructure.search.memory_corpus import MemoryCorpus
from infrastructure.search.ranking import (
    DEPTHS,
    Key,
    Ranked,
    behind,
    keys_of,
    rank,
    without_repetition,
)
from infrastructure.search.results import Counts, ResultSet, by_time, counted, result_set
from infrastructure.search.scoring import Scored, Scoring, Sides
from infrastructure.search.stored_corpus import StoredCorpus
from infrastructure.search.tsquery import TsQueries
from infrastructure.search.words import WordsHit
from infrastructure.words.lookup import Kept, Lookup

Measure = Callable[[str], AbstractContextManager[None]]


class Page(NamedTuple):
    entries: Sequence[Ranked]
    has_more: bool


class Scope(NamedTuple):
    """Where a search looks."""

    corpus: Corpus  # the messages that may be found, as quickly as they are to be had
    stored: StoredCorpus  # the same by PostgreSQL


class InMemory(NamedTuple):
    """A whole result, whose messages are all that may be found of these; None: of all."""

    corpus: MemoryCorpus
    ids: Ids | None


class Selecting:
    """
    One search at one moment of the database.

    Args:
        comparison: None: nothing is looked for by meaning.
        early: what was begun before: only for the first page of an order by relevance.
        lookup: of the words in memory; None: PostgreSQL looks for them.
    """

    def __init__(
        self,
        connection: Connection[Any],
        request: SearchRequest,
        query: Query,
        words: TsQueries,
        scope: Scope,
        comparison: Comparison | None,
        early: HeadStart | None,
        lookup: Lookup | None,
        measure: Measure,
    ) -> None:
        self._connection = connection
        self._request = request
        self._words = words
        self._scope = scope
        self._comparison = comparison
        self._early = early
        self._lookup = lookup
        self._measure = measure
        # Who excludes or quotes words asks for precision.
        self._may_relax = not (query.excluded or query.required)
        self._has_words = bool(query.groups) and request.mode != "meaning"
        is_compared = bool(query.groups) or request.like is not None
        self._is_ranked = is_compared and request.sort == "relevance"
        self._found: dict[int, Sides] = {}  # by level
        self._is_whole: dict[int, bool] = {}  # neither side has more
        self._known: dict[int, list[tuple[Key, Ranked]]] = {}
        self._kept: Kept | None = None
        self.engine = "none"
        self.is_cut = False  # more messages have the words than are ranked

    def page(self) -> Page:
        """The hits that follow on the last page, or the first ones; or the one asked for."""
        limit, alone = self._request.limit, self._request.alone
        if alone is not None:
            level = self._level(alone.level) if self._is_ranked else []
            found = [entry for entry in level if entry.message_id == alone.message_id]
            return Page(found, has_more=False)
        entries = self._by_relevance(limit + 1) if self._is_ranked else self._by_time(limit + 1)
        return Page(entries[:limit], len(entries) > limit)

    def counts(self) -> Counts:
        """Of all that there is to be found, of which pages are parts."""
        found = self._in_memory
        if found is not None:
            return found.corpus.counts(found.ids)
        return counted(self._connection, self._request.workspace_id, self.whole)

    @cached_property
    def _in_memory(self) -> InMemory | None:
        """None: to tell all that there is to be found, PostgreSQL is needed."""
        corpus = self._scope.corpus
        if not isinstance(corpus, MemoryCorpus):
            return None
        parts = []
        if self._has_words:
            is_strict = self._is_strict
            if self._lookup is None or (is_strict and not self._words.is_plain):
                return None
            groups = self._words.groups if is_strict else ()
            parts.append(self._lookup.having(groups))
        if self._comparison is not None:
            parts.append(corpus.having(self._near()))
        if len(parts) == 2:
            parts = [np.union1d(*parts)]
        return InMemory(corpus, parts[0] if parts else None)

    @cached_property
    def whole(self) -> ResultSet:
        meant = None if self._comparison is None else self._near()
        words = self._words if self._has_words else None
        is_strict = words is not None and self._is_strict
        return result_set(self._scope.stored.restriction, words, meant, is_strict=is_strict)

    def _near(self) -> list[Key]:
        """Texts that belong to the result though they may have none of the words."""
        scoring = self._scoring
        if scoring is None:
            return []
        meant = self._sides(len(DEPTHS) - 1).meant
        near = scoring.by_meaning(meant, has_tail=self._is_ranked)
        keys: dict[Key, None] = dict.fromkeys(entry.text_key or entry.message_id for entry in near)
        if self._is_ranked:
            keys |= dict.fromkeys(key for key, _ in self._ranked(0))
        return list(keys)

    def _by_time(self, count: int) -> list[Ranked]:
        after, sort = self._request.after, self._request.sort
        last = None if after is None else (after.key, after.message_id)
        found = self._in_memory
        with self._measure("order"):
            if found is not None:
                entries = found.corpus.by_time(
                    found.ids,
                    is_oldest=sort == "oldest",
                    last=None if last is None else (int(last[0]), last[1]),
                    limit=count,
                )
                return [Ranked(message_id, 0, at) for message_id, at in entries]
            return by_time(
                self._connection,
                self._request.workspace_id,
                self.whole,
                sort,
                last=last,
                limit=count,
            )

    def _by_relevance(self, count: int) -> list[Ranked]:
        after = self._request.after
        level = 0 if after is None else after.level
        found: list[Ranked] = []
        while level < len(DEPTHS):
            entries: Sequence[Ranked] = self._level(level)
            if after is not None and level == after.level:
                entries = behind(entries, after.key, after.message_id)
            found += entries[: count - len(found)]
            if len(found) == count or self._is_whole[level]:
                break
            level += 1
        return found

    def _level(self, level: int) -> list[Ranked]:
        """Those of it that were not looked at on the level before."""
        earlier: set[Key] = set()
        if level:
            earlier = {key for key, _ in self._ranked(level - 1)} | keys_of(self._sides(level - 1))
        found = [(key, entry) for key, entry in self._ranked(level) if key not in earlier]
        with self._measure("collapsing"):
            return collapsed(self._connection, self._request.workspace_id, found)

    def _ranked(self, level: int) -> list[tuple[Key, Ranked]]:
        if level not in self._known:
            sides = self._sides(level)
            self._known[level] = rank(self._scored(sides, level), sides, level)
        return self._known[level]

    def _scored(self, sides: Sides, level: int) -> list[Scored]:
        scoring = self._scoring
        if scoring is None:
            found = sides.worded
            return [Scored(hit.message_id, hit.text_key, hit.rank, None) for hit in found]
        if not self._has_words:
            return scoring.by_meaning(sides.meant, has_tail=True)
        with self._measure("scoring"):
            return scoring.of_both(sides, has_context=level == 0)

    @cached_property
    def _scoring(self) -> Scoring | None:
        """None: nothing is looked for by meaning."""
        if self._comparison is None:
            return None
        return Scoring(self._comparison, self._words, self._lookup)

    def _sides(self, level: int) -> Sides:
        if level not in self._found:
            depth = DEPTHS[level]
            worded = self._worded(depth)
            meant = self._meant(depth)
            self._is_whole[level] = len(worded) < depth and len(meant) < depth
            self.is_cut |= len(worded) == depth == DEPTHS[-1]
            self._found[level] = Sides(meant, without_repetition(worded), self._wants_all)
        return self._found[level]

    def _worded(self, depth: int) -> list[WordsHit]:
        if not (self._has_words and self._is_ranked):
            return []
        with self._measure("words"):
            return self._find(depth)

    def _find(self, limit: int) -> list[WordsHit]:
        workspace_id = self._request.workspace_id
        if self._lookup is not None:
            if self._wants_all and limit == DEPTHS[0]:
                return self._strictly
            return self._find_in_memory(self._lookup, limit, is_strict=self._wants_all)
        return words_side.find(
            self._connection,
            workspace_id=workspace_id,
            words=self._words,
            restriction=self._scope.stored.restriction,
            limit=limit,
            is_strict=self._wants_all,
        )

    def _find_in_memory(self, lookup: Lookup, limit: int, *, is_strict: bool) -> list[WordsHit]:
        # Only full text knows in which order words stand.
        is_exact = self._words.is_plain or not is_strict
        return words_side.find_in_memory(
            lookup,
            self._words,
            self._scope.corpus.kept if is_exact else self._scope.stored.having_all_words,
            among=self._kept_in(lookup),
            limit=limit,
            is_strict=is_strict,
        )

    def _kept_in(self, lookup: Lookup) -> Kept | None:
        if not self._scope.corpus.is_narrow:
            return None
        if self._kept is None:
            corpus, stored = self._scope
            if isinstance(corpus, MemoryCorpus):
                self._kept = corpus.kept_in(lookup)
            elif (allowed := stored.messages) is not None:
                self._kept = lookup.kept_of(allowed)
        return self._kept

    @cached_property
    def _strictly(self) -> list[WordsHit]:
        """The first ones with all of the words, by what is in memory."""
        if self._lookup is None:
            return []
        return self._find_in_memory(self._lookup, DEPTHS[0], is_strict=True)

    @cached_property
    def _is_strict(self) -> bool:
        """Whether all of the words are asked for: not where too few messages have them."""
        if not self._may_relax:
            return True
        with self._measure("strictness"):
            if self._lookup is not None:
                return len(self._strictly) >= words_side.FEW
            return not words_side.are_few(
                self._connection,
                workspace_id=self._request.workspace_id,
                words=self._words,
                restriction=self._scope.stored.restriction,
            )

    @property
    def _wants_all(self) -> bool:
        """
        Beside a search by meaning, any of the words are looked for, and count as what they are
        worth; but by full text alone, those that share one word with the query are noise.
        """
        if self._comparison is not None:
            return self._lookup is None or not self._may_relax
        return self._is_strict

    def _meant(self, depth: int) -> list[MeaningHit]:
        if self._comparison is None:
            return []
        with self._measure("meaning"):
            first = None
            if self._early is not None and depth == DEPTHS[0]:
                first = self._early.nearest(self._comparison.position)
            hits, self.engine = self._comparison.hits(depth, first)
        return hits
