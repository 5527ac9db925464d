"""While the model of queries is loaded, nobody who comes meanwhile is kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from application.ports.embedder import EmbedderUnavailableError, ModelLoadingError
from infrastructure.embedders.query_embedder import QueryEmbedder
from interfaces.graphql.errors import UNAVAILABLE
from tests.infrastructure.test_embedder import EmbedderContract
from tests.support.asgi import Caller
from tests.support.fake_embedder import HashEmbedder
from tests.support.graphql_site import NoContainer, application


class SlowEmbedder(HashEmbedder):
    """Its first call ends when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_end = Event()

    def embed(self, texts: Sequence[str], **options: Any) -> Any:
        assert self.may_end.wait(30)
        return super().embed(texts, **options)


class TestQueryEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> QueryEmbedder:
        return QueryEmbedder(HashEmbedder())


def test_who_comes_first_loads_and_who_comes_meanwhile_is_told_to_come_again() -> None:
    slow = SlowEmbedder()
    embedder = QueryEmbedder(slow, patience_seconds=0.05)
    assert embedder.state == "unused"
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(embedder.load)
        while embedder.state != "loading":
            time.sleep(0.001)
        others = [threads.submit(embedder.embed, ["ropes"]) for _ in range(7)]
        began = time.monotonic()
        for other in others:
            with pytest.raises(ModelLoadingError, match="try again"):
                other.result(5)
        assert time.monotonic() - began < 2
        assert not first.done()
        slow.may_end.set()
        first.result(5)
    assert embedder.state == "loaded"
    assert embedder.embed(["ropes"]).shape == (1, 384)
    assert slow.calls == [1, 1]


def test_what_could_not_be_loaded_is_tried_again_by_the_next() -> None:
    class Broken(HashEmbedder):
        is_broken = True

        def embed(self, texts: Sequence[str], **options: Any) -> Any:
            if self.is_broken:
                raise EmbedderUnavailableError("no model")
            return super().embed(texts, **options)

    broken = Broken()
    embedder = QueryEmbedder(broken)
    for _ in range(2):
        with pytest.raises(EmbedderUnavailableError):
            embedder.embed(["ropes"])
        assert embedder.state == "broken"
    broken.is_broken = False
    embedder.embed(["ropes"])
    assert embedder.state == "loaded"


def test_a_search_that_comes_too_early_is_a_503_that_says_why() -> None:
    class Loading(NoContainer):
        @property
        def perform_search(self) -> Any:
            raise ModelLoadingError

        @property
        def pool(self) -> Any:
            raise ModelLoadingError

    caller = Caller(application(Loading()))
    answer = caller.ask('{search(query: "x") {__typename}}')
    caller.close()
    [error] = answer.json["errors"]
    assert answer.status == 503
    assert error["extensions"]["code"] == UNAVAILABLE
    assert "being loaded: try again" in error["message"]
