"""Whoever has saved a search is told of what it finds from then on, over a real connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.saved_search import SavedSearch, ToldHits
from infrastructure.container import Container
from interfaces.http.app import make_app
from tests.interfaces.test_graphql_live_sources import Served, following, in_thread, run
from tests.support.archive import copy_template
from tests.support.archive_fixture import advance, ingest, ingest_file, open_test_container
from tests.support.live_server import live_server
from tests.support.postgres import drop_database
from tests.support.searches import some_saved_search

HITS = """subscription($id: ID!, $after: String, $workspace: String! = "default") {
  savedSearchHits(id: $id, after: $after, workspace: $workspace) {
    cursor position reason probability message {id text author {name} conversation {title}}
  }
}"""


@pytest.fixture(scope="module")
def served(
    postgres_server: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    url = copy_template(postgres_server, migrated_template)
    with open_test_container(url, tmp_path_factory.mktemp("data")) as container:
        archive = ingest(container)
        ingest(container, "secrets", [("Vault", "Eve", "The harbour password.")])
        container.start_background()
        app = make_app(container)
        with live_server(app, app.state.live) as server:
            yield Served(container, server, url, archive.workspace_id)
    drop_database(url)


def say(served: Served, *texts: str, workspace: str = "default") -> None:
    """In a new upload, searchable when this returns."""
    key = uuid4().hex
    lines = (
        {
            "id": f"{key}-{number}",
            "conversation": "News",
            "author": "Zoe",
            "timestamp": "2024-05-01T12:00:00Z",
            "text": text,
        }
        for number, text in enumerate(texts)
    )
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    ingest_file(served.container, workspace, f"{key}.jsonl", content)


def save(served: Served, query: str, **changes: Any) -> SavedSearch:
    made = some_saved_search(served.workspace_id, query=query, **changes)
    served.container.archive.record(served.context, made)
    advance(served.container)
    return made


def id_of(saved: SavedSearch) -> str:
    return f"SavedSearch:{saved.id}"


def recorded(served: Served, saved: SavedSearch) -> list[list[int]]:
    """The hits that the log says were told."""
    container: Container = served.container
    with container.pool.connection() as connection:
        page = container.runner.stepper.reader.page(
            connection, after=0, up_to=served.head, topics=[ToldHits.Told.TOPIC], limit=10_000
        )
    return [one.event.hits for one in page.events if UUID(one.event.saved_search_id) == saved.id]


def test_what_comes_after_it_was_saved_is_told_and_nothing_else(served: Served) -> None:
    async def work() -> None:
        await in_thread(say, served, "volcano before")
        saved = await in_thread(save, served, "volcano")
        await in_thread(say, served, "volcano while nobody listens")
        async with following(served, HITS, id=id_of(saved)) as live:
            first = await live.next()
            assert first["message"]["text"] == "volcano while nobody listens"
            assert first["message"]["author"] == {"name": "Zoe"}
            assert first["message"]["conversation"] == {"title": "News"}
            assert (first["reason"], first["probability"]) == ("WORDS", None)
            await in_thread(say, served, "a quiet day", "volcano live")
            second = await live.next()
            assert second["message"]["text"] == "volcano live"
            elsewhere = partial(say, served, "volcano elsewhere", workspace="secrets")
            await in_thread(elsewhere)
            await live.nothing()
        assert recorded(served, saved) == [
            [int(hit["message"]["id"].partition(":")[2])] for hit in (first, second)
        ]

    run(work())


def test_from_any_cursor_the_rest_comes_and_nothing_twice(served: Served) -> None:
    async def work() -> None:
        saved = await in_thread(save, served, "geyser")
        await in_thread(say, served, *(f"geyser {n}" for n in range(5)))
        async with following(served, HITS, id=id_of(saved)) as live:
            told = [await live.next() for _ in range(5)]
        assert [hit["message"]["text"] for hit in told] == [f"geyser {n}" for n in range(5)]
        assert len({hit["position"] for hit in told}) == 1
        for number, hit in enumerate(told[:-1]):
            async with following(served, HITS, id=id_of(saved), after=hit["cursor"]) as live:
                assert [await live.next() for _ in told[number + 1 :]] == told[number + 1 :]
        async with following(served, HITS, id=id_of(saved), after=told[-1]["cursor"]) as live:
            await in_thread(say, served, "geyser again")
            assert (await live.next())["message"]["text"] == "geyser again"

    run(work())


def test_it_ends_when_the_search_is_deleted(served: Served) -> None:
    async def work() -> None:
        saved = await in_thread(save, served, "lava")
        async with following(served, HITS, id=id_of(saved)) as live:
            saved.delete()
            await in_thread(served.container.archive.record, served.context, saved)
            await in_thread(advance, served.container)
            await in_thread(say, served, "lava")
            assert (await live.next())["type"] == "complete"
        assert recorded(served, saved) == []

    run(work())


def test_two_who_follow_are_told_the_same(served: Served) -> None:
    async def work() -> None:
        saved = await in_thread(save, served, "basalt")
        async with (
            following(served, HITS, id=id_of(saved)) as one,
            following(served, HITS, id=id_of(saved)) as other,
        ):
            await in_thread(say, served, "basalt", "basalt columns")
            told = [[await live.next() for _ in range(2)] for live in (one, other)]
            assert told[0] == told[1]
        assert [len(hits) for hits in recorded(served, saved)] == [2, 2]

    run(work())


def test_what_cannot_be_followed_is_refused(served: Served) -> None:
    stranger = uuid4()
    theirs = save(served, "rain", owner_id=stranger)
    saved = save(served, "rain")
    beyond = "WzEwMDAwMDAwMDAsMV0"  # [1000000000,1]
    refused = [
        ({"id": id_of(theirs)}, "SAVED_SEARCH_NOT_FOUND"),
        ({"id": f"SavedSearch:{uuid4()}"}, "SAVED_SEARCH_NOT_FOUND"),
        ({"id": "Upload:1"}, "SAVED_SEARCH_NOT_FOUND"),
        ({"id": id_of(saved), "workspace": "secrets"}, "SAVED_SEARCH_NOT_FOUND"),
        ({"id": id_of(saved), "workspace": "nowhere"}, "UNKNOWN_WORKSPACE"),
        ({"id": id_of(saved), "after": "x"}, "ARGUMENT_REFUSED"),
        ({"id": id_of(saved), "after": "WzEsMiwzXQ"}, "ARGUMENT_REFUSED"),
        ({"id": id_of(saved), "after": beyond}, "POSITION_BEYOND_LOG"),
        ({"id": id_of(saved), "after": "Wy0xLDFd"}, "ARGUMENT_REFUSED"),  # [-1,1]
    ]

    async def work() -> None:
        for variables, code in refused:
            async with following(served, HITS, **variables) as live:
                message = await live.next()
                assert message["type"] == "error", variables
                assert message["payload"][0]["extensions"]["code"] == code, variables

    run(work())


def test_a_cursor_of_before_it_was_saved_tells_nothing_older(served: Served) -> None:
    """It was saved to be told of what is new: a made-up cursor is no way around that."""

    async def work() -> None:
        await in_thread(say, served, "obsidian old")
        saved = await in_thread(save, served, "obsidian")
        await in_thread(say, served, "obsidian new")
        async with following(served, HITS, id=id_of(saved), after="WzAsMF0") as live:  # [0,0]
            assert (await live.next())["message"]["text"] == "obsidian new"
            await asyncio.sleep(0)

    run(work())
