"""Several processes of one machine add up their metrics, so that any of them can show the sum."""

from __future__ import annotations

import fcntl
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, values
from prometheus_client.metrics_core import Metric
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from infrastructure.observability.metrics import Counted, Own, metrics
from infrastructure.settings import share_metrics_in

KIB = 1024
OF_A_PROCESS = re.compile(r"(?:counter|histogram|gauge_\w+)_(\d+)\.db")
SUMS = ("counter", "histogram")
ENDED = 0  # no process has this id: what those that ended have counted
ALIVE = "alive_"
# Room on the disk for all that a process counts, in bytes: a file that grows into a disk that is
# full takes its process down without a word.
ROOM = {
    "counter": 256 * KIB,
    "histogram": 2048 * KIB,
    "gauge_livesum": 256 * KIB,
    "gauge_livemin": 64 * KIB,
}
SAME_SECONDS = 1.0  # two readings of when one process began differ by less


class SharedMetrics:
    """
    A folder with the numbers of each process, in files of prometheus_client's.

    What a process has counted stays in the sums when it ends; what it measured, such as its
    memory, goes with it. When nobody else is running, the folder begins anew.

    One folder a host name: processes of different containers cannot see whether others live.
    """

    def __init__(self, folder: Path) -> None:
        name = re.sub(r"[^A-Za-z0-9.-]", "-", socket.gethostname()) or "localhost"
        # A process that one of ours has started is told the folder of this host itself.
        self.folder = folder if folder.name == name else folder / name

    def join(self) -> None:
        """
        Count here from now on. Before anything is counted; a second time it is harmless.

        Raises:
            OSError: if the folder cannot be made.
        """
        own = os.getpid()
        if Own.shared_by == own:
            return
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone(fcntl.LOCK_EX):
            if not any(is_running(self.folder, pid) for pid in self._pids() - {own}):
                for path in self.folder.glob("*.db"):
                    path.unlink()
            mark_process_dead(own, str(self.folder))  # type: ignore[no-untyped-call]
            for kind in ROOM:
                reserve(self.folder, kind, own)
            (self.folder / f"{ALIVE}{own}").write_text(str(psutil.Process().create_time()))
        Own.shared_by = own
        share_metrics_in(self.folder)
        Own.value_class = values.MultiProcessValue()  # type: ignore[no-untyped-call]

    def collect(self) -> list[Metric]:
        """The sums over all processes."""
        self._tidy()
        with self._alone(fcntl.LOCK_SH):
            collector = MultiProcessCollector(None, str(self.folder))  # type: ignore[no-untyped-call]
            return list(collector.collect())  # type: ignore[no-untyped-call]

    def _tidy(self) -> None:
        ended = {pid for pid in self._pids() if not is_running(self.folder, pid)}
        if not ended:
            return
        with self._alone(fcntl.LOCK_EX), suppress(OSError):  # no room: their files stay
            for pid in ended:
                mark_process_dead(pid, str(self.folder))  # type: ignore[no-untyped-call]
                for kind in SUMS:
                    self._add_to_ended(kind, self.folder / f"{kind}_{pid}.db")
                (self.folder / f"{ALIVE}{pid}").unlink(missing_ok=True)

    def _add_to_ended(self, kind: str, path: Path) -> None:
        if not path.exists():  # another process was quicker
            return
        reserve(self.folder, kind, ENDED)
        total: Any = MmapedDict(str(self.folder / f"{kind}_{ENDED}.db"))  # type: ignore[no-untyped-call]
        try:
            found: Any = MmapedDict.read_all_values_from_file(str(path))  # type: ignore[no-untyped-call]
            for key, value, *_ in found:
                total.write_value(key, total.read_value(key)[0] + value, 0.0)
        finally:
            total.close()
        path.unlink()

    def _pids(self) -> set[int]:
        names = (OF_A_PROCESS.fullmatch(path.name) for path in self.folder.glob("*.db"))
        return {int(name[1]) for name in names if name} - {ENDED}

    @contextmanager
    def _alone(self, kind: int) -> Iterator[None]:
        with (self.folder / ".lock").open("a") as file:
            fcntl.flock(file, kind)
            yield


def reserve(folder: Path, kind: str, pid: int) -> None:
    """
    Raises:
        OSError: if there is no room.
    """
    with (folder / f"{kind}_{pid}.db").open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, ROOM[kind])


def is_running(folder: Path, pid: int) -> bool:
    """The process itself, not another one that was given its number."""
    try:
        began = psutil.Process(pid).create_time()
    except psutil.Error:
        return False
    with suppress(OSError, ValueError):
        said = float((folder / f"{ALIVE}{pid}").read_text())
        return abs(began - said) < SAME_SECONDS
    return True  # made by a fork, or about to say so


class Unshared:
    """The metrics of this process alone: of a command that runs once, or of a test."""

    def collect(self) -> list[Metric]:
        registry: CollectorRegistry = metrics().registry
        return list(registry.collect())


def share(folder: Path, *, role: str) -> None:
    """
    Add the metrics of this process to those of the others. Before anything is counted.

    Raises:
        OSError: if the folder cannot be made.
    """
    shared = SharedMetrics(folder)
    shared.join()
    Own.shared, Own.role = shared, role


def counted() -> Counted:
    """What a scrape of this process shows."""
    return Own.shared or Unshared()
