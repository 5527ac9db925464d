"""An inverted index of lexemes, as one in memory would be: BM25 for any of a query's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import bm25


class Index:
    def __init__(
        self, texts: Sequence[dict[str, int]], *, k1: float = bm25.K1, b: float = bm25.B
    ) -> None:
        postings: dict[str, list[tuple[int, int]]] = {}
        for row, counts in enumerate(texts):
            for lexeme, count in counts.items():
                postings.setdefault(lexeme, []).append((row, count))
        self._messages = len(texts)
        lengths = np.array([sum(counts.values()) for counts in texts], dtype=np.float64)
        mean = max(float(lengths.mean()), 1.0)
        self._postings = {}
        for lexeme, pairs in postings.items():
            rows, counts = np.array(pairs).T
            idf = bm25.idf(len(texts), len(rows))
            self._postings[lexeme] = (
                rows,
                bm25.impacts(idf, counts, lengths[rows], mean, k1=k1, b=b),
            )

    def impacts(self, queries: Sequence[Iterable[str]]) -> NDArray[np.float32]:
        """Shape (queries, messages)."""
        scores = np.zeros((len(queries), self._messages), dtype=np.float32)
        for query, words in zip(scores, queries, strict=True):
            for word in words:
                if word in self._postings:
                    rows, impacts = self._postings[word]
                    query[rows] += impacts
        return scores

    def held(self, queries: Sequence[Iterable[str]]) -> NDArray[np.float32]:
        """Shape (queries, messages): the idf of each query's words that stand in a message."""
        scores = np.zeros((len(queries), self._messages), dtype=np.float32)
        for query, words in zip(scores, queries, strict=True):
            for word in words:
                if word in self._postings:
                    query[self._postings[word][0]] += self._idf(word)
        return scores

    def ideals(self, queries: Sequence[Iterable[str]]) -> NDArray[np.float64]:
        """Shape (queries,): see infrastructure.search.fusion.combined."""
        return np.array([sum(map(self._idf, words)) for words in queries], dtype=np.float64)

    def _idf(self, word: str) -> float:
        rows, _ = self._postings.get(word, ((), ()))
        return float(bm25.idf(self._messages, len(rows)))
