"""Snapshots of the FAISS indexes: whole, ours and current, or refused with a reason."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from application.ports.embedder import EmbeddingModel
from infrastructure.vectors.faiss_index import FaissIndex
from infrastructure.vectors.snapshot import SnapshotInvalidError, SnapshotStore

KEY = b"k" * 32
MODEL = EmbeddingModel(
    name="test", revision="0" * 64, preprocessing=1, dimensions=8, max_tokens=256
)
ONE, OTHER = UUID(int=1), UUID(int=2)


def an_index(n: int, seed: int = 0) -> FaissIndex:
    index = FaissIndex(MODEL.dimensions)
    vectors = np.random.default_rng(seed).normal(size=(n, MODEL.dimensions))
    index.add(np.arange(n), vectors.astype(np.float32))
    return index


def a_query() -> NDArray[np.float32]:
    return np.ones(MODEL.dimensions, dtype=np.float32)


def a_store(folder: Path) -> SnapshotStore:
    return SnapshotStore(folder / "vectors", key=KEY, model=MODEL)


def files(folder: Path, pattern: str) -> list[Path]:
    return sorted((folder / "vectors").glob(pattern))


def test_a_saved_snapshot_answers_as_before(tmp_path: Path) -> None:
    """Another process finds the same vectors, at the same position."""
    indexes = {ONE: an_index(40), OTHER: an_index(3, seed=1)}
    assert a_store(tmp_path).save(indexes, position=17, last_id=43) == 1

    loaded = a_store(tmp_path).load()

    assert loaded is not None
    assert (17, 43, {ONE, OTHER}) == (loaded.position, loaded.last_id, set(loaded.indexes))
    for id_, index in indexes.items():
        np.testing.assert_array_equal(
            index.search(a_query(), 5), loaded.indexes[id_].search(a_query(), 5)
        )


def test_nothing_saved_is_no_error(tmp_path: Path) -> None:
    assert a_store(tmp_path).load() is None


def test_indexes_of_no_workspace_are_a_snapshot_too(tmp_path: Path) -> None:
    a_store(tmp_path).save({}, position=5, last_id=0)
    assert a_store(tmp_path).load() == ({}, 5, 0)


def test_the_last_two_generations_are_kept(tmp_path: Path) -> None:
    """And nothing of the older ones, nor of a save that was killed."""
    store = a_store(tmp_path)
    store.save({ONE: an_index(2)}, position=1, last_id=2)
    (tmp_path / "vectors" / "vectors-000000000009-killed.tmp").write_bytes(b"half")
    for position in (2, 3, 4):
        store.save({ONE: an_index(2)}, position=position, last_id=2)

    assert store.generations() == [4, 3]
    assert files(tmp_path, "*.tmp") == []
    assert len(files(tmp_path, "*.faiss")) == 2
    assert len(files(tmp_path, "*.json")) == 2


def test_the_generation_before_stands_in_for_a_damaged_one(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.save({ONE: an_index(2)}, position=1, last_id=2)
    store.save({ONE: an_index(3)}, position=2, last_id=3)
    files(tmp_path, "*.faiss")[-1].write_bytes(b"")

    loaded = store.load()

    assert loaded is not None
    assert loaded.position == 1


def test_two_hundred_random_corruptions_are_all_refused(tmp_path: Path) -> None:
    """A changed byte, a cut, a longer file, a missing one: in any of the files of a generation."""
    store, chance = a_store(tmp_path), random.Random(20261122)
    store.save({ONE: an_index(40), OTHER: an_index(5)}, position=17, last_id=45)
    targets = [*files(tmp_path, "*.faiss"), *files(tmp_path, "*.json")]
    assert len(targets) == 3

    for _ in range(200):
        target = chance.choice(targets)
        sound = target.read_bytes()
        at = chance.randrange(len(sound))
        match chance.choice(["flip", "flip", "flip", "set", "cut", "grow", "remove"]):
            case "flip":
                damaged = (
                    sound[:at] + bytes([sound[at] ^ 1 << chance.randrange(8)]) + sound[at + 1 :]
                )
            case "set":
                other = chance.choice([b for b in range(256) if b != sound[at]])
                damaged = sound[:at] + bytes([other]) + sound[at + 1 :]
            case "cut":
                damaged = sound[:at]
            case "grow":
                damaged = sound[:at] + b" " + sound[at:]
            case _:
                damaged = None
        if damaged is None:
            target.unlink()
        else:
            target.write_bytes(damaged)
        with pytest.raises(SnapshotInvalidError, match=r"\w"):
            store.load_generation(1)
        target.write_bytes(sound)

    assert store.load_generation(1).position == 17


def test_the_reason_is_told_for_every_generation(tmp_path: Path) -> None:
    store = a_store(tmp_path)
    store.save({ONE: an_index(2)}, position=1, last_id=2)
    store.save({ONE: an_index(2)}, position=2, last_id=2)
    first, second = files(tmp_path, "*.faiss")
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1])

    with pytest.raises(SnapshotInvalidError, match=r"bytes, not \d+; generation 1: .*No such file"):
        store.load()


def test_a_snapshot_signed_with_another_key_is_refused(tmp_path: Path) -> None:
    """FAISS reads what a file says, so only our own files may reach it."""
    SnapshotStore(tmp_path / "vectors", key=b"x" * 32, model=MODEL).save({}, 1, 0)
    with pytest.raises(SnapshotInvalidError, match="not signed with our key"):
        a_store(tmp_path).load()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (replace(MODEL, revision="1" * 64), "has model"),
        (replace(MODEL, dimensions=9), "has dimensions"),
    ],
)
def test_a_snapshot_of_another_model_is_refused(
    tmp_path: Path, other: EmbeddingModel, reason: str
) -> None:
    a_store(tmp_path).save({ONE: an_index(2)}, position=1, last_id=2)
    with pytest.raises(SnapshotInvalidError, match=reason):
        SnapshotStore(tmp_path / "vectors", key=KEY, model=other).load()


def test_a_manifest_given_another_generations_name_is_refused(tmp_path: Path) -> None:
    a_store(tmp_path).save({ONE: an_index(2)}, position=1, last_id=2)
    [manifest] = files(tmp_path, "*.json")
    manifest.rename(manifest.with_name("snapshot-000000000009.json"))
    with pytest.raises(SnapshotInvalidError, match="generation 1, not 9"):
        a_store(tmp_path).load()
