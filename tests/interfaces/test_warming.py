"""Loading the model of queries beside a server's first requests."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from application.ports.embedder import EmbedderUnavailableError
from infrastructure.embedders.query_embedder import QueryEmbedder
from interfaces.cli.warming import collect_seldom, warm
from tests.support.fake_embedder import HashEmbedder
from tests.support.log_lines import logged


@pytest.fixture(autouse=True)
def unfrozen() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class BrokenEmbedder(HashEmbedder):
    def embed(self, texts: Sequence[str], **options: Any) -> Any:
        raise EmbedderUnavailableError("no model")


def test_the_model_has_been_asked_once() -> None:
    embedder = HashEmbedder()
    warm(QueryEmbedder(embedder)).join(5)
    assert embedder.calls == [1]


def test_a_model_that_cannot_be_loaded_stops_nothing() -> None:
    with logged() as lines:
        warm(QueryEmbedder(BrokenEmbedder())).join(5)
    [line] = lines.all("model_not_loaded")
    assert "EmbedderUnavailableError" in line["error"]


def test_what_lives_as_long_as_the_process_is_not_looked_at_again() -> None:
    """A collection of garbage makes every client wait: it shall see what requests left only."""
    before = gc.get_freeze_count()
    warm(QueryEmbedder(HashEmbedder())).join(60)
    assert gc.get_freeze_count() > before + 10_000
    assert len(gc.get_objects()) < 10_000


def test_circles_are_looked_for_seldom_where_messages_are_read() -> None:
    class Circle:
        def __init__(self) -> None:
            self.itself = self

    collect_seldom()
    found = gc.get_stats()[0]["collections"]
    kept = [[number] for number in range(15_000)]
    assert gc.get_stats()[0]["collections"] == found
    for _ in range(100_000):
        Circle()
    assert gc.get_stats()[0]["collections"] > found
    assert len(kept) == 15_000
