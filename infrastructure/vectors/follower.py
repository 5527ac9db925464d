"""FAISS in this process: starts from a snapshot, follows the vectors read model."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import Connection

from application.ports.embedder import EmbeddingModel
from infrastructure.discretion import describe
from infrastructure.search.meaning import Nearest
from infrastructure.vectors.faiss_index import FaissIndex
from infrastructure.vectors.snapshot import SnapshotInvalidError, SnapshotStore

log = logging.getLogger(__name__)

PAGE = 5_000  # vectors
POLL_SECONDS = 1.0  # should a notification get lost
RECONNECT_SECONDS = 1.0
SNAPSHOT_EVERY_ROWS = 5_000  # new vectors
SNAPSHOT_EVERY_SECONDS = 30.0

POSITION = """
SELECT position, version FROM projection.projection
WHERE name = 'vectors' AND status IN ('live', 'halted')
"""
NEW = """
SELECT e.vector_id, e.workspace_id, e.embedding
FROM read.text_vector AS t JOIN read.embedding AS e USING (segment, vector_id)
WHERE t.model = %s AND t.vector_id > %s AND t.position <= %s
ORDER BY t.vector_id LIMIT %s
"""
COUNT = "SELECT count(*) FROM read.text_vector WHERE model = %s AND vector_id <= %s"


class FaissFollower:
    """
    One index a workspace, all of one model. Answers only for positions that it has reached.

    Losing or corrupting the snapshot costs the time of reading the vectors again, never an answer.
    """

    def __init__(
        self, *, conninfo: str, folder: Path, signing_key: bytes, model: EmbeddingModel
    ) -> None:
        self._conninfo = conninfo
        self._model = model
        self._snapshots = SnapshotStore(folder, key=signing_key, model=model)
        self._indexes: dict[UUID, FaissIndex] = {}
        self._position = 0  # everything up to here is in the indexes
        self._last_id = 0
        self._unsaved = 0  # vectors since the last snapshot
        self._saved_at = time.monotonic()
        self._checked: int | None = None  # version of the read model that it was compared with
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def position(self) -> int:
        return self._position

    def __len__(self) -> int:
        return sum(len(index) for index in list(self._indexes.values()))

    def start(self) -> None:
        """Follow in a thread of its own. Until it has caught up, PostgreSQL answers."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="faiss-follower", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def nearest(
        self,
        *,
        workspace_id: UUID,
        model: str,
        query: NDArray[np.float32],
        limit: int,
        position: int,
    ) -> Nearest | None:
        # In this order: whoever empties the indexes says first that they hold nothing.
        indexes = self._indexes
        if model != self._model.id or self._checked is None or self._position < position:
            return None
        index = indexes.get(workspace_id)
        if index is None:
            return Nearest([], [], "faiss")
        ids, scores = index.search(query, limit)
        return Nearest([int(id_) for id_ in ids], [float(score) for score in scores], "faiss")

    def catch_up(self, connection: Connection[Any]) -> int:
        """Take in what is new; return how many vectors that was."""
        target, version = connection.execute(POSITION).fetchone() or (0, 0)
        if version != self._checked:
            self._check(connection, target)
            self._checked = version
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
                with psycopg.connect(self._conninfo, autocommit=True) as connection:
                    # Listening first: what moves after this is either read or announced.
                    connection.execute("LISTEN projection_moved")
                    self._follow(connection)
            except Exception as error:  # noqa: BLE001 - a thread that died would never catch up
                log.warning("the FAISS index cannot follow and tries again: %s", describe(error))
                # The database may have been restored meanwhile, or a page been taken in by half:
                # until that is checked, PostgreSQL answers.
                self._checked = None
                self._stopping.wait(RECONNECT_SECONDS)
        self._save(is_last=True)

    def _follow(self, connection: Connection[Any]) -> None:
        while not self._stopping.is_set():
            self.catch_up(connection)
            self._save()
            for notification in connection.notifies(timeout=POLL_SECONDS, stop_after=1):
                if notification.payload.startswith("vectors "):
                    break

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

    def _load(self) -> None:
        try:
            loaded = self._snapshots.load()
        except SnapshotInvalidError as error:
            log.warning("no usable FAISS snapshot (%s): reading the vectors again", error)
            return
        except OSError as error:
            log.warning("no FAISS snapshot can be read: %s", describe(error))
            return
        if loaded is not None:
            self._indexes, self._position, self._last_id = loaded

    def _save(self, *, is_last: bool = False) -> None:
        is_due = time.monotonic() - self._saved_at >= SNAPSHOT_EVERY_SECONDS
        if self._unsaved == 0 or not (is_last or is_due or self._unsaved >= SNAPSHOT_EVERY_ROWS):
            return
        try:
            self._snapshots.save(self._indexes, self._position, self._last_id)
        except OSError as error:
            log.warning("the FAISS snapshot could not be written: %s", describe(error))
        self._unsaved, self._saved_at = 0, time.monotonic()


def decode(halfvecs: Sequence[bytes], dimensions: int) -> NDArray[np.float32]:
    """From PostgreSQL's binary form. Returns shape (len(halfvecs), dimensions)."""
    wire = np.dtype([("dimensions", ">i2"), ("unused", ">i2"), ("values", ">f2", (dimensions,))])
    rows = np.frombuffer(b"".join(halfvecs), dtype=wire)
    return np.ascontiguousarray(rows["values"], dtype=np.float32)
