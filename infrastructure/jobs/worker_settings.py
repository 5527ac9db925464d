"""How a process works on jobs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

LANES = MappingProxyType(
    {"projections": 4, "reading": 2, "embedding": 1, "maintenance": 1, "rebuilding": 1}
)
# Longer than a step can take. Only for tasks that do no harm when they run twice at a time.
LIMITS = MappingProxyType({"projections:advance": 120.0})


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    lanes: Mapping[str, int] = field(default_factory=lambda: LANES)  # queue -> jobs at a time
    limits: Mapping[str, float] = field(default_factory=lambda: LIMITS)  # task -> seconds
    poll_seconds: float = 2.0  # for jobs that nothing announces: retries
    sweep_seconds: float = 5.0
    reap_seconds: float = 1.5
    maintain_seconds: float = 60.0
    heartbeat_seconds: float = 10.0
    stalled_seconds: float = 30.0  # without a heartbeat: the worker is dead
    grace_seconds: float = 3.5  # a job may take to stop when asked to
    stop_seconds: float = 5.0  # then it is left alone
    close_seconds: float = 1.0  # for the last statements
    first_wait_seconds: float = 0.5  # before a failed worker starts again, doubled each time
    # Short, so that all goes on soon after an outage; while it lasts, an attempt costs nothing.
    longest_wait_seconds: float = 1.5
    # By name, of the read models that this process can step; None: of all.
    code_versions: Mapping[str, int] | None = None
