"""What is withdrawn leaves FAISS and its snapshots, whatever the process lives through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from application.commands.withdraw_upload import WithdrawUpload
from application.context import LOCAL_OWNER, Context
from infrastructure import following
from infrastructure.container import Container
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.vectors import follower as module
from infrastructure.vectors.follower import FaissFollower
from infrastructure.vectors.snapshot import SnapshotInvalidError
from tests.support.archive_fixture import advance, ingest, open_test_container
from tests.support.eventually import eventually

SHARED = "a rope that both have"
GONE = [("Trip", "Ada", text) for text in ("low tide", "an oar", SHARED)]
KEPT = [("Boats", "Ada", text) for text in ("a mast", SHARED)]


@dataclass
class World:
    container: Container
    followers: list[FaissFollower]
    gone: UUID  # the upload that will be withdrawn
    workspace_id: UUID

    def follow(self) -> FaissFollower:
        """As a new process would, with the folder of the one before."""
        own = self.container.follower
        follower = FaissFollower(
            hub=self.container.notifications,
            pool=self.container.pool,
            folder=self.folder,
            signing_key=b"k" * 32,
            model=own._model,
        )
        self.followers.append(follower)
        follower.start()
        return follower

    @property
    def folder(self) -> Path:
        return self.container.settings.data_dir / "own-snapshots"

    def withdraw(self) -> None:
        context = Context(actor_id=LOCAL_OWNER, workspace_id=self.workspace_id, command_id=uuid4())
        self.container.withdraw_upload(WithdrawUpload(upload_id=self.gone), context)
        advance(self.container)

    def ids(self) -> set[int]:
        """Of the vectors that there are."""
        with self.container.pool.connection() as connection:
            return {row[0] for row in connection.execute("SELECT vector_id FROM read.text_vector")}


@pytest.fixture
def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(following, "POLL_SECONDS", 0.05)
    with open_test_container(database_url, tmp_path) as container:
        gone = ingest(container, "default", GONE)
        ingest(container, "default", KEPT)
        advance(container)
        world = World(container, [], gone.upload_id, gone.workspace_id)
        yield world
        for follower in world.followers:
            follower.stop()


def held(follower: FaissFollower) -> set[int]:
    return {id_ for index in follower._indexes.values() for id_ in index.ids.tolist()}


def on_disk(world: World) -> list[set[int]]:
    """The ids in each generation; nothing while one is being replaced."""
    store = world.followers[-1]._snapshots
    try:
        generations = [store.load_generation(number) for number in store.generations()]
    except SnapshotInvalidError:
        return []
    return [
        {id_ for index in loaded.indexes.values() for id_ in index.ids.tolist()}
        for loaded in generations
    ]


def test_it_leaves_a_follower_that_follows_and_every_generation(world: World) -> None:
    world.follow().stop()
    follower = world.follow()
    eventually(lambda: len(follower) == 4)
    eventually(lambda: follower.position > 0)
    world.withdraw()
    eventually(lambda: len(follower) == 2)
    assert held(follower) == world.ids()
    eventually(lambda: on_disk(world) == [world.ids()])  # the earlier one is gone, too
    names = {path.name for path in world.folder.iterdir()}
    assert len([name for name in names if name.endswith(".faiss")]) == 1


def test_it_leaves_who_starts_from_an_older_snapshot(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    first = world.follow()
    eventually(lambda: len(first) == 4)
    first.stop()
    assert [len(ids) for ids in on_disk(world)] == [4]
    world.withdraw()
    second = world.follow()
    eventually(lambda: held(second) == world.ids())
    eventually(lambda: on_disk(world) == [world.ids()])
    assert "reading them again" not in caplog.text
    second.stop()
    third = world.follow()
    eventually(lambda: held(third) == world.ids())


def test_it_stays_away_across_a_rebuild(world: World, caplog: pytest.LogCaptureFixture) -> None:
    follower = world.follow()
    eventually(lambda: len(follower) == 4)
    world.withdraw()
    ProjectionRebuilder(world.container.runner).rebuild("vectors")
    eventually(lambda: held(follower) == world.ids())
    follower.stop()
    again = world.follow()
    eventually(lambda: held(again) == world.ids())
    assert on_disk(world) == [world.ids()]
    assert "reading them again" not in caplog.text


def test_a_snapshot_that_cannot_be_written_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SNAPSHOT_EVERY_SECONDS", 0.2)
    follower = world.follow()
    eventually(lambda: len(follower) == 4)
    eventually(lambda: [len(ids) for ids in on_disk(world)] == [4])
    save, failures = follower._snapshots.save, 0

    def fail_at_first(*arguments: object, **named: object) -> int:
        nonlocal failures
        if failures < 2:
            failures += 1
            raise OSError("no space left")
        return save(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(follower._snapshots, "save", fail_at_first)
    world.withdraw()
    eventually(lambda: on_disk(world) == [world.ids()])
    assert failures == 2
