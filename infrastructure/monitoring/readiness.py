"""Whether this process can do its work, and why not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from infrastructure.blobs.disk import KEEP_FREE
from infrastructure.embedders.query_embedder import ModelState
from infrastructure.monitoring.database import DatabaseState
from infrastructure.postgres.migrations import newest_revision

LAG_SECONDS = 120.0  # more than the longest page takes; then answers are too old to be given
Status = Literal["ok", "warning", "failed"]


class States(Protocol):
    """Looks at the database; None if it does not answer in time."""

    def state(self) -> DatabaseState | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    name: str
    status: Status
    reason: str  # names parts of the system and numbers, never data of a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    checks: tuple[Check, ...]

    @property
    def is_ready(self) -> bool:
        """A warning is for people: the process still does its work."""
        return all(check.status != "failed" for check in self.checks)


class Readiness:
    """
    Args:
        code_versions: of the read models that this release has, by name.
        is_listening: whether the process hears what others announce.
        faiss_position: None where no index is kept in memory.
        model_state: of the model that searches need.
    """

    def __init__(
        self,
        states: States,
        *,
        code_versions: Mapping[str, int],
        data_dir: Path,
        is_listening: Callable[[], bool],
        faiss_position: Callable[[], int | None],
        model_state: Callable[[], ModelState],
    ) -> None:
        self._states = states
        self._code_versions = code_versions
        self._data_dir = data_dir
        self._is_listening = is_listening
        self._faiss_position = faiss_position
        self._model_state = model_state

    def look(self) -> Report:
        """Blocks, for as long as the database may take to answer: some two seconds at most."""
        state = self._states.state()
        checks = [self._disk(), self._notifications(), MODEL[self._model_state()]]
        if state is None:
            checks.append(failed("database", "it does not answer, or not in time"))
        else:
            checks.append(Check(name="database", status="ok", reason="it answers"))
            checks.append(migrations(state))
            checks.extend(self._read_models(state))
            checks.append(worker(state))
            checks.append(self._faiss(state))
        return Report(checks=tuple(sorted(checks, key=lambda check: check.name)))

    def _read_models(self, state: DatabaseState) -> Iterator[Check]:
        read = {version.name: version for version in state.read}
        for name, code_version in self._code_versions.items():
            version = read.get(name)
            what = f"read model {name}"
            if version is None:
                yield failed(what, "it does not exist yet")
            elif version.status == "halted":
                at = version.failed_position
                yield failed(what, f"the event at position {at} halted it")
            elif version.code_version != code_version:
                yield failed(what, "it was made by another release and has to be rebuilt")
            elif version.lag_seconds > LAG_SECONDS:
                yield failed(what, f"it is {version.lag_seconds:,.0f} s behind the log")
            else:
                reason = f"at position {version.position}, {version.lag_events} behind the log"
                yield Check(name=what, status="ok", reason=reason)

    def _faiss(self, state: DatabaseState) -> Check:
        position = self._faiss_position()
        wanted = max((v.position for v in state.read if v.name == "vectors"), default=0)
        if position is None:
            return Check(name="faiss", status="ok", reason="this process keeps no index in memory")
        if position < wanted:
            reason = f"it is at position {position} of {wanted}: until then PostgreSQL answers"
            return Check(name="faiss", status="warning", reason=reason)
        return Check(name="faiss", status="ok", reason=f"at position {position}")

    def _notifications(self) -> Check:
        if self._is_listening():
            return Check(name="notifications", status="ok", reason="they are heard")
        return failed("notifications", "the connection that hears them is down")

    def _disk(self) -> Check:
        try:
            disk = os.statvfs(self._data_dir)
        except OSError as error:
            return failed("disk", f"it cannot be looked at: {error.strerror}")
        free = disk.f_bavail * disk.f_frsize
        reason = f"{free // 2**20:,} MiB are free"
        if free < KEEP_FREE:
            return failed("disk", f"{reason}, of {KEEP_FREE // 2**20:,} that are kept")
        return Check(name="disk", status="ok", reason=reason)


def migrations(state: DatabaseState) -> Check:
    newest = newest_revision()
    if state.revision == newest:
        return Check(name="migrations", status="ok", reason=f"at revision {newest}")
    return failed("migrations", f"at revision {state.revision}, where this release has {newest}")


def worker(state: DatabaseState) -> Check:
    if state.workers:
        return Check(name="worker", status="ok", reason=f"{state.workers} queues are worked on")
    reason = "none was seen for half a minute: uploads are received, and wait"
    return Check(name="worker", status="warning", reason=reason)


def failed(name: str, reason: str) -> Check:
    return Check(name=name, status="failed", reason=reason)


MODEL: Mapping[ModelState, Check] = {
    "unused": Check(name="model", status="ok", reason="the first search will load it"),
    "loading": failed("model", "it is being loaded: until then nothing is searched by meaning"),
    "loaded": Check(name="model", status="ok", reason="it is loaded"),
    "broken": failed("model", "it cannot be loaded: the log of this process says why"),
}
