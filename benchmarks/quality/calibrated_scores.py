"""What a percentage says, and what is left of a nonsense query's hits."""

from __future__ import annotations

from typing import Any

import numpy as np
from psycopg import Connection

from application.ports.embedder import Embedder
from benchmarks.quality.calibrating import (
    Answers,
    answers,
    fit,
    half_of,
    nonsense,
    table,
)
from benchmarks.quality.fusions import Sides, searched
from benchmarks.quality.nonsense import SENTENCES, STRINGS
from benchmarks.quality.sets import LabelledSet
from benchmarks.quality.word_variants import both_sides
from infrastructure.search.calibration import HYBRID, MEANING

LEARNT = ("banking77", "irc", "nonsense, banking77", "nonsense, irc")


def measure(
    connection: Connection[Any],
    sets: dict[str, LabelledSet],
    sides: dict[str, Sides],
    embedder: Embedder,
) -> dict[str, Any]:
    asked = [*STRINGS, *SENTENCES]
    vectors = embedder.embed(asked)
    meaning: dict[str, Answers] = {}
    hybrid: dict[str, Answers] = {}
    for name, labelled in sets.items():
        meaning[name] = answers(labelled.cosines, labelled)
        hybrid[name] = answers(searched(sides[name], labelled), labelled)
        other = LabelledSet(
            metric="nDCG10",
            texts=labelled.texts,
            vectors=labelled.vectors,
            queries=asked,
            query_vectors=vectors,
            relevant=[],
            own=None,
            half=np.arange(len(asked)) % 2,
            said=labelled.said,
            conversation=labelled.conversation,
        )
        cosines = np.asarray(other.cosines, dtype=np.float64)
        spoken = searched(both_sides(connection, other, np.zeros_like(cosines)), other)
        meaning[f"nonsense, {name}"] = nonsense(cosines, cosines)
        hybrid[f"nonsense, {name}"] = nonsense(spoken, cosines)
    report: dict[str, Any] = {}
    ways = (("meaning", meaning, MEANING), ("hybrid with context", hybrid, HYBRID))
    for way, found, in_force in ways:
        weights = fit([half_of(found[name], 0) for name in LEARNT])
        rest = {name: half_of(one, 1) for name, one in found.items()}
        report[way] = {
            "fitted": weights.round(2).tolist(),
            "in force": list(in_force),
            "by what is in force": table(np.array(in_force), rest),
        }
    return report
