"""The words side on its own, and both sides together."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from psycopg import Connection

from application.ports.embedder import Embedder
from benchmarks.quality.contexts import late
from benchmarks.quality.fusions import FUSIONS, Fusion, Sides, searched, without_own
from benchmarks.quality.index import Index
from benchmarks.quality.lexemes import (
    CONFIGURATIONS,
    STOP_WORDS_KEPT,
    lexemes,
    rankings,
)
from benchmarks.quality.lookups import lookups
from benchmarks.quality.metrics import halves, main_metrics
from benchmarks.quality.sets import LabelledSet, shuffled

CONSTANTS = ((1.2, 0.75), (0.9, 0.4), (1.5, 0.75), (1.2, 0.3), (1.2, 0.0))  # k1, b


def words(
    connection: Connection[Any], sets: dict[str, LabelledSet]
) -> tuple[dict[str, Sides], dict[str, Any]]:
    for statement in filter(str.strip, STOP_WORDS_KEPT.split(";")):
        connection.execute(statement.encode())
    sides, report = {}, {}
    for name, labelled in sets.items():
        ranked = rankings(connection, labelled)
        found = {f"ts_rank_cd, {kind}": scores for kind, scores in ranked.items()}
        for configuration in CONFIGURATIONS:
            texts = lexemes(connection, labelled.texts, configuration)
            asked = lexemes(connection, labelled.queries, configuration)
            for k1, b in CONSTANTS if configuration == "english" else CONSTANTS[:1]:
                index = Index(texts, k1=k1, b=b)
                found[f"BM25, {configuration}, k1 {k1}, b {b}"] = index.impacts(asked)
        report[name] = {
            "by meaning": main_metrics(labelled.cosines, labelled),
            **{way: main_metrics(scores, labelled) for way, scores in found.items()},
        }
        sides[name] = both_sides(connection, labelled, ranked["any word"])
    return sides, report


def both_sides(
    connection: Connection[Any], labelled: LabelledSet, ranks: Any, index: Index | None = None
) -> Sides:
    index = index or Index(lexemes(connection, labelled.texts))
    asked = lexemes(connection, labelled.queries)
    return Sides(
        meaning=without_own(labelled.cosines, labelled),
        impacts=without_own(index.impacts(asked), labelled),
        held=without_own(index.held(asked), labelled),
        ideals=index.ideals(asked),
        words=np.array([len(words) for words in asked]),
        ranks=without_own(ranks, labelled),
    )


def fusions(
    connection: Connection[Any],
    sets: dict[str, LabelledSet],
    sides: dict[str, Sides],
    embedder: Embedder,
) -> dict[str, Any]:
    irc = sets["irc"]
    looked_up = lookups(irc, lexemes(connection, irc.texts, "simple"), embedder)
    every = {**sets, **looked_up}
    for name, labelled in looked_up.items():
        ranks = rankings(connection, labelled)["any word"]
        sides = {**sides, name: both_sides(connection, labelled, ranks)}
    # In a conversation the meaning side is the one with its context.
    near = late(irc.cosines, irc, is_strict=True)
    alone = {**sides, "irc": replace(sides["irc"], meaning=without_own(near, irc))}
    ways: dict[str, Fusion] = {
        "meaning": lambda s: s.meaning,
        "words, BM25": lambda s: s.impacts,
        "words, ts_rank_cd": lambda s: s.ranks,
        **FUSIONS,
    }
    report: dict[str, Any] = {
        way: {name: main_metrics(fused(alone[name]), every[name]) for name in every}
        for way, fused in ways.items()
    }
    whole = {
        name: searched(sides[name], labelled, is_strict=name == "irc")
        for name, labelled in every.items()
    }
    report["chosen"] = {name: main_metrics(whole[name], every[name]) for name in every}
    report["chosen, irc, halves"] = halves(whole["irc"], irc)
    report["chosen, in other settings"] = elsewhere(sets, sides)
    return report


def elsewhere(sets: dict[str, LabelledSet], sides: dict[str, Sides]) -> dict[str, Any]:
    """With the opening message; and where neighbours have nothing to do with each other."""
    irc, banking = sets["irc"], sets["banking77"]
    given = replace(sides["irc"], meaning=np.asarray(irc.cosines, dtype=np.float64))
    found = {"irc with the opening message": main_metrics(searched(given, irc), irc)}
    random = np.random.default_rng(0).permutation(len(banking.texts))  # as in `shuffled`
    mixed = sides["banking77"]
    mixed = replace(
        mixed,
        meaning=mixed.meaning[:, random],
        impacts=mixed.impacts[:, random],
        held=mixed.held[:, random],
    )
    for name, is_dense in (("shuffled", False), ("shuffled, eight people, every 20 s", True)):
        labelled = shuffled(banking, is_dense=is_dense)
        found[f"banking77 {name}"] = main_metrics(searched(mixed, labelled), labelled)
    return found
