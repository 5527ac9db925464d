"""Damaged and mixed up snapshots of both kinds of index: refused, or as good as they were."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import faiss
import numpy as np
import pytest

from application.ports.embedder import EmbeddingModel
from infrastructure.vectors import faiss_index
from infrastructure.vectors.faiss_index import FaissIndex
from infrastructure.vectors.snapshot import Loaded, SnapshotInvalidError, SnapshotStore
from tests.support.vector_index import clustered

DIMENSIONS = 16
MODEL = EmbeddingModel(
    name="test", revision="0" * 64, preprocessing=1, dimensions=DIMENSIONS, max_tokens=256
)
FEW, MANY = UUID(int=1), UUID(int=2)
CORRUPTIONS = 200
QUERIES = clustered(3, dimensions=DIMENSIONS, seed=9)
Answers = list[tuple[list[int], list[float]]]
Damage = Callable[[random.Random, Path], None]


def an_index(count: int, seed: int) -> FaissIndex:
    index = FaissIndex(DIMENSIONS)
    index.add(np.arange(count), clustered(count, dimensions=DIMENSIONS, seed=seed))
    index.wait()
    return index


def answers(indexes: dict[UUID, FaissIndex]) -> dict[UUID, Answers]:
    return {
        id_: [(ids.tolist(), scores.tolist()) for ids, scores in (i.search(q, 5) for q in QUERIES)]
        for id_, i in indexes.items()
    }


def flip(chance: random.Random, folder: Path) -> None:
    path = chance.choice(files(folder))
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def cut(chance: random.Random, folder: Path) -> None:
    path = chance.choice(files(folder))
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def swap(chance: random.Random, folder: Path) -> None:
    """Between workspaces, generations, or a manifest and an index."""
    one, other = chance.sample(files(folder), 2)
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)


def edit(chance: random.Random, folder: Path) -> None:
    """A manifest that says something else, with the signature it had."""
    path = chance.choice([path for path in files(folder) if path.suffix == ".json"])
    manifest = json.loads(path.read_bytes())
    field = chance.choice(sorted(manifest))
    match manifest[field]:
        case int(number):
            manifest[field] = number + chance.choice([-1, 1, 1_000])
        case str(text):
            manifest[field] = text[::-1]
        case list(entries):
            entry = chance.choice(entries)
            entry["name"] = chance.choice(files(folder)).name
            entry["count"] += chance.choice([0, 1])
            entry["sha256"] = "0" * 64
    path.write_bytes(json.dumps(manifest, indent=1, sort_keys=True).encode())


def remove(chance: random.Random, folder: Path) -> None:
    chance.choice(files(folder)).unlink()


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.name != "lock")


@pytest.mark.parametrize("damage", [flip, cut, swap, edit, remove])
def test_damage_is_refused_or_does_not_matter(
    damage: Damage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is loaded is one whole generation, and answers as that one did."""
    monkeypatch.setattr(faiss_index, "EXACT_BELOW", 300)
    sound, folder = tmp_path / "sound", tmp_path / "damaged"
    store = SnapshotStore(sound, key=b"k" * 32, model=MODEL)
    saved = {}
    for position in (1, 2):
        indexes = {FEW: an_index(40, position), MANY: an_index(400, 10 + position)}
        assert (indexes[FEW].is_exact, indexes[MANY].is_exact) == (True, False)
        store.save(indexes, position=position, last_id=400)
        saved[position] = answers(indexes)
    chance = random.Random(damage.__name__)
    refused = 0
    for _ in range(CORRUPTIONS // 5):
        shutil.copytree(sound, folder)
        damage(chance, folder)
        damaged = SnapshotStore(folder, key=b"k" * 32, model=MODEL)
        for generation in damaged.generations():
            try:
                check(damaged.load_generation(generation), saved)
            except SnapshotInvalidError:
                refused += 1
        shutil.rmtree(folder)
    assert refused >= CORRUPTIONS // 5 * (0.3 if damage is remove else 1)


def check(loaded: Loaded, saved: dict[int, dict[UUID, Answers]]) -> None:
    assert answers(loaded.indexes) == saved[loaded.position]


def test_a_snapshot_from_before_there_were_lists_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then there are lists, once something is added."""
    vectors = clustered(400, dimensions=DIMENSIONS)
    kind = faiss.ScalarQuantizer.QT_fp16
    inner = faiss.IndexScalarQuantizer(DIMENSIONS, kind, faiss.METRIC_INNER_PRODUCT)
    before = faiss.IndexIDMap2(inner)
    before.add_with_ids(vectors, np.arange(400))
    faiss.write_index(before, str(tmp_path / "old"))
    index = FaissIndex.read(tmp_path / "old", DIMENSIONS)
    expected = index.search(QUERIES[0], 5)[0].tolist()

    assert (len(index), index.is_exact) == (400, True)
    monkeypatch.setattr(faiss_index, "EXACT_BELOW", 300)
    index.add(np.array([400]), QUERIES[1:2])
    index.wait()
    assert not index.is_exact
    assert index.search(QUERIES[0], 5)[0].tolist() == expected
