"""FAISS in this process: starts from a snapshot, follows the vectors read model."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.ports.embedder import EmbeddingModel
from infrastructure.columns.keys import packed
from infrastructure.columns.text_vectors import TextVectors
from infrastructure.discretion import describe
from infrastructure.following import Follower
from infrastructure.postgres.notifications import NotificationHub
from infrastructure.search.corpus import Background, Nearest
from infrastructure.vectors.faiss_index import FaissIndex
from infrastructure.vectors.rows import (
    COUNT,
    NEW,
    ONE_VIEW,
    POSITION,
    REMOVED,
    TEXTS,
    decode,
)
from infrastructure.vectors.snapshot import KEPT_GENERATIONS, SnapshotInvalidError, SnapshotStore

log = logging.getLogger(__name__)

PAGE = 5_000  # vectors
TEXTS_PAGE = 50_000
MOST_LATE = 50_000  # vectors that are taken off again, for a result of a moment before them
LAST_SECONDS = 3.0  # when it is stopped
SNAPSHOT_EVERY_ROWS = 5_000  # new vectors
SNAPSHOT_EVERY_SECONDS = 30.0


class FaissFollower(Follower):
    """
    One index a workspace, all of one model. Answers only for positions that it has reached.

    Losing or corrupting the snapshot costs the time of reading the vectors again, never an answer.
    """

    def __init__(
        self,
        *,
        hub: NotificationHub,
        pool: ConnectionPool[Any],
        folder: Path,
        signing_key: bytes,
        model: EmbeddingModel,
    ) -> None:
        super().__init__(hub=hub, pool=pool, read_model="vectors")
        self._model = model
        self._snapshots = SnapshotStore(folder, key=signing_key, model=model)
        self._indexes: dict[UUID, FaissIndex] = {}
        self._texts: dict[UUID, TextVectors] = {}  # of the vectors in the indexes
        self._last_text = 0  # the last vector whose text is known
        self._position = 0  # everything up to here is in the indexes
        self._last_id = 0
        self._unsaved = 0  # vectors since the last snapshot
        self._is_outdated = False  # the snapshots hold what is gone
        self._has_failed = False  # to write one: tried again only after a while
        self._saved_at = time.monotonic()

    @property
    def position(self) -> int:
        return self._position

    @property
    def model_name(self) -> str:
        return self._model.name

    def __len__(self) -> int:
        return sum(len(index) for index in list(self._indexes.values()))

    @property
    def memory_bytes(self) -> int:
        """What the vectors, their ids and their texts' keys take, about."""
        indexes, texts = list(self._indexes.values()), list(self._texts.values())
        return sum(one.memory_bytes for one in indexes) + sum(one.memory_bytes for one in texts)

    def stop(self) -> None:
        super().stop()
        # For lists being made, which nobody can interrupt; a large archive's take a minute, and
        # whoever stops the process does not wait so long.
        deadline = time.monotonic() + LAST_SECONDS
        for index in self._indexes.values():
            index.wait(max(0.0, deadline - time.monotonic()))

    def nearest(
        self,
        *,
        workspace_id: UUID,
        model: str,
        query: NDArray[np.float32],
        limit: int,
        position: int,
        allowed: NDArray[np.int64] | None = None,
    ) -> Nearest | None:
        # In this order: whoever empties the indexes says first that they hold nothing.
        indexes, reached = self._indexes, self._position
        if model != self._model.id or not self.is_trusted or reached < position:
            return None
        index = indexes.get(workspace_id)
        if index is None:
            return Nearest([], [], "faiss", reached)
        ids, scores = index.search(query, limit, allowed=allowed)
        return Nearest(ids.tolist(), scores.tolist(), "faiss", reached)

    def vectors_of(
        self, ids: NDArray[np.int64], *, workspace_id: UUID, model: str
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]] | None:
        """
        The vectors of these ids as they are kept in memory; None if there are none to be had.

        Returns:
            Vectors, of shape (len(ids), dimensions), every number finite; and which of the ids
            are there, of shape (len(ids),). The rows of the others are 0.
        """
        index = self._indexes.get(workspace_id)
        if index is None or model != self._model.id or not self.is_trusted:
            return None
        return index.vectors_of(ids)

    def texts_of(self, *, workspace_id: UUID, model: str) -> TextVectors | None:
        """Whose vectors they are; None if that is not known here."""
        if model != self._model.id or not self.is_trusted:
            return None
        return self._texts.get(workspace_id) or TextVectors()

    def background(
        self, query: NDArray[np.float32], *, workspace_id: UUID, model: str, below: int
    ) -> Background | None:
        """
        The query's mean cosine over the workspace; None if it is not known here.

        Args:
            below: only vectors with lower ids count, but where very many came since.
        """
        index, texts = self._indexes.get(workspace_id), self._texts.get(workspace_id)
        if index is None or texts is None or model != self._model.id or not self.is_trusted:
            return None
        late = texts.ids_from(below)
        return Background(*index.background(query, late if len(late) <= MOST_LATE else late[:0]))

    def catch_up(self, connection: Connection[Any]) -> int:
        """Take in what is new; return how many vectors that was."""
        turns = self._turns
        with connection.transaction():
            connection.execute(ONE_VIEW)
            target, version = connection.execute(POSITION).fetchone() or (0, 0)
            self._remove(connection, target)
            if (version, turns) != self._checked:
                self._check(connection, target)
                self._take_texts(connection)
                self._checked = (version, turns)
        taken = 0
        while not self._stopping.is_set():
            values = (self._model.id, self._last_id, target, PAGE)
            rows = connection.execute(NEW, values, binary=True).fetchall()
            self._add(rows)
            taken += len(rows)
            if len(rows) < PAGE:
                self._position = max(self._position, target)
                break
        return taken

    def begin(self) -> None:
        self._load()

    def rest(self) -> None:
        self._save()

    def end(self) -> None:
        self._save(is_last=True)

    def _add(self, rows: Sequence[tuple[int, UUID, bytes, UUID]]) -> None:
        by_workspace: dict[UUID, tuple[list[int], list[bytes], list[UUID]]] = {}
        for id_, workspace_id, vector, text_key in rows:
            ids, vectors, keys = by_workspace.setdefault(workspace_id, ([], [], []))
            ids.append(id_)
            vectors.append(vector)
            keys.append(text_key)
        for workspace_id, (ids, vectors, keys) in by_workspace.items():
            # The texts first: whoever finds a vector finds its text.
            self._add_texts(workspace_id, ids, keys)
            index = self._indexes.get(workspace_id) or FaissIndex(self._model.dimensions)
            index.add(np.array(ids, dtype=np.int64), decode(vectors, self._model.dimensions))
            self._indexes[workspace_id] = index
        if rows:
            self._last_id = self._last_text = rows[-1][0]
            self._unsaved += len(rows)

    def _add_texts(self, workspace_id: UUID, ids: list[int], keys: list[UUID]) -> None:
        texts = self._texts.get(workspace_id) or TextVectors()
        texts.add(np.array(ids, dtype=np.int64), packed(keys))
        self._texts[workspace_id] = texts

    def _take_texts(self, connection: Connection[Any]) -> None:
        """Those of the vectors that were in a snapshot."""
        while self._last_text < self._last_id and not self._stopping.is_set():
            values = (self._model.id, self._last_text, self._last_id, TEXTS_PAGE)
            rows = connection.execute(TEXTS, values, binary=True).fetchall()
            by_workspace: dict[UUID, tuple[list[int], list[UUID]]] = {}
            for id_, workspace_id, text_key in rows:
                ids, keys = by_workspace.setdefault(workspace_id, ([], []))
                ids.append(id_)
                keys.append(text_key)
            for workspace_id, (ids, keys) in by_workspace.items():
                self._add_texts(workspace_id, ids, keys)
            self._last_text = rows[-1][0] if len(rows) == TEXTS_PAGE else self._last_id

    def _remove(self, connection: Connection[Any], up_to: int) -> None:
        """What was withdrawn since the position that is reached; of what came later, nothing is."""
        values = (self._model.id, self._position, up_to)
        by_workspace: dict[UUID, list[int]] = {}
        for id_, workspace_id in connection.execute(REMOVED, values, binary=True):
            by_workspace.setdefault(workspace_id, []).append(id_)
        for workspace_id, ids in by_workspace.items():
            gone = np.array(ids, dtype=np.int64)
            index, texts = self._indexes.get(workspace_id), self._texts.get(workspace_id)
            if index is not None and index.remove(gone):
                self._is_outdated = True
            if texts is not None:
                texts.remove(gone)

    def _check(self, connection: Connection[Any], reached: int) -> None:
        """A restored database, or a rebuild after an erasure, may hold less than the indexes."""
        row = connection.execute(COUNT, (self._model.id, self._last_id)).fetchone()
        expected = 0 if row is None else int(row[0])
        if len(self) != expected or self._position > reached:
            log.warning(
                "the FAISS index holds %s vectors up to position %s, where PostgreSQL has %s "
                "up to %s: reading them again",
                len(self),
                self._position,
                expected,
                reached,
            )
            self._position = self._last_id = self._last_text = 0
            self._indexes, self._texts = {}, {}
            self._is_outdated = True

    def _load(self) -> None:
        try:
            loaded = self._snapshots.load()
        except SnapshotInvalidError as error:
            log.warning("no usable FAISS snapshot (%s): reading the vectors again", error)
            self._is_outdated = True  # nobody knows what they hold
            return
        except OSError as error:
            log.warning("no FAISS snapshot can be read: %s", describe(error))
            return
        if loaded is not None:
            self._indexes, self._position, self._last_id = loaded

    def _save(self, *, is_last: bool = False) -> None:
        is_due = (
            is_last
            or self._unsaved >= SNAPSHOT_EVERY_ROWS
            or time.monotonic() - self._saved_at >= SNAPSHOT_EVERY_SECONDS
            or (self._is_outdated and not self._has_failed)
        )
        if not is_due or not (self._unsaved or self._is_outdated):
            return
        # What was removed must not stay on disk, so then the earlier ones go, too.
        kept = 1 if self._is_outdated else KEPT_GENERATIONS
        try:
            self._snapshots.save(self._indexes, self._position, self._last_id, kept=kept)
        except OSError as error:
            log.warning("the FAISS snapshot could not be written: %s", describe(error))
            self._has_failed = True
        else:
            self._is_outdated = self._has_failed = False
        self._unsaved, self._saved_at = 0, time.monotonic()
