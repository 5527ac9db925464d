"""The FAISS index follows PostgreSQL: it answers rightly or leaves the answer to others."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock
from uuid import UUID

import numpy as np
import psycopg
import pytest

from infrastructure import following
from infrastructure.columns.keys import packed
from infrastructure.projections.rebuild import ProjectionRebuilder
from infrastructure.search.meaning import Nearest
from infrastructure.vectors import follower as module
from infrastructure.vectors.follower import FaissFollower
from tests.support.archive import Ledger
from tests.support.eventually import eventually
from tests.support.postgres import end_connections
from tests.support.shared_ledger import own_ledger, shared_ledger
from tests.support.vector_feed import VectorFeed, unit_vectors

__all__ = ["own_ledger", "shared_ledger"]

AGAIN = "reading them again"
Start = Callable[[VectorFeed], FaissFollower]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(following, "RETRY_SECONDS", 0.05)


@pytest.fixture
def feed(own_ledger: Ledger) -> VectorFeed:
    return VectorFeed(own_ledger)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a follower as a new process would, with the folder of the one before."""
    started = []

    def begin(feed: VectorFeed) -> FaissFollower:
        started.append(make(feed, tmp_path))
        started[-1].start()
        return started[-1]

    yield begin
    for one in started:
        one.stop()


def make(feed: VectorFeed, folder: Path) -> FaissFollower:
    return FaissFollower(
        hub=feed.ledger.hub,
        pool=feed.ledger.pool,
        folder=folder,
        signing_key=b"k" * 32,
        model=feed.model,
    )


def ask(
    follower: FaissFollower,
    feed: VectorFeed,
    position: int,
    *,
    workspace_id: UUID | None = None,
    seed: int = 9,
) -> Nearest | None:
    return follower.nearest(
        workspace_id=workspace_id or feed.ledger.workspace_id,
        model=feed.model.id,
        query=unit_vectors(1, seed=seed)[0],
        limit=5,
        position=position,
    )


def catch_up(follower: FaissFollower, feed: VectorFeed, position: int) -> Nearest:
    return eventually(lambda: ask(follower, feed, position))


def owner(ledger: Ledger) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(ledger.url, autocommit=True)


def test_it_starts_empty_and_catches_up(feed: VectorFeed, start: Start) -> None:
    vectors = unit_vectors(20)
    position = feed.add(vectors)
    follower = start(feed)
    nearest = catch_up(follower, feed, position)
    kept = vectors.astype(np.float16).astype(np.float32)
    scores = kept @ unit_vectors(1, seed=9)[0]
    best = np.argsort(-scores)[:5]

    assert nearest.engine == "faiss"
    assert [feed.rows[k].tolist() for k in feed.text_keys(nearest.ids)] == vectors[best].tolist()
    assert nearest.cosines == pytest.approx(scores[best].tolist(), abs=1e-6)
    assert len(follower) == 20


def test_after_a_restart_it_knows_whose_the_vectors_are(feed: VectorFeed, start: Start) -> None:
    """Which no snapshot says."""
    position = feed.add(unit_vectors(20))
    first = start(feed)
    catch_up(first, feed, position)
    first.stop()
    follower = start(feed)
    nearest = catch_up(follower, feed, position)
    texts = follower.texts_of(workspace_id=feed.ledger.workspace_id, model=feed.model.id)
    assert texts is not None
    keys = packed(feed.text_keys(nearest.ids))
    assert texts.vectors_of(keys).tolist() == nearest.ids


def test_it_takes_in_more_than_a_page(
    feed: VectorFeed, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 7)
    position = feed.add(unit_vectors(50))
    follower = start(feed)
    catch_up(follower, feed, position)

    assert len(follower) == 50


def test_it_answers_only_at_the_position(feed: VectorFeed, start: Start) -> None:
    position = feed.add(unit_vectors(3))
    follower = start(feed)
    catch_up(follower, feed, position)

    assert ask(follower, feed, position + 1) is None
    assert ask(follower, feed, feed.add(unit_vectors(3, seed=1)) + 1) is None
    nearest = catch_up(follower, feed, feed.ledger.head())
    assert len(nearest.ids) == 5
    assert len(follower) == 6


def test_it_answers_for_no_other_model_and_no_other_workspace(
    feed: VectorFeed, start: Start
) -> None:
    position = feed.add(unit_vectors(3))
    other = UUID(int=5)
    feed.add(unit_vectors(3, seed=1), workspace_id=other)
    follower = start(feed)
    mine = catch_up(follower, feed, feed.ledger.head())
    theirs = ask(follower, feed, position, workspace_id=other)

    assert theirs is not None
    assert (len(mine.ids), len(theirs.ids)) == (3, 3)
    assert not set(mine.ids) & set(theirs.ids)
    assert ask(follower, feed, position, workspace_id=UUID(int=6)) == (
        [],
        [],
        "faiss",
        mine.position,
    )
    follower._model = VectorFeed(feed.ledger).model
    assert ask(follower, feed, position) is None


def test_it_finds_only_what_is_allowed_and_tells_the_vectors(
    feed: VectorFeed, start: Start
) -> None:
    position = feed.add(unit_vectors(20))
    follower = start(feed)
    every = catch_up(follower, feed, position)
    allowed = np.array(sorted(every.ids[2:]), dtype=np.int64)
    place = {"workspace_id": feed.ledger.workspace_id, "model": feed.model.id}
    query = unit_vectors(1, seed=9)[0]
    nearest = follower.nearest(**place, query=query, limit=2, position=0, allowed=allowed)
    known = follower.vectors_of(np.array([every.ids[0], 1]), **place)

    assert nearest is not None
    assert nearest.ids == every.ids[2:4]
    assert known is not None
    assert known[1].tolist() == [True, False]
    assert float(known[0][0] @ query) == pytest.approx(every.cosines[0], abs=1e-5)
    assert follower.vectors_of(allowed, workspace_id=UUID(int=6), model=feed.model.id) is None
    assert follower.memory_bytes > 20 * 16 * 2


def test_stop_saves_and_the_next_one_starts_from_the_snapshot(
    feed: VectorFeed, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = feed.add(unit_vectors(20))
    first = start(feed)
    before = catch_up(first, feed, position)
    first.stop()
    read: list[object] = []
    monkeypatch.setattr(FaissFollower, "_add", lambda self, rows: read.extend(rows))
    second = start(feed)

    assert catch_up(second, feed, position) == before
    assert (len(second), read) == (20, [])


def test_what_came_after_the_snapshot_is_read(feed: VectorFeed, start: Start) -> None:
    first = start(feed)
    catch_up(first, feed, feed.add(unit_vectors(20)))
    first.stop()
    position = feed.add(unit_vectors(4, seed=1))
    second = start(feed)
    catch_up(second, feed, position)

    assert len(second) == 24


def test_a_follower_without_news_leaves_the_snapshot_alone(
    feed: VectorFeed, start: Start, tmp_path: Path
) -> None:
    first = start(feed)
    catch_up(first, feed, feed.add(unit_vectors(3)))
    first.stop()
    files = sorted(tmp_path.iterdir())
    second = start(feed)
    catch_up(second, feed, feed.ledger.head())
    second.stop()

    assert sorted(tmp_path.iterdir()) == files


def test_a_corrupt_snapshot_is_refused_and_the_vectors_read_again(
    feed: VectorFeed, start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    position = feed.add(unit_vectors(20))
    first = start(feed)
    before = catch_up(first, feed, position)
    first.stop()
    [file] = tmp_path.glob("*.faiss")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    second = start(feed)

    assert catch_up(second, feed, position) == before
    assert "no usable FAISS snapshot" in caplog.text
    second.stop()
    third = start(feed)
    assert catch_up(third, feed, position) == before
    assert caplog.text.count("no usable FAISS snapshot") == 1  # the second one left a good one


def test_a_stop_in_the_middle_of_reading_leaves_a_snapshot_to_go_on_from(
    feed: VectorFeed,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A large archive takes longer to read than somebody may let it run."""
    position = feed.add(unit_vectors(50))
    monkeypatch.setattr(module, "PAGE", 10)
    add = FaissFollower._add

    def add_and_stop(self: FaissFollower, rows: list[tuple[int, UUID, bytes]]) -> None:
        add(self, rows)
        self._stopping.set()

    with monkeypatch.context() as patched:
        patched.setattr(FaissFollower, "_add", add_and_stop)
        first = start(feed)
        eventually(lambda: first._thread is not None and not first._thread.is_alive())
    assert len(first) == 10
    second = start(feed)
    catch_up(second, feed, position)

    assert len(second) == 50
    assert AGAIN not in caplog.text


def test_a_killed_connection_is_made_again(feed: VectorFeed, start: Start) -> None:
    follower = start(feed)
    catch_up(follower, feed, feed.add(unit_vectors(3)))
    assert end_connections(feed.ledger.url) >= 2
    feed.ledger.pool.check()  # for us, who do not try again
    catch_up(follower, feed, feed.add(unit_vectors(3, seed=1)))

    assert len(follower) == 6


def test_it_hears_of_what_moves(
    feed: VectorFeed, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No poll would tell it so soon."""
    monkeypatch.setattr(following, "POLL_SECONDS", 60.0)
    follower = start(feed)
    eventually(lambda: feed.ledger.hub.is_connected)
    for seed in range(3):
        catch_up(follower, feed, feed.add(unit_vectors(3, seed=seed)))

    assert len(follower) == 9


def test_it_survives_what_nobody_expected_and_takes_nothing_in_twice(
    feed: VectorFeed,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A defect, or a machine without memory, must not end the thread unseen."""
    add, failures = FaissFollower._add, iter([ValueError("what Ada said"), MemoryError()])

    def add_badly(self: FaissFollower, rows: list[tuple[int, UUID, bytes]]) -> None:
        if (failure := next(failures, None)) is None:
            return add(self, rows)
        last_id = self._last_id
        add(self, rows)
        self._last_id = last_id
        raise failure

    monkeypatch.setattr(FaissFollower, "_add", add_badly)
    follower = start(feed)
    catch_up(follower, feed, feed.add(unit_vectors(20)))

    assert len(follower) == 20
    assert "ValueError" in caplog.text
    assert "MemoryError" in caplog.text
    assert "Ada" not in caplog.text


def test_while_the_connection_is_lost_it_leaves_the_answer_to_others(
    feed: VectorFeed, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may be restored to an earlier state meanwhile."""
    position = feed.add(unit_vectors(3))
    follower = start(feed)
    catch_up(follower, feed, position)
    eventually(lambda: feed.ledger.hub.is_connected)
    catch_up(follower, feed, position)
    with monkeypatch.context() as patched:
        patched.setattr(FaissFollower, "catch_up", Mock(side_effect=psycopg.OperationalError))
        feed.ledger.hub.stop()
        assert ask(follower, feed, position) is None
        feed.ledger.hub.start()
        eventually(lambda: feed.ledger.hub.is_connected)
        assert ask(follower, feed, position) is None
    catch_up(follower, feed, position)


def test_a_restored_older_database_is_read_again(
    ledger: Ledger, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds fewer vectors than the snapshot, and later gives their positions to others."""
    feed = VectorFeed(ledger)
    old = feed.add(unit_vectors(5))
    newer = feed.add(unit_vectors(5, seed=1))
    first = start(feed)
    catch_up(first, feed, newer)
    first.stop()
    restore(ledger, old)
    second = start(feed)
    nearest = catch_up(second, feed, old)

    assert AGAIN in caplog.text
    assert len(second) == 5
    assert ask(second, feed, newer) is None
    assert len(feed.text_keys(nearest.ids)) == 5


def test_an_older_database_with_as_many_vectors_is_noticed_by_its_position(
    ledger: Ledger, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """Else it would claim to know what is recorded next at the positions it has seen."""
    feed = VectorFeed(ledger)
    old = feed.add(unit_vectors(5))
    other = VectorFeed(ledger)
    newer = other.add(unit_vectors(5, seed=1))
    first = start(feed)
    catch_up(first, feed, newer)
    first.stop()
    restore(ledger, old)
    second = start(feed)
    catch_up(second, feed, old)

    assert AGAIN in caplog.text
    assert ask(second, feed, newer) is None


def restore(ledger: Ledger, position: int) -> None:
    """As far as a follower can see it."""
    with owner(ledger) as connection:
        connection.execute(
            "UPDATE projection.projection SET position = %s WHERE name = 'vectors'", (position,)
        )
        [(schema,)] = connection.execute(
            "SELECT table_schema FROM information_schema.tables "
            "WHERE table_name = 'text_vector' AND table_type = 'BASE TABLE'"
        ).fetchall()
        connection.execute(f"DELETE FROM {schema}.text_vector WHERE position > {position}".encode())


def test_a_rebuild_without_erased_vectors_empties_them_here_too(
    ledger: Ledger, start: Start
) -> None:
    """No restart, no lost connection: the new version of the read model says so."""
    feed = VectorFeed(ledger)
    position = feed.add(unit_vectors(5))
    feed.add(unit_vectors(5, seed=1))
    follower = start(feed)
    catch_up(follower, feed, ledger.head())
    assert len(follower) == 10
    with ledger.pool.connection() as connection:
        [(subject,)] = connection.execute(
            "SELECT k.subject_id FROM keys.subject_key AS k, log.archive_events AS e "
            "WHERE e.notification_id = %s AND position(k.subject_id::text in "
            "convert_from(e.state, 'UTF8')) > 0",
            (position,),
        ).fetchall()
    ledger.keyring.destroy(subject)
    ProjectionRebuilder(feed.runner).rebuild("vectors")

    eventually(lambda: len(follower) == 5)
    assert len(catch_up(follower, feed, ledger.head()).ids) == 5


def test_it_may_be_stopped_twice_and_without_a_start(feed: VectorFeed, tmp_path: Path) -> None:
    follower = make(feed, tmp_path / "unused")
    follower.stop()
    follower.stop()

    assert ask(follower, feed, 0) is None
    assert not (tmp_path / "unused").exists()


def test_a_snapshot_that_cannot_be_written_is_reported_and_changes_no_answer(
    feed: VectorFeed, start: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    position = feed.add(unit_vectors(3))
    follower = start(feed)
    before = catch_up(follower, feed, position)
    (tmp_path / "lock").mkdir()  # not even root writes into a folder
    with caplog.at_level(logging.WARNING):
        follower.stop()

    assert "the FAISS snapshot could not be written" in caplog.text
    assert ask(follower, feed, position) == before
