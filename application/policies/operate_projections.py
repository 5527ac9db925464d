"""When a read model is to be rebuilt or rolled back, ask for that to be done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from application.ports.jobs import JobRequest
from domain.projection import Projection


def operate_projections(event: Any) -> Iterable[JobRequest]:
    match event:
        case Projection.RebuildRequested() | Projection.RollBackRequested():
            # A queue of its own: a rebuild takes long, and must not hold up the housekeeping.
            yield JobRequest(
                task="projections:operate",
                queue="rebuilding",
                arguments={"name": event.name, "wish": event.wish},
                lock=f"operate:{event.name}",
            )
