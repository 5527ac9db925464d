"""What nothing counts as it happens: pools, memory and FAISS are looked at every few seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakValueDictionary

import psutil

from infrastructure.discretion import describe
from infrastructure.observability.metrics import Own, metrics

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0


class Follower(Protocol):
    """What is kept in memory and follows a read model."""

    @property
    def position(self) -> int: ...

    @property
    def memory_bytes(self) -> int: ...

    def __len__(self) -> int: ...


class VectorsFollower(Follower, Protocol):
    @property
    def model_name(self) -> str: ...


class Pool(Protocol):
    """A pool of psycopg_pool's, blocking or not."""

    def get_stats(self) -> dict[str, int]: ...


POOLS: WeakValueDictionary[str, Any] = WeakValueDictionary()


def watch_pool(name: str, pool: Pool) -> None:
    """Show how full it is, for as long as it exists."""
    POOLS[name] = pool


class Sampler:
    """
    A thread of a process that runs for long.

    Args:
        vectors, messages: what this process keeps in memory; None if it has none (yet).
    """

    def __init__(
        self,
        *,
        vectors: Callable[[], VectorsFollower | None],
        messages: Callable[[], Follower | None],
    ) -> None:
        self._vectors = vectors
        self._messages = messages
        self._process = psutil.Process()
        self._cpu_seconds = 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Harmless to repeat."""
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Harmless to repeat, and without a start."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def sample(self) -> None:
        """Now, too: a scrape wants the newest of the process that answers it."""
        with self._lock:
            self._sample_process()
            self._sample_pools()
            self._sample_followers()

    def _run(self) -> None:
        while True:
            try:
                self.sample()
            except Exception as error:  # noqa: BLE001 - a thread that died would show old numbers
                log.warning("metrics could not be sampled: %s", describe(error))
            if self._stopping.wait(EVERY_SECONDS):
                return

    def _sample_process(self) -> None:
        own, role = metrics(), Own.role
        with self._process.oneshot():
            times = self._process.cpu_times()
            used = times.user + times.system
            own.cpu.labels(role).inc(max(0.0, used - self._cpu_seconds))
            self._cpu_seconds = used
            own.memory.labels(role).set(self._process.memory_info().rss)
            own.threads.labels(role).set(self._process.num_threads())
            own.files.labels(role).set(self._process.num_fds())
        own.processes.labels(role).set(1)

    def _sample_pools(self) -> None:
        own = metrics()
        for name, pool in list(POOLS.items()):
            stats = pool.get_stats()
            own.pools.labels(name, "open").set(stats.get("pool_size", 0))
            own.pools.labels(name, "idle").set(stats.get("pool_available", 0))
            own.pool_waiting.labels(name).set(stats.get("requests_waiting", 0))

    def _sample_followers(self) -> None:
        own = metrics()
        if (vectors := self._vectors()) is not None:
            own.faiss_vectors.labels(vectors.model_name).set(len(vectors))
            own.faiss_bytes.labels(vectors.model_name).set(vectors.memory_bytes)
            own.faiss_position.labels(vectors.model_name).set(vectors.position)
        if (messages := self._messages()) is not None:
            own.messages_in_memory.set(len(messages))
            own.messages_in_memory_bytes.set(messages.memory_bytes)
            own.messages_in_memory_position.set(messages.position)
