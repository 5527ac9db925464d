"""What all WebSockets and event streams of a process share."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog

from infrastructure.discretion import describe
from interfaces.graphql.live.connections import LiveConnections
from interfaces.graphql.live.rendering import Renderer

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Live:
    connections: LiveConnections = field(default_factory=LiveConnections)
    renderer: Renderer = field(default_factory=Renderer)


def report(error: Exception) -> None:
    """Something went wrong that no client is told of."""
    failed = describe(error)
    log.error("graphql_live_failed", error=failed)
