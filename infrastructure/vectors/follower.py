"""FAISS in this process: starts from a snapshot, follows the vectors read model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from psycopg import Connection
from psycopg_pool import ConnectionPool

from application.ports.embedder import EmbeddingModel
from infrastructure.discretion import describe
from infrastructure.postgres.notifications import NotificationHub
from infrastructure.projections.registry import CHANNEL
from infrastructure.search.meaning import Nearest
from infrastructure.vectors.faiss_index import FaissIndex
from infrastructure.vectors.rows import COUNT, NEW, ONE_VIEW, POSITION, REMOVED, decode
from infrastructure.vectors.snapshot import KEPT_GENERATIONS, SnapshotInvalidError, SnapshotStore

log = logging.getLogger(__name__)

PAGE = 5_000  # vectors
POLL_SECONDS = 1.0  # should a notification get lost
RETRY_SECONDS = 1.0
SNAPSHOT_EVERY_ROWS = 5_000  # new vectors
SNAPSHOT_EVERY_SECONDS = 30.0


class FaissFollower:
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
        self._hub = hub
        self._pool = pool
        self._model = model
        self._snapshots = SnapshotStore(folder, key=signing_key, model=model)
        self._indexes: dict[UUID, FaissIndex] = {}
        self._position = 0  # everything up to here is in the indexes
        self._last_id = 0
        self._unsaved = 0  # vectors since the last snapshot
        self._is_outdated = False  # the snapshots hold what is gone
        self._has_failed = False  # to write one: tried again only after a while
        self._saved_at = time.monotonic()
        # The version of the read model that it was compared with, and how often the connection
        # had come or gone by then: meanwhile the database may be another one.
        self._checked: tuple[int, int] | None = None
        self._turns = 0
        self._news = threading.Event()
        self._unsubscribe: Callable[[], None] | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

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
        """What the vectors and their ids take, about."""
        return sum(index.memory_bytes for index in list(self._indexes.values()))

    def start(self) -> None:
        """Follow in a thread of its own. Until it has caught up, PostgreSQL answers."""
        if self._thread is None:
            self._unsubscribe = self._hub.subscribe(
                CHANNEL, self._on_payload, self._turn, on_disconnect=self._turn
            )
            self._hub.start()
            self._thread = threading.Thread(target=self._run, name="faiss-follower", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        unsubscribe, self._unsubscribe = self._unsubscribe, None
        if unsubscribe is not None:
            unsubscribe()
        self._stopping.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for index in self._indexes.values():
            index.wait()  # for lists being made, which nobody can interrupt

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
        if model != self._model.id or not self._is_trusted or reached < position:
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
        if index is None or model != self._model.id or not self._is_trusted:
            return None
        return index.vectors_of(ids)

    def background(
        self, query: NDArray[np.float32], *, workspace_id: UUID, model: str
    ) -> float | None:
        """The query's mean cosine over the workspace; None if it is not known here."""
        index = self._indexes.get(workspace_id)
        if index is None or model != self._model.id or not self._is_trusted:
            return None
        return float(index.mean @ query)

    def catch_up(self, connection: Connection[Any]) -> int:
        """Take in what is new; return how many vectors that was."""
        turns = self._turns
        with connection.transaction():
            connection.execute(ONE_VIEW)
            target, version = connection.execute(POSITION).fetchone() or (0, 0)
            self._remove(connection, target)
            if (version, turns) != self._checked:
                self._check(connection, target)
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

    def _run(self) -> None:
        self._load()
        while not self._stopping.is_set():
            try:
                with self._pool.connection() as connection:
                    self.catch_up(connection)
                self._save()
                self._news.wait(POLL_SECONDS)
                self._news.clear()  # before the next look, so that nothing goes unseen
            except Exception as error:  # noqa: BLE001 - a thread that died would never catch up
                log.warning("the FAISS index cannot follow and tries again: %s", describe(error))
                # The database may have been restored meanwhile, or a page been taken in by half:
                # until that is checked, PostgreSQL answers.
                self._checked = None
                self._stopping.wait(RETRY_SECONDS)
        self._save(is_last=True)

    @property
    def _is_trusted(self) -> bool:
        return self._checked is not None and self._checked[1] == self._turns

    def _turn(self) -> None:
        """The connection has come or gone: until the index is checked, PostgreSQL answers."""
        self._turns += 1
        self._news.set()

    def _on_payload(self, payload: str) -> None:
        if payload.startswith("vectors "):
            self._news.set()

    def _add(self, rows: Sequence[tuple[int, UUID, bytes]]) -> None:
        by_workspace: dict[UUID, tuple[list[int], list[bytes]]] = {}
        for id_, workspace_id, vector in rows:
            ids, vectors = by_workspace.setdefault(workspace_id, ([], []))
            ids.append(id_)
            vectors.append(vector)
        for workspace_id, (ids, vectors) in by_workspace.items():
            index = self._indexes.get(workspace_id) or FaissIndex(self._model.dimensions)
            index.add(np.array(ids, dtype=np.int64), decode(vectors, self._model.dimensions))
            self._indexes[workspace_id] = index
        if rows:
            self._last_id = rows[-1][0]
            self._unsaved += len(rows)

    def _remove(self, connection: Connection[Any], up_to: int) -> None:
        """What was withdrawn since the position that is reached; of what came later, nothing is."""
        values = (self._model.id, self._position, up_to)
        by_workspace: dict[UUID, list[int]] = {}
        for id_, workspace_id in connection.execute(REMOVED, values, binary=True):
            by_workspace.setdefault(workspace_id, []).append(id_)
        for workspace_id, ids in by_workspace.items():
            index = self._indexes.get(workspace_id)
            if index is not None and index.remove(np.array(ids, dtype=np.int64)):
                self._is_outdated = True

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
            self._position = self._last_id = 0
            self._indexes = {}
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
