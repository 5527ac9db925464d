"""Floors under what a whole search finds of conversations whose opening question is not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks.quality import sets
from benchmarks.quality.archives import Archived, archive, conversations
from benchmarks.quality.whole_path import Labels, in_memory, of_mode
from infrastructure.bootstrap import open_container_at
from infrastructure.container import Container
from infrastructure.search.hybrid import HybridSearcher
from infrastructure.settings import Settings
from tests.support.archive import copy_template
from tests.support.data import data_path
from tests.support.postgres import drop_database

pytestmark = pytest.mark.long  # half a minute; test_search_conversations.py is quicker


@pytest.fixture(scope="module")
def container(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Container]:
    url = copy_template(postgres_server, migrated_template)
    data_dir = tmp_path_factory.mktemp("data")
    settings = Settings.from_env({"DATABASE_URL": url, "CHATLEDGER_DATA_DIR": str(data_dir)})
    with open_container_at(url, settings) as opened:
        yield opened
    drop_database(url)


@pytest.fixture(scope="module")
def archived(container: Container, tmp_path_factory: pytest.TempPathFactory) -> Archived:
    irc = sets.irc(data_path("bench"), Labels())
    assert irc.own is not None
    told = conversations(irc, without=irc.own.tolist())
    return archive(container, tmp_path_factory.mktemp("export"), "irc", irc, told)


def test_a_conversation_is_found_though_nobody_asked_that_question_before(
    container: Container, archived: Archived
) -> None:
    """And both sides together find more of it than either."""
    searcher = in_memory(container)
    hybrid, meaning, words = (
        of_mode(searcher, archived, mode) for mode in ("hybrid", "meaning", "words")
    )
    assert hybrid["R10"] >= 0.43
    assert hybrid["R100"] >= 0.50
    for name in ("R10", "R100"):
        assert hybrid[name] >= max(meaning[name], words[name])


def test_so_it_is_by_postgresql_alone(container: Container, archived: Archived) -> None:
    alone = HybridSearcher(container.pool, container.positions, container.query_embedder)
    found = of_mode(alone, one_in_three(archived), "hybrid")
    alone.close()
    assert found["R10"] >= 0.35
    assert found["R100"] >= 0.38


def one_in_three(archived: Archived) -> Archived:
    """Of the queries: PostgreSQL takes a while."""
    labelled = archived.labelled
    chosen = list(range(0, len(labelled.queries), 3))
    return replace(
        archived,
        labelled=replace(
            labelled,
            queries=[labelled.queries[query] for query in chosen],
            query_vectors=labelled.query_vectors[chosen],
            relevant=[labelled.relevant[query] for query in chosen],
            own=None if labelled.own is None else labelled.own[chosen],
            half=labelled.half[chosen],
        ),
    )


def test_a_message_that_a_hit_stands_for_is_found_with_it(archived: Archived) -> None:
    """Else equal texts would count as missed."""
    assert sum(map(len, archived.same.values())) > len(archived.same)


def test_the_archive_lacks_exactly_the_questions(archived: Archived) -> None:
    own = archived.labelled.own
    assert own is not None
    missing = set(range(len(archived.labelled.texts))) - set(archived.rows.values())
    assert missing == set(own.tolist())
