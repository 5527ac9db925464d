"""Floors under what a search finds, with the packaged model on labelled messages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest
from psycopg import Connection

from benchmarks.quality import sets
from benchmarks.quality.contexts import late
from benchmarks.quality.fusions import Sides, chosen, searched
from benchmarks.quality.lexemes import lexemes
from benchmarks.quality.lookups import lookups
from benchmarks.quality.metrics import halves, main_metrics
from benchmarks.quality.nonsense import SENTENCES, STRINGS
from benchmarks.quality.sets import LabelledSet
from benchmarks.quality.word_variants import both_sides
from infrastructure.embedders.minilm import MiniLmEmbedder
from infrastructure.search.calibration import CUT_OFF, MEANING, calibrated
from tests.support.data import data_path

EACH = 8  # of the banking messages, one in eight: all of them take a minute to embed
LOSS = 0.005  # below the better side, at most


@pytest.fixture(scope="module")
def bench() -> Path:
    return data_path("bench")


@pytest.fixture(scope="module")
def embedder() -> MiniLmEmbedder:
    return MiniLmEmbedder()


@pytest.fixture(scope="module")
def irc(bench: Path, embedder: MiniLmEmbedder) -> LabelledSet:
    return sets.irc(bench, embedder)


@pytest.fixture(scope="module")
def banking(bench: Path, embedder: MiniLmEmbedder) -> LabelledSet:
    return sets.banking(bench, embedder, every=EACH)


@pytest.fixture(scope="module")
def connection(postgres_server: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(postgres_server, autocommit=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def sides(irc: LabelledSet, connection: Connection[Any]) -> Sides:
    return both_sides(connection, irc, np.zeros_like(irc.cosines))


def test_a_message_alone_is_found_as_the_published_baseline_says(irc: LabelledSet) -> None:
    found = main_metrics(irc.cosines, irc)
    assert found["R10"] == pytest.approx(0.3804, abs=0.01)
    assert found["R100"] == pytest.approx(0.4716, abs=0.01)


def test_context_finds_conversations_without_their_question(irc: LabelledSet) -> None:
    """In each half of the queries, of which one had a say in the constants."""
    for name, floor in (("R10", 0.50), ("R100", 0.74)):
        assert min(halves(late(irc.cosines, irc, is_strict=True), irc)[name]) >= floor


def test_context_finds_conversations_by_their_question(irc: LabelledSet) -> None:
    found = main_metrics(late(irc.cosines, irc), irc)
    assert found["R10"] >= 0.66
    assert found["R100"] >= 0.85


def test_words_raise_conversations_too(irc: LabelledSet, sides: Sides) -> None:
    meaning = main_metrics(late(irc.cosines, irc, is_strict=True), irc)
    hybrid = main_metrics(searched(sides, irc, is_strict=True), irc)
    words = main_metrics(sides.impacts, irc)
    for name, value in hybrid.items():
        assert value >= max(meaning[name], words[name]) - LOSS


@pytest.mark.parametrize("is_dense", [False, True], ids=["in turn", "a lively group"])
def test_neighbours_that_have_nothing_to_do_with_it_do_no_harm(
    banking: LabelledSet, is_dense: bool
) -> None:
    labelled = sets.shuffled(banking, is_dense=is_dense)
    alone = main_metrics(labelled.cosines, labelled)["nDCG10"]
    assert main_metrics(late(labelled.cosines, labelled), labelled)["nDCG10"] >= alone - 0.002


@pytest.mark.parametrize("name", ["snips-clusters", "WebApplicationsCorpus"])
def test_hybrid_is_as_good_as_its_better_side(
    bench: Path, embedder: MiniLmEmbedder, connection: Connection[Any], name: str
) -> None:
    labelled = sets.among_themselves(bench / f"{name}.jsonl", embedder)
    both = both_sides(connection, labelled, np.zeros_like(labelled.cosines))
    meaning, words, hybrid = (
        main_metrics(scores, labelled)["nDCG10"]
        for scores in (labelled.cosines, both.impacts, chosen(both))
    )
    assert hybrid >= max(meaning, words) - LOSS


def test_a_rare_word_is_looked_up(
    irc: LabelledSet, embedder: MiniLmEmbedder, connection: Connection[Any]
) -> None:
    """In the context of a conversation too, where neighbours do not hold it."""
    words = lexemes(connection, irc.texts, "simple")
    for labelled in lookups(irc, words, embedder).values():
        both = both_sides(connection, labelled, np.zeros_like(labelled.cosines))
        alone = main_metrics(both.impacts, labelled)["R10"]
        assert main_metrics(searched(both, labelled), labelled)["R10"] >= alone - LOSS


def test_words_keep_questions_apart(banking: LabelledSet, connection: Connection[Any]) -> None:
    both = both_sides(connection, banking, np.zeros_like(banking.cosines))
    alone = main_metrics(banking.cosines, banking)["nDCG10"]
    assert main_metrics(chosen(both), banking)["nDCG10"] >= alone - LOSS


def test_nonsense_has_few_hits_and_questions_keep_theirs(
    irc: LabelledSet, banking: LabelledSet, embedder: MiniLmEmbedder
) -> None:
    asked = embedder.embed([*STRINGS, *SENTENCES])
    for labelled, fewer in ((irc, 1.5), (banking, 0.6)):
        nonsense = asked @ labelled.vectors.T
        assert kept(nonsense).mean() <= fewer
        assert kept(labelled.cosines).mean() >= 5 * fewer


def kept(cosines: Any) -> Any:
    """Of ten hits, how many are left, for each query."""
    best = -np.sort(-cosines, axis=1)[:, :10]
    return (calibrated(best, cosines.mean(axis=1, keepdims=True), MEANING) >= CUT_OFF).sum(axis=1)
