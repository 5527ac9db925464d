"""How long the server takes, and how much it does at a time, since it was started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from infrastructure.monitoring.scrape import Scrape
from infrastructure.monitoring.status import SystemStatus

REQUESTS = "chatledger_http_request_duration_seconds"
OPERATIONS = "chatledger_graphql_operation_duration_seconds"
APPENDS = "chatledger_append_duration_seconds"
GROUPS = "chatledger_append_group_requests"
EMBEDDED, EMBEDDING = "chatledger_embedded_texts_total", "chatledger_embedding_seconds_total"
HALF, MOST = 0.5, 0.95


def timings(found: Scrape, look: SystemStatus, before: SystemStatus | None) -> Iterator[str]:
    """Lines for people."""
    facts = timing_facts(found)
    yield (
        f"Requests: {shown(facts['request_seconds'])}; GraphQL: {shown(facts['operation_seconds'])}"
    )
    groups = f"{facts['append_groups']:,.0f}{rate(f'{GROUPS}_count', look, before)}"
    yield (
        f"Appends: {groups}, {shown(facts['append_seconds'])}, "
        f"{facts['append_group_mean']:.1f} requests each"
    )
    now = rate(EMBEDDED, look, before)
    yield f"Embedding: {facts['embedded_texts_a_second']:,.1f} texts a second while at it{now}"


def timing_facts(found: Scrape) -> dict[str, Any]:
    groups = found.total(f"{GROUPS}_count")
    seconds = found.total(EMBEDDING)
    return {
        "request_seconds": quantiles(found, REQUESTS),
        "operation_seconds": quantiles(found, OPERATIONS),
        "append_seconds": quantiles(found, APPENDS),
        "append_groups": groups,
        "append_group_mean": found.total(f"{GROUPS}_sum") / groups if groups else 0.0,
        "embedded_texts_a_second": found.total(EMBEDDED) / seconds if seconds else 0.0,
    }


def quantiles(found: Scrape, name: str) -> dict[str, float | None]:
    return {"p50": found.quantile(name, HALF), "p95": found.quantile(name, MOST)}


def shown(seconds: dict[str, float | None]) -> str:
    half, most = seconds["p50"], seconds["p95"]
    if half is None or most is None:
        return "none yet"
    return f"p50 {half * 1000:,.1f} ms, p95 {most * 1000:,.1f} ms"


def rate(name: str, look: SystemStatus, before: SystemStatus | None) -> str:
    """Between two looks. A server that began anew counts from 0."""
    if before is None or before.server is None or look.server is None:
        return ""
    seconds = (look.at - before.at).total_seconds()
    change = max(0.0, look.server.total(name) - before.server.total(name))
    return f" ({change / seconds:.1f}/s now)"
