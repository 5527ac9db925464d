"""The system's status as tables for people, and as facts for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from infrastructure.monitoring.database import DatabaseState
from infrastructure.monitoring.scrape import Scrape
from infrastructure.monitoring.status import SystemStatus, UploadInWork
from infrastructure.projections.registry import VersionStatus
from interfaces.cli.render_timings import timing_facts, timings
from interfaces.cli.terminal import clean_line

MIB = 1024 * 1024
STATUSES = ("todo", "doing", "failed")
# What a server counts, by what it is called here. A rate is of the time between two looks.
COUNTERS = {
    "requests": "chatledger_http_request_duration_seconds_count",
    "operations": "chatledger_graphql_operation_duration_seconds_count",
    "embedded_texts": "chatledger_embedded_texts_total",
}


def screen(look: SystemStatus, before: SystemStatus | None) -> RenderableType:
    parts: list[RenderableType] = [headline(look)]
    parts += [Text(f"  • {clean_line(problem)}", style="red") for problem in look.problems]
    if look.database is not None:
        parts += [
            Text(log_line(look, look.database, before)),
            read_models(look.database),
            queues(look.database),
        ]
        parts += [Text(rebuild_line(version)) for version in look.database.building]
    parts += server_parts(look, before)
    if look.failed:
        parts.append(failed_jobs(look))
    if look.uploads:
        parts.append(uploads(look.uploads))
    return Group(*parts)


def headline(look: SystemStatus) -> Text:
    word, style = "healthy, as far as can be seen", "bold green"
    if not look.is_healthy:
        word, style = "needs care", "bold red"
    elif look.is_down:
        word, style = "nothing runs, the data is healthy", "bold yellow"
    return Text.assemble(f"Chatledger at {look.at:%Y-%m-%d %H:%M:%S} UTC: ", (word, style))


def log_line(look: SystemStatus, state: DatabaseState, before: SystemStatus | None) -> str:
    text = f"Log: position {state.head:,}, {look.events_last_minute:,} events in the last minute"
    if before is not None and before.database is not None:
        seconds = (look.at - before.at).total_seconds()
        text += f", {(state.head - before.database.head) / seconds:.1f} a second now"
    return text


def read_models(state: DatabaseState) -> Table:
    table = table_of("read model", "position", "behind by", "for", "status")
    for version in state.read:
        table.add_row(
            version.name,
            f"{version.position:,}",
            f"{version.lag_events:,} events",
            f"{version.lag_seconds:.1f} s",
            Text(version.status, style="red" if version.status == "halted" else ""),
        )
    return table


def queues(state: DatabaseState) -> Table:
    table = table_of("queue", "waiting", "oldest", "running", "failed")
    for name, facts in queue_facts(state).items():
        table.add_row(
            name,
            str(facts["todo"]),
            f"{facts['oldest_waiting_seconds']:.1f} s",
            str(facts["doing"]),
            Text(str(facts["failed"]), style="red" if facts["failed"] else ""),
        )
    table.caption = f"{state.workers} queues are worked on"
    table.caption_justify = "left"
    return table


def server_parts(look: SystemStatus, before: SystemStatus | None) -> list[RenderableType]:
    if look.server is None:
        return [Text("Server: none answers at the configured address.", style="yellow")]
    found = look.server
    processes = table_of("processes", "number", "memory", "processor time")
    for role, number in found.by("chatledger_processes", "role").items():
        memory = found.total("chatledger_process_resident_memory_bytes", role=role) / MIB
        cpu = found.total("chatledger_process_cpu_seconds_total", role=role)
        processes.add_row(role, f"{number:.0f}", f"{memory:,.0f} MiB", f"{cpu:,.1f} s")
    pools = table_of("pool", "open", "idle", "waiting")
    for pool in found.by("chatledger_pool_connections", "pool"):
        pools.add_row(
            pool,
            f"{found.total('chatledger_pool_connections', pool=pool, state='open'):.0f}",
            f"{found.total('chatledger_pool_connections', pool=pool, state='idle'):.0f}",
            f"{found.total('chatledger_pool_waiting_requests', pool=pool):.0f}",
        )
    vectors = Text(
        f"FAISS: {found.total('chatledger_faiss_vectors'):,.0f} vectors, "
        f"{found.total('chatledger_faiss_lag_positions'):,.0f} positions behind"
    )
    said = [Text(line) for line in (traffic(found, look, before), *timings(found, look, before))]
    return [processes, pools, vectors, *said]


def rebuild_line(version: VersionStatus) -> str:
    return (
        f"Rebuild of {version.name}: {version.stage}, {version.progress:.0%} of the log "
        f"(position {version.position:,} of {version.head:,})"
    )


def traffic(found: Scrape, look: SystemStatus, before: SystemStatus | None) -> str:
    parts = [f"{found.total('chatledger_subscriptions_open'):.0f} subscriptions open"]
    for said, name in COUNTERS.items():
        total = found.total(name)
        part = f"{total:,.0f} {said.replace('_', ' ')}"
        if before is not None and before.server is not None:
            seconds = (look.at - before.at).total_seconds()
            # A server that began anew counts from 0.
            part += f" ({max(0.0, total - before.server.total(name)) / seconds:.1f}/s)"
        parts.append(part)
    return "Server: " + ", ".join(parts)


def failed_jobs(look: SystemStatus) -> Table:
    table = table_of("failed job", "task", "why")
    for job in look.failed:
        table.add_row(str(job.id), job.task, escape(clean_line(job.error or "")))
    return table


def uploads(rows: list[UploadInWork]) -> Table:
    table = table_of("upload in work", "stage", "messages", "embedded")
    for row in rows:
        known = "?" if row.messages is None else f"{row.messages:,}"
        table.add_row(
            escape(clean_line(row.filename)),
            row.stage,
            f"{row.messages_recorded:,} of {known}",
            f"{row.texts_embedded:,} of {row.texts:,}",
        )
    return table


def table_of(*columns: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for number, column in enumerate(columns):
        table.add_column(column, min_width=16 if number == 0 else None)
    return table


def queue_facts(state: DatabaseState) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for gauge in state.queues:
        facts = found.setdefault(
            gauge.queue, {**dict.fromkeys(STATUSES, 0), "oldest_waiting_seconds": 0.0}
        )
        facts[gauge.status] = gauge.jobs
        facts["oldest_waiting_seconds"] += gauge.oldest_waiting_seconds or 0.0
    return found


def as_facts(look: SystemStatus) -> dict[str, Any]:
    """The same for programs. Names stay; new ones may come."""
    state, server = look.database, look.server
    return {
        "at": look.at,
        "healthy": look.is_healthy,
        "problems": look.problems,
        "database": state is not None,
        "log": None
        if state is None
        else {"position": state.head, "events_last_minute": look.events_last_minute},
        "read_models": [] if state is None else [version_facts(v) for v in state.read],
        "down": look.is_down,
        "rebuilds": [] if state is None else [rebuild_facts(v) for v in state.building],
        "queues": {} if state is None else queue_facts(state),
        "queues_worked_on": 0 if state is None else state.workers,
        "failed_jobs": look.failed,
        "uploads_in_work": look.uploads,
        "server": None if server is None else server_facts(server),
    }


def rebuild_facts(version: VersionStatus) -> dict[str, Any]:
    return version_facts(version) | {"stage": version.stage, "progress": version.progress}


def version_facts(version: VersionStatus) -> dict[str, Any]:
    return {
        "name": version.name,
        "version": version.version,
        "position": version.position,
        "lag_events": version.lag_events,
        "lag_seconds": version.lag_seconds,
        "status": version.status,
    }


def server_facts(found: Scrape) -> dict[str, Any]:
    return {
        "processes": found.by("chatledger_processes", "role"),
        "resident_memory_bytes": found.by("chatledger_process_resident_memory_bytes", "role"),
        "cpu_seconds": found.by("chatledger_process_cpu_seconds_total", "role"),
        "pool_connections": pool_facts(found),
        "pool_waiting_requests": found.by("chatledger_pool_waiting_requests", "pool"),
        "faiss_vectors": found.total("chatledger_faiss_vectors"),
        "faiss_lag_positions": found.total("chatledger_faiss_lag_positions"),
        "subscriptions_open": found.total("chatledger_subscriptions_open"),
        **{said: found.total(name) for said, name in COUNTERS.items()},
        **timing_facts(found),
    }


def pool_facts(found: Scrape) -> dict[str, dict[str, float]]:
    """`idle` are some of the `open` ones."""
    name = "chatledger_pool_connections"
    return {
        pool: {state: found.total(name, pool=pool, state=state) for state in ("open", "idle")}
        for pool in found.by(name, "pool")
    }
