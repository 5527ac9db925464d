"""The indexes on disk: signed, verified before use, the last two generations kept."""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from application.ports.embedder import EmbeddingModel
from infrastructure.vectors.faiss_index import FaissIndex, FaissIndexUnreadableError

log = logging.getLogger(__name__)

FORMAT = 1
KEPT_GENERATIONS = 2
MANIFEST = re.compile(r"snapshot-(\d{12})\.json")
INDEX = re.compile(r"vectors-(\d{12})-[0-9a-f-]{36}\.faiss")


class SnapshotInvalidError(Exception):
    """A snapshot is damaged, incomplete, forged or of another model; the message says which."""


class Loaded(NamedTuple):
    indexes: dict[UUID, FaissIndex]
    position: int  # everything up to here is in the indexes
    last_id: int


class SnapshotStore:
    """
    Generations of snapshots in one folder, which several processes may share.

    A manifest names the files of its generation with their SHA-256 and is itself signed, since
    FAISS believes whatever its files say. A generation counts from the moment its manifest is
    renamed into place, so a process killed while it saves leaves the generation before it.
    """

    def __init__(self, folder: Path, *, key: bytes, model: EmbeddingModel) -> None:
        self._folder = folder
        self._key = key
        self._model = model

    def generations(self) -> list[int]:
        """Newest first."""
        if not self._folder.is_dir():
            return []
        names = (MANIFEST.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted((int(name[1]) for name in names if name), reverse=True)

    def save(
        self,
        indexes: Mapping[UUID, FaissIndex],
        position: int,
        last_id: int,
        *,
        kept: int = KEPT_GENERATIONS,
    ) -> int:
        """
        Save a new generation and drop all but the last ones; return its number.

        Args:
            kept: how many are left; 1: what the earlier ones hold must not be kept any longer.

        The indexes must not change meanwhile, or they hold more than `position` says.
        """
        # Vectors are personal data: nobody else on the machine may read them.
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._locked(fcntl.LOCK_EX):
            generation = max(self.generations(), default=0) + 1
            files = [self._write(generation, id_, index) for id_, index in indexes.items()]
            manifest = {
                "format": FORMAT,
                "model": self._model.id,
                "dimensions": self._model.dimensions,
                "generation": generation,
                "position": position,
                "last_id": last_id,
                "count": sum(file["count"] for file in files),
                "files": files,
            }
            signed = {**manifest, "signature": self._sign(manifest)}
            path = self._manifest(generation)
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(encode(signed))
            put_in_place(temporary, path)
            self._prune(kept)
        return generation

    def load(self) -> Loaded | None:
        """
        Load the newest generation that is sound; None if nothing was ever saved.

        Raises:
            SnapshotInvalidError: if there are generations but none is sound.
        """
        reasons = []
        for generation in self.generations():
            try:
                return self.load_generation(generation)
            except SnapshotInvalidError as error:
                log.warning("FAISS snapshot %s is refused: %s", generation, error)
                reasons.append(str(error))
        if reasons:
            raise SnapshotInvalidError("; ".join(reasons))
        return None

    def load_generation(self, generation: int) -> Loaded:
        """
        Load one generation, after verifying every byte of it.

        Raises:
            SnapshotInvalidError: if anything about it is not as it was saved.
        """
        try:
            with self._locked(fcntl.LOCK_SH):
                manifest = self._read_manifest(generation)
                indexes = {UUID(file["workspace"]): self._read(file) for file in manifest["files"]}
        except (OSError, FaissIndexUnreadableError) as error:
            raise SnapshotInvalidError(f"generation {generation}: {error}") from error
        return Loaded(indexes, manifest["position"], manifest["last_id"])

    def _write(self, generation: int, workspace_id: UUID, index: FaissIndex) -> dict[str, Any]:
        path = self._folder / f"vectors-{generation:012}-{workspace_id}.faiss"
        temporary = path.with_suffix(".tmp")
        count = index.write(temporary)
        file = {
            "workspace": str(workspace_id),
            "name": path.name,
            "count": count,
            "size": temporary.stat().st_size,
            "sha256": digest(temporary),
        }
        put_in_place(temporary, path)
        return file

    def _read_manifest(self, generation: int) -> dict[str, Any]:
        path = self._manifest(generation)
        stored = path.read_bytes()
        try:
            manifest = json.loads(stored)
        except ValueError as error:
            raise SnapshotInvalidError(f"{path.name} is not JSON: {error}") from error
        if not isinstance(manifest, dict):
            raise SnapshotInvalidError(f"{path.name} is not a manifest")
        manifest.pop("signature", None)
        signed = {**manifest, "signature": self._sign(manifest)}
        if not hmac.compare_digest(stored, encode(signed)):
            raise SnapshotInvalidError(f"{path.name} is not signed with our key")
        expected = {
            "format": FORMAT,
            "model": self._model.id,
            "dimensions": self._model.dimensions,
            "generation": generation,
        }
        for field, value in expected.items():
            if manifest[field] != value:
                found = manifest[field]
                raise SnapshotInvalidError(f"{path.name} has {field} {found!r}, not {value!r}")
        return manifest

    def _read(self, file: Mapping[str, Any]) -> FaissIndex:
        path = self._folder / file["name"]
        if (size := path.stat().st_size) != file["size"]:
            raise SnapshotInvalidError(f"{path.name} has {size} bytes, not {file['size']}")
        if (found := digest(path)) != file["sha256"]:
            raise SnapshotInvalidError(f"{path.name} has SHA-256 {found}, not {file['sha256']}")
        index = FaissIndex.read(path, self._model.dimensions)
        if len(index) != file["count"]:
            raise SnapshotInvalidError(f"{path.name} holds {len(index)}, not {file['count']}")
        return index

    def _sign(self, manifest: Mapping[str, Any]) -> str:
        return hmac.new(self._key, encode(manifest), hashlib.sha256).hexdigest()

    def _manifest(self, generation: int) -> Path:
        return self._folder / f"snapshot-{generation:012}.json"

    def _prune(self, count: int) -> None:
        """Drop old generations, and what saves that were killed left behind."""
        kept = {f"{generation:012}" for generation in self.generations()[:count]}
        for path in self._folder.iterdir():
            name = MANIFEST.fullmatch(path.name) or INDEX.fullmatch(path.name)
            if path.suffix == ".tmp" or (name and name[1] not in kept):
                path.unlink()

    @contextmanager
    def _locked(self, mode: int) -> Iterator[None]:
        """One process saves at a time, and none while another loads."""
        with (self._folder / "lock").open("a") as file:
            fcntl.flock(file, mode)
            yield


def encode(manifest: Mapping[str, Any]) -> bytes:
    """The one way to write a manifest, so that not even its spaces can change unseen."""
    return json.dumps(manifest, indent=1, sort_keys=True).encode()


def digest(path: Path) -> str:
    """SHA-256, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def put_in_place(temporary: Path, path: Path) -> None:
    """Rename, so that path is the old file or the whole new one, even after a power cut."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
