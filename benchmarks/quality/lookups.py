"""Who types one or two words wants the messages with these words: queries made of rare ones."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from application.ports.embedder import Embedder
from benchmarks.quality.lexemes import Lexemes
from benchmarks.quality.sets import LabelledSet

QUERIES = 200
WORD = re.compile(r"[a-z0-9][\w./-]{2,}")


def lookups(
    labelled: LabelledSet, words: list[Lexemes], embedder: Embedder
) -> dict[str, LabelledSet]:
    """
    Args:
        words: of each message, as they are written.
    """
    holding: dict[str, set[int]] = {}
    for row, counts in enumerate(words):
        for word in counts:
            if WORD.fullmatch(word):
                holding.setdefault(word, set()).add(row)
    random = np.random.default_rng(1)
    rare = sorted(word for word, rows in holding.items() if 2 <= len(rows) <= 8)
    ones = {rare[at]: holding[rare[at]] for at in random.choice(len(rare), QUERIES, replace=False)}
    twos: dict[str, set[int]] = {}
    for row in random.permutation(len(words)):
        known = sorted(word for word in words[row] if 1 <= len(holding.get(word, ())) <= 20)
        if len(known) >= 2 and len(twos) < QUERIES:
            one, other = random.choice(known, 2, replace=False)
            twos[f"{one} {other}"] = holding[one] & holding[other]
    return {
        name: replace(
            labelled,
            metric="recall10",
            queries=list(asked),
            query_vectors=embedder.embed(list(asked)),
            relevant=[np.array(sorted(rows)) for rows in asked.values()],
            own=None,
            half=np.zeros(len(asked), dtype=np.int64),
        )
        for name, asked in (("one rare word", ones), ("two rare words", twos))
    }
